#pragma once
/// A ledger on one side, servers played from a script on the other, for what sessions do with a folder.

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "engine/retriever/job_line.hpp"
#include "queue/store/folder_notes.hpp"
#include "queue/store/open.hpp"
#include "tests/support/hand_clock.hpp"
#include "tests/support/scripted_stream.hpp"
#include "tests/support/simulated_disk.hpp"

namespace after_desk {

using support::HandClock;
using support::ScriptedStream;
using Turn = ScriptedStream::Turn;
using Who = Turn::Who;
using Turns = std::vector<Turn>;

inline Turn server(std::string bytes) { return {Who::server, std::move(bytes)}; }
inline Turn client(std::string bytes) { return {Who::client, std::move(bytes)}; }

inline constexpr std::uint32_t validity = 7;
inline const std::string with_all = "IMAP4rev1 UIDPLUS MOVE";
inline const std::string without_move = "IMAP4rev1 UIDPLUS";
inline const std::string with_nothing = "IMAP4rev1";

inline Turns operator+(Turns front, const Turns& back) {
    front.insert(front.end(), back.begin(), back.end());
    return front;
}

/// A command without its tag, and what the server says to it before the tagged answer.
class Script {
public:
    Script& exchange(const std::string& command, const std::string& untagged = "",
                     const std::string& answer = "OK done") {
        said_.push_back({command, untagged, answer});
        return *this;
    }
    /// Sent, and nothing comes back any more.
    Script& lost(const std::string& command) { return exchange(command, "", ""); }
    Script& append(const Script& more) {
        said_.insert(said_.end(), more.said_.begin(), more.said_.end());
        return *this;
    }
    Script& select(std::uint32_t uid_validity = validity, const std::string& answer = "OK [READ-WRITE] done") {
        return exchange("SELECT INBOX", fmt::format("* 9 EXISTS\r\n* OK [UIDVALIDITY {}] v\r\n", uid_validity), answer);
    }
    Script& search(const std::string& criteria, const std::string& found) {
        return exchange("UID SEARCH " + criteria, "* SEARCH " + found + "\r\n");
    }
    Script& list(const std::string& pattern, const std::string& entries) {
        return exchange("LIST \"\" " + pattern, entries);
    }
    /// With tags from R1 on.
    [[nodiscard]] Turns turns() const {
        Turns turns;
        int tags = 0;
        for (const auto& [command, untagged, answer] : said_) {
            const auto tag = fmt::format("R{} ", ++tags);
            turns.push_back(client(tag + command + "\r\n"));
            if (!answer.empty()) turns.push_back(server(untagged + tag + answer + "\r\n"));
        }
        return turns;
    }

private:
    struct Exchange {
        std::string command, untagged, answer;
    };
    std::vector<Exchange> said_;
};

/// A mailbox whose ledger has messages with UIDs 1 to n, and one connection after the other to a played server.
struct Desk {
    SimulatedDisk disk;
    HandClock clock;
    asio::io_context context{1};
    queue::Inbox inbox{context.get_executor()};
    queue::ByteBudget budget{1 << 20};
    runtime::Counters counters;
    std::unique_ptr<store::File> lock;
    std::unique_ptr<store::Committer> committer;
    store::MailboxNumber mailbox = 0;
    store::FolderNumber folder = 0;

    explicit Desk(std::uint32_t messages, store::Seq acknowledged = 1000) {
        auto opened = store::open_store(disk, "/data", {});
        REQUIRE(opened.has_value());
        lock = std::move(opened->lock);
        committer = std::make_unique<store::Committer>(std::move(opened->store), std::move(opened->bodies), clock,
                                                       store::Committer::Options{});
        mailbox = *commit([](store::Workbench bench) { return bench.store.put_mailbox("box", "{}"); });
        folder = commit([this](store::Workbench bench) { return bench.store.folder(mailbox, "INBOX"); })->number;
        const auto made = commit([this](store::Workbench bench) -> Result<void> {
            const auto adopted = bench.store.adopt_folder(folder, validity, 0);
            if (!adopted) return adopted;
            return bench.store.subscribe("tickets", mailbox);
        });
        REQUIRE(made.has_value());
        for (std::uint32_t uid = 1; uid <= messages; ++uid) add(uid);
        acknowledge(std::min<store::Seq>(acknowledged, messages));
    }
    ~Desk() {
        committer->stop();
        context.restart();
        context.poll();
    }
    void settle() {
        for (;;) {
            context.restart();
            const auto handled = context.poll();
            const bool committed = committer->step();
            if (handled == 0 && !committed) return;
        }
    }
    template <class T>
    T result_of(awaitable<T> coroutine) {
        std::optional<T> result;
        asio::co_spawn(context, std::move(coroutine), [&result](std::exception_ptr failure, T value) {
            REQUIRE_FALSE(failure);
            result = std::move(value);
        });
        settle();
        REQUIRE(result.has_value());
        return std::move(*result);
    }
    template <class Work>
    auto commit(Work work) -> std::invoke_result_t<Work, store::Workbench> {
        return result_of(committer->run(inbox, std::move(work)));
    }
    [[nodiscard]] store::Millis now() const {
        return std::chrono::time_point_cast<std::chrono::milliseconds>(clock.wall());
    }
    void add(std::uint32_t uid, std::uint32_t uid_validity = validity) {
        const auto added = commit([&](store::Workbench bench) -> Result<store::Store::Added> {
            auto place = bench.bodies.append("Subject: x\r\n\r\n");
            if (!place) return place.error();
            store::Message message;
            message.mailbox = mailbox;
            message.folder = folder;
            message.uid_validity = uid_validity;
            message.uid = uid;
            message.received_at = now();
            message.id[0] = static_cast<unsigned char>(uid);
            message.id[1] = static_cast<unsigned char>(uid_validity);
            message.body = *place;
            return bench.store.add_message(message);
        });
        REQUIRE(added.has_value());
    }
    void acknowledge(store::Seq seq) {
        REQUIRE(commit([&](store::Workbench bench) {
                    return bench.store.acknowledge("tickets", mailbox, seq);
                }).has_value());
    }
    store::AfterState state() {
        const auto found =
            commit([this](store::Workbench bench) { return bench.store.folder_notes().after_state(folder); });
        return found->value_or(store::AfterState());
    }
    std::optional<store::CopyIntent> intent() {
        return *commit([this](store::Workbench bench) { return bench.store.folder_notes().copy_intent(folder); });
    }
    [[nodiscard]] retriever::IntakeHouse house() { return {*committer, inbox, budget, clock, counters}; }
};

}  // namespace after_desk

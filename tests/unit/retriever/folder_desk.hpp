#pragma once

#include <catch2/catch.hpp>

#include "engine/retriever/folder_intake.hpp"
#include "queue/store/open.hpp"
#include "tests/support/hand_clock.hpp"
#include "tests/support/scripted_stream.hpp"
#include "tests/support/simulated_disk.hpp"

/// A folder's intake between a server that is played from a script and a store.
namespace folder_desk {

using namespace retriever;
using support::HandClock;
using support::ScriptedStream;
using Turn = ScriptedStream::Turn;
using Who = Turn::Who;

inline Turn server(std::string bytes) { return {Who::server, std::move(bytes)}; }
inline Turn client(std::string bytes) { return {Who::client, std::move(bytes)}; }

inline const std::string greeting = "* OK [CAPABILITY IMAP4rev1] ready\r\n";

inline Turn fetch_of(int tag, const std::string& set) {
    return client("R" + std::to_string(tag) + " UID FETCH " + set +
                  " (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])\r\n");
}

/// "* SEQ FETCH (UID …": one message with a body that names it.
inline std::string message(int sequence, std::uint32_t uid, const std::string& body = "") {
    const auto text = body.empty() ? "Subject: " + std::to_string(uid) + "\r\n\r\nhello\r\n" : body;
    return "* " + std::to_string(sequence) + " FETCH (UID " + std::to_string(uid) + " BODY[] {" +
           std::to_string(text.size()) + "}\r\n" + text + ")\r\n";
}

/// A mailbox with its ledger, and one connection after the other to a server that is played from a script.
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
    std::optional<Unfinished> unfinished;
    std::string capabilities = "IMAP4rev1";
    std::string opens = "INBOX";  // the folder
    bool has_siblings = false;

    Desk() {
        auto opened = store::open_store(disk, "/data", {});
        REQUIRE(opened.has_value());
        lock = std::move(opened->lock);
        committer = std::make_unique<store::Committer>(std::move(opened->store), std::move(opened->bodies), clock,
                                                       store::Committer::Options{});
        mailbox = *commit([](store::Workbench bench) { return bench.store.put_mailbox("box", "{}"); });
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
    store::Folder folder() {
        return *commit([this](store::Workbench bench) { return bench.store.folder(mailbox, opens); });
    }
    std::vector<store::Pending> rows() {
        return *commit([number = folder().number](store::Workbench bench) { return bench.store.pending(number); });
    }
    std::vector<store::Pending> pending() {
        auto asked = rows();
        std::erase_if(asked, [](const store::Pending& row) { return row.attempts == 0; });
        return asked;
    }
    std::vector<std::uint32_t> awaited() {
        std::vector<std::uint32_t> uids;
        for (const auto& row : rows()) {
            if (row.attempts == 0) uids.push_back(row.uid);
        }
        return uids;
    }
    std::vector<std::uint32_t> stored() {
        const auto rows = commit([this](store::Workbench bench) { return bench.store.messages(mailbox, 0, 1000); });
        std::vector<std::uint32_t> uids;
        for (const auto& row : *rows) uids.push_back(row.uid);
        return uids;
    }
    std::string body_of(std::uint32_t uid) {
        return *commit([&](store::Workbench bench) -> Result<std::string> {
            const auto rows = bench.store.messages(mailbox, 0, 1000);
            for (const auto& row : *rows)
                if (row.uid == uid) return bench.bodies.read(row.body, 0, row.body.length);
            return std::string("none");
        });
    }

    struct Said {
        std::optional<Ended> opened;
        FolderIntake::Taken taken;
        std::string surprise;
        bool finished = false;
    };
    /// Greets, opens the folder, and takes what is new. The greeting and the answer to EXAMINE are put before `turns`.
    Said connect(std::vector<Turn> turns, std::uint32_t uid_next, std::uint32_t exists, std::uint32_t validity = 7,
                 config::Start start = {}) {
        std::vector<Turn> all{
            server("* OK [CAPABILITY " + capabilities + "] ready\r\n"), client("R1 EXAMINE " + opens + "\r\n"),
            server("* " + std::to_string(exists) + " EXISTS\r\n* OK [UIDVALIDITY " + std::to_string(validity) +
                   "] v\r\n* OK [UIDNEXT " + std::to_string(uid_next) + "] n\r\nR1 OK [READ-ONLY] done\r\n")};
        all.insert(all.end(), turns.begin(), turns.end());
        ScriptedStream stream(std::move(all));
        imap::Client client(stream, {}, {});
        REQUIRE(result_of(client.greet()).has_value());
        FolderIntake::Facts facts{"box", mailbox, opens, start, has_siblings};
        Intake::House house{*committer, inbox, budget, clock, counters};
        FolderIntake intake(std::move(facts), {}, house, {});
        Said said;
        said.opened = result_of(intake.open(client));
        if (!said.opened) {
            const bool stop = false;
            said.taken = result_of(intake.take_new(client, FolderIntake::Pendings::retry, stop, unfinished));
        }
        said.surprise = stream.surprise();
        said.finished = stream.finished();
        settle();
        return said;
    }
};

inline Turn search_of(int tag, const std::string& criteria) {
    return client("R" + std::to_string(tag) + " UID SEARCH " + criteria + "\r\n");
}
inline Turn search(int tag, int first) { return search_of(tag, "UID " + std::to_string(first) + ":*"); }
/// UIDs 1 to 4, which these servers never show, are awaited.
inline Turn search_past(int tag, int first) { return search_of(tag, "UID 1:4," + std::to_string(first) + ":*"); }
inline Turn found(int tag, const std::string& uids) {
    return server("* SEARCH " + uids + "\r\nR" + std::to_string(tag) + " OK done\r\n");
}
inline Turn done(int tag) { return server("R" + std::to_string(tag) + " OK done\r\n"); }

inline bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace folder_desk

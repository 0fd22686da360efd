// A folder whose UIDVALIDITY has changed: what comparing it with the ledger costs beside the protocol.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <iostream>
#include <memory>

#include "bench/benches.hpp"
#include "bench/measure.hpp"
#include "engine/retriever/fingerprint.hpp"
#include "engine/retriever/folder_intake.hpp"
#include "protocols/base/text.hpp"
#include "protocols/net/errc.hpp"
#include "queue/store/open.hpp"
#include "tests/support/directory.hpp"

namespace {

constexpr std::uint32_t before = 7;
constexpr std::uint32_t now = 8;
const std::string date = "02-Nov-2026 10:00:00 +0000";

std::string head_of(std::uint32_t number) {
    return fmt::format(
        "Received: from mx1.example.net (mx1.example.net [192.0.2.1]) by mail.example.org with ESMTPS id {0} for "
        "<desk@example.org>; Mon, 2 Nov 2026 10:00:00 +0000\r\nReceived: from client.example.net by mx1.example.net "
        "with "
        "ESMTPSA id {0}; Mon, 2 Nov 2026 09:59:58 +0000\r\nMessage-ID: <{0}.customer@example.net>\r\nDate: Mon, 2 Nov "
        "2026 "
        "09:59:57 +0000\r\nFrom: Customer {0} <customer{0}@example.net>\r\nSubject: Request {0} about "
        "something\r\n\r\n",
        number);
}

/// The server's side in the same thread: answers are made before they are asked for.
class Answers final : public net::Stream {
public:
    explicit Answers(std::uint32_t messages) : messages_(messages) {
        unread_ = "* OK [CAPABILITY IMAP4rev1] ready\r\n";
        heads_.reserve(messages);
        for (std::uint32_t number = 1; number <= messages; ++number) {
            const auto head = head_of(number);
            heads_.push_back(
                fmt::format("* {0} FETCH (UID {0} INTERNALDATE \"{1}\" BODY[HEADER.FIELDS (MESSAGE-ID DATE FROM "
                            "SUBJECT RECEIVED)] {{{2}}}\r\n{3})\r\n",
                            number, date, head.size(), head));
        }
    }
    std::string_view unread() const noexcept override { return std::string_view(unread_).substr(used_); }
    void consume(std::size_t bytes) override { used_ += bytes; }
    awaitable<Result<void>> read_more() override {
        unread_.erase(0, std::exchange(used_, 0));
        const auto piece = std::min<std::size_t>(to_come_.size() - come_, 64 * 1024);
        if (piece == 0) co_return net::errc::closed;
        unread_.append(to_come_, come_, piece);
        come_ += piece;
        co_return Result<void>();
    }
    awaitable<Result<void>> write(std::string_view bytes) override {
        to_come_.erase(0, std::exchange(come_, 0));
        for (const auto line : text::split(bytes, '\n')) answer(text::split(line, ' '));
        co_return Result<void>();
    }
    void allow(net::Pace) override {}
    awaitable<Result<void>> start_tls(const net::TlsClient&, std::string) override { co_return net::errc::closed; }
    bool encrypted() const noexcept override { return true; }
    void close() noexcept override {}
    std::string peer() const override { return "bench"; }
    Traffic traffic() const noexcept override { return {}; }

private:
    void answer(const std::vector<std::string_view>& words) {
        if (words.size() < 2) return;
        const auto& verb = words.size() > 2 && words[1] == "UID" ? words[2] : words[1];
        if (verb == "EXAMINE") {
            to_come_ += fmt::format("* {} EXISTS\r\n* OK [UIDVALIDITY {}] v\r\n* OK [UIDNEXT {}] n\r\n", messages_, now,
                                    messages_ + 1);
        } else if (verb == "SEARCH") {
            to_come_ += "* SEARCH";
            for (std::uint32_t uid = 1; uid <= messages_; ++uid) to_come_ += fmt::format(" {}", uid);
            to_come_ += "\r\n";
        } else if (verb == "FETCH") {
            const auto ends = text::split(words[3], ':');
            const auto last = *text::number<std::uint32_t>(ends.back());
            for (auto uid = *text::number<std::uint32_t>(ends.front()); uid <= last; ++uid) to_come_ += heads_[uid - 1];
        }
        to_come_ += fmt::format("{} OK done\r\n", words[0]);
    }

    std::uint32_t messages_;
    std::vector<std::string> heads_;
    std::string unread_, to_come_;
    std::size_t used_ = 0, come_ = 0;
};

/// The protocol alone.
class Nobody final : public imap::FetchSink {
public:
    Flow body_begins(const imap::FetchItem&, std::uint64_t) override { return Flow::go_on; }
    Flow body_bytes(std::string_view) override { return Flow::go_on; }
    Flow fetched(const imap::FetchItem&) override { return Flow::go_on; }
    void body_broken() noexcept override {}
    awaitable<Result<void>> room() override { co_return Result<void>(); }
};

awaitable<void> read_alone(imap::Client& client, std::uint32_t messages) {
    constexpr std::uint32_t slice = 1024;
    Nobody nobody;
    imap::Client::FetchPlan plan;
    plan.batch_uids *= 4;
    auto greeting = co_await client.greet();
    auto opened = co_await client.open("INBOX", imap::Client::Access::read_only);
    auto found = co_await client.search("UID 1:*");
    if (!greeting || !opened || !found) co_return;
    for (std::uint32_t first = 1; first <= messages; first += slice) {
        imap::UidSet uids;
        uids.add({first, std::min(messages, first + slice - 1)});
        auto fetched = co_await client.fetch_heads(std::move(uids), plan, nobody);
        if (!fetched) co_return;
    }
}

struct Compared {
    std::uint64_t stored = 0;
    std::string failed;
};

awaitable<Compared> compare(imap::Client& client, retriever::FolderIntake& intake) {
    Compared compared;
    const bool stop = false;
    std::optional<retriever::Unfinished> unfinished;
    auto greeting = co_await client.greet();
    if (!greeting) compared.failed = greeting.error().message();
    if (!greeting) co_return compared;
    auto ended = co_await intake.open(client);
    if (ended) compared.failed = ended->reason;
    if (ended) co_return compared;
    auto taken = co_await intake.take_new(client, retriever::FolderIntake::Pendings::retry, stop, unfinished);
    if (taken.ended) compared.failed = taken.ended->reason;
    compared.stored = taken.stored;
    co_return compared;
}

/// Everything in one thread: the committer takes its steps when nobody else has anything to do.
struct House {
    asio::io_context context{1};
    queue::Inbox inbox{context.get_executor()};
    queue::ByteBudget budget{64 << 20};
    runtime::Counters counters;
    SystemClock clock;
    std::unique_ptr<store::Committer> committer;

    void settle() {
        for (;;) {
            context.restart();
            const auto handled = context.poll();
            const bool committed = committer && committer->step();
            if (handled == 0 && !committed) return;
        }
    }
    template <class T>
    T result_of(awaitable<T> coroutine) {
        std::optional<T> result;
        asio::co_spawn(context, std::move(coroutine), [&result](std::exception_ptr failure, T value) {
            if (failure) std::rethrow_exception(failure);
            result = std::move(value);
        });
        settle();
        return std::move(result).value();
    }
};

Result<void> fill(store::Store& store, store::MailboxNumber mailbox, std::uint32_t from, std::uint32_t to) {
    const auto folder = store.folder(mailbox, "INBOX");
    if (!folder) return folder.error();
    for (auto number = from; number <= to; ++number) {
        store::Message message;
        message.mailbox = mailbox;
        message.folder = folder->number;
        message.uid_validity = before;
        message.uid = number + 1000;
        message.id = retriever::message_id_of("box", "INBOX", before, message.uid);
        message.fingerprint = retriever::fingerprint_of(head_of(number), date);
        message.body = {1, number * 100ULL, 50, 0};
        const auto added = store.add_message(message);
        if (!added) return added.error();
    }
    return store.move_cursor(folder->number, before, to + 1000);
}

}  // namespace

int bench_renumbering(int argc, char** argv) {
    std::uint32_t messages = 100'000;
    CLI::App app(
        "Compares a folder whose UIDVALIDITY has changed with the ledger, in one thread, beside reading the heads "
        "alone",
        "rohrpost-bench renumbering");
    app.add_option("--messages", messages, "In the folder, all of them known")->capture_default_str();
    CLI11_PARSE(app, argc, argv);

    const support::TemporaryDirectory home;
    store::SystemDisk disk;
    auto opened = store::open_store(disk, home.path(), {});
    if (!opened) return 74;
    House house;
    house.committer = std::make_unique<store::Committer>(std::move(opened->store), std::move(opened->bodies),
                                                         house.clock, store::Committer::Options{});
    const auto commit = [&house](auto work) {
        return house.result_of(house.committer->run(house.inbox, std::move(work)));
    };
    const auto mailbox = *commit([](store::Workbench bench) { return bench.store.put_mailbox("box", "{}"); });
    commit([mailbox](store::Workbench bench) {
        return bench.store.adopt_folder(bench.store.folder(mailbox, "INBOX")->number, before, 0);
    });
    for (std::uint32_t from = 1; from <= messages; from += 5000) {
        const auto to = std::min(messages, from + 4999);
        const auto filled = commit([=](store::Workbench bench) { return fill(bench.store, mailbox, from, to); });
        if (!filled) return 74;
    }

    Answers alone(messages), compared(messages);
    imap::Client first(alone, {}, {}), second(compared, {}, {});
    const bench::Stopwatch protocol;
    asio::co_spawn(house.context, read_alone(first, messages), asio::detached);
    house.settle();
    const auto protocol_seconds = protocol.cpu_seconds();

    retriever::FolderIntake::Facts facts{"box", mailbox, "INBOX", {}};
    retriever::IntakeHouse place{*house.committer, house.inbox, house.budget, house.clock, house.counters};
    retriever::FolderIntake intake(std::move(facts), {}, place, {});
    const bench::Stopwatch all;
    const auto outcome = house.result_of(compare(second, intake));
    const auto seconds = all.seconds(), cpu_seconds = all.cpu_seconds();
    const auto row = *commit([mailbox](store::Workbench bench) {
        return bench.store.accounting().renumbering(bench.store.folder(mailbox, "INBOX")->number);
    });
    house.committer->stop();
    house.settle();
    const auto per_message = [messages](double spent) { return spent * 1e6 / messages; };
    const boost::json::object line{{"bench", "renumbering"},
                                   {"messages", messages},
                                   {"recognised", row->recognised},
                                   {"new", row->fresh},
                                   {"stored", outcome.stored},
                                   {"failed", outcome.failed},
                                   {"seconds", seconds},
                                   {"cpu_us_per_message", per_message(cpu_seconds)},
                                   {"protocol_cpu_us_per_message", per_message(protocol_seconds)},
                                   {"beside_protocol_cpu_us_per_message", per_message(cpu_seconds - protocol_seconds)},
                                   {"peak_rss_bytes", bench::peak_rss_bytes()}};
    std::cout << boost::json::serialize(line) << std::endl;
    return outcome.failed.empty() && row->recognised == messages ? 0 : 1;
}

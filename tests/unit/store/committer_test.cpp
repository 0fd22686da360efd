#include <catch2/catch.hpp>

#include <thread>

#include "queue/store/open.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace store;

namespace {

std::unique_ptr<Committer> committer_on(const Path& path, const Clock& clock, std::unique_ptr<File>& lock) {
    static SystemDisk disk;
    OpenFailure failure;
    auto opened = open_store(disk, path, {}, &failure);
    INFO(failure.sentence);
    REQUIRE(opened.has_value());
    lock = std::move(opened->lock);
    return std::make_unique<Committer>(std::move(opened->store), std::move(opened->bodies), clock,
                                       Committer::Options{});
}

/// Stores one message in the mailbox "m".
Result<Seq> keep(Workbench bench, std::uint32_t uid, std::string_view body) {
    const auto mailbox = bench.store.put_mailbox("m", "{}");
    if (!mailbox) return mailbox.error();
    const auto folder = bench.store.folder(*mailbox, "INBOX");
    if (!folder) return folder.error();
    const auto place = bench.bodies.append(body);
    if (!place) return place.error();
    Message message{.mailbox = *mailbox, .folder = folder->number, .uid_validity = 1, .uid = uid, .body = *place};
    message.id[0] = static_cast<unsigned char>(uid);
    const auto added = bench.store.add_message(message);
    if (!added) return added.error();
    return added->seq;
}

awaitable<void> keep_some(Committer& committer, queue::Inbox& home, std::uint32_t first, std::uint32_t count,
                          std::size_t& kept) {
    for (std::uint32_t uid = first; uid < first + count; ++uid) {
        auto work = [uid](Workbench bench) { return keep(bench, uid, "body " + std::to_string(uid)); };
        auto seq = co_await committer.run(home, std::move(work));
        if (seq) ++kept;
    }
}

}  // namespace

TEST_CASE("what several shards commit is there after a restart, each message once", "[store]") {
    TemporaryDirectory directory;
    const SystemClock clock;
    std::unique_ptr<File> lock;
    constexpr std::uint32_t shards = 3, coroutines = 5, messages = 10;
    {
        auto committer = committer_on(directory.path(), clock, lock);
        committer->start();
        std::atomic<std::size_t> kept{0};
        std::vector<std::thread> threads;
        std::vector<asio::io_context> contexts(shards);  // outlive the committer, which posts to them
        for (std::uint32_t shard = 0; shard < shards; ++shard) {
            threads.emplace_back([&committer, &kept, &context = contexts[shard], shard] {
                queue::Inbox inbox(context.get_executor());
                std::size_t here = 0;
                auto work = asio::make_work_guard(context);
                std::uint32_t running = coroutines;
                for (std::uint32_t each = 0; each < coroutines; ++each) {
                    const std::uint32_t from = 1 + (shard * coroutines + each) * messages;
                    asio::co_spawn(context, keep_some(*committer, inbox, from, messages, here),
                                   [&work, &running](std::exception_ptr) {
                                       if (--running == 0) work.reset();
                                   });
                }
                context.run();
                kept += here;
            });
        }
        for (auto& thread : threads) thread.join();
        CHECK(kept == shards * coroutines * messages);
        const auto stats = committer->stats();
        CHECK(stats.jobs == kept);
        CHECK(stats.groups <= stats.jobs);
        CHECK_FALSE(stats.stopped_by);
        committer->stop();
    }
    lock.reset();
    SystemDisk disk;
    auto again = open_store(disk, directory.path(), {});
    REQUIRE(again.has_value());
    CHECK(again->findings.empty());
    const auto mailbox = again->store->mailbox("m");
    REQUIRE(mailbox.has_value());
    const auto all = again->store->messages(mailbox->number, 0, 1000);
    REQUIRE(all.has_value());
    CHECK(all->size() == shards * coroutines * messages);
    Seq seq = 0;
    for (const auto& message : *all) {
        CHECK(message.seq == ++seq);
        const auto body = again->bodies->read(message.body, 0, message.body.length);
        REQUIRE(body.has_value());
        CHECK(*body == "body " + std::to_string(message.uid));
    }
}

TEST_CASE("a job after the stop hears that the store is closed", "[store]") {
    TemporaryDirectory directory;
    const SystemClock clock;
    std::unique_ptr<File> lock;
    auto committer = committer_on(directory.path(), clock, lock);
    committer->start();
    committer->stop();
    asio::io_context context;
    queue::Inbox inbox(context.get_executor());
    std::size_t kept = 0;
    bool ended = false;
    asio::co_spawn(context, keep_some(*committer, inbox, 1, 1, kept), [&ended](std::exception_ptr) { ended = true; });
    context.run();
    CHECK(ended);
    CHECK(kept == 0);
}

TEST_CASE("without a thread the committer goes step by step", "[store]") {
    TemporaryDirectory directory;
    const SystemClock clock;
    std::unique_ptr<File> lock;
    auto committer = committer_on(directory.path(), clock, lock);
    CHECK_FALSE(committer->step());
    asio::io_context context;
    queue::Inbox inbox(context.get_executor());
    std::size_t kept = 0;
    asio::co_spawn(context, keep_some(*committer, inbox, 1, 2, kept), asio::detached);
    for (int round = 0; round < 2; ++round) {
        context.restart();
        context.poll();
        CHECK(committer->step());
    }
    context.restart();
    context.poll();
    CHECK(kept == 2);
}

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <iostream>

#include "bench/benches.hpp"
#include "bench/counting_disk.hpp"
#include "bench/measure.hpp"
#include "protocols/base/clock.hpp"
#include "queue/store/open.hpp"

namespace {

struct Parameters {
    std::size_t producers = 64;
    std::size_t messages = 200'000;
    std::size_t bytes = 4096;
    std::size_t mailboxes = 64;
    std::size_t group = 64;
    std::string directory;
};

/// What all producers share; they run on one shard.
struct Run {
    const Parameters& parameters;
    store::Committer& committer;
    queue::Inbox& home;
    std::vector<store::Folder> folders;
    std::string body;
    std::size_t next = 0;
    std::size_t producing = 0;
    std::vector<double> latencies_us{};
    error_code failed{};
};

store::Message message_of(const store::Folder& folder, std::uint32_t uid, const store::BodyPlace& place) {
    store::Message message{
        .mailbox = folder.mailbox, .folder = folder.number, .uid_validity = 1, .uid = uid, .body = place};
    // Ids are digests: evenly spread.
    std::uint64_t mixed = (static_cast<std::uint64_t>(folder.number) << 32 | uid) * 0x9e3779b97f4a7c15ULL;
    for (auto& byte : message.id) {
        mixed ^= mixed >> 29;
        mixed *= 0xbf58476d1ce4e5b9ULL;
        byte = static_cast<unsigned char>(mixed >> 56);
    }
    return message;
}

awaitable<void> produce(Run& run) {
    while (run.next < run.parameters.messages && !run.failed) {
        const std::size_t number = run.next++;
        const store::Folder& folder = run.folders[number % run.folders.size()];
        const auto uid = static_cast<std::uint32_t>(1 + number / run.folders.size());
        auto keep = [&folder, uid, body = run.body](store::Workbench bench) -> Result<store::Seq> {
            const auto place = bench.bodies.append(body);
            if (!place) return place.error();
            const auto added = bench.store.add_message(message_of(folder, uid, *place));
            if (!added) return added.error();
            const auto moved = bench.store.move_cursor(folder.number, folder.uid_validity, uid);
            if (!moved) return moved.error();
            return added->seq;
        };
        const auto begun = std::chrono::steady_clock::now();
        const auto kept = co_await run.committer.run(run.home, std::move(keep));
        const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begun;
        run.latencies_us.push_back(took.count());
        if (!kept) run.failed = kept.error();
    }
}

Result<std::vector<store::Folder>> make_folders(store::Store& store, std::size_t count) {
    std::vector<store::Folder> folders;
    const auto begun = store.begin();
    if (!begun) return begun.error();
    for (std::size_t at = 0; at < count; ++at) {
        const auto mailbox = store.put_mailbox("mailbox-" + std::to_string(at), "{}");
        if (!mailbox) return mailbox.error();
        const auto folder = store.folder(*mailbox, "INBOX");
        if (!folder) return folder.error();
        const auto adopted = store.adopt_folder(folder->number, 1, 0);
        if (!adopted) return adopted.error();
        folders.push_back(*folder);
        folders.back().uid_validity = 1;
    }
    const auto committed = store.commit();
    if (!committed) return committed.error();
    return folders;
}

/// Groups of bodies and one sync each, nothing else: what the disk gives at best. Messages per second.
Result<double> floor_of(store::Disk& disk, const Parameters& parameters) {
    const store::Path path = store::Path(parameters.directory) / "floor";
    auto file = disk.open(path, store::Disk::Mode::create);
    if (!file) return file.error();
    const std::string group(parameters.bytes * parameters.group, 'x');
    const std::size_t groups = std::max<std::size_t>(1, parameters.messages / 4 / parameters.group);
    const bench::Stopwatch watch;
    for (std::size_t at = 0; at < groups; ++at) {
        const auto written = (*file)->write(group, at * group.size());
        if (!written) return written.error();
        const auto synced = (*file)->sync();
        if (!synced) return synced.error();
    }
    const double rate = static_cast<double>(groups * parameters.group) / watch.seconds();
    const auto removed = disk.remove(path);
    if (!removed) return removed.error();
    return rate;
}

int failed(std::string_view what, error_code reason) {
    std::cerr << what << ": " << reason.message() << '\n';
    return 74;  // EX_IOERR
}

}  // namespace

int bench_store(int argc, char** argv) {
    Parameters parameters;
    CLI::App app("Durable messages per second through the committer, closed loop, beside bare appends.");
    app.add_option("--producers", parameters.producers, "coroutines that each wait for their message")
        ->capture_default_str();
    app.add_option("--messages", parameters.messages, "in all")->capture_default_str();
    app.add_option("--bytes", parameters.bytes, "of each body")->capture_default_str();
    app.add_option("--mailboxes", parameters.mailboxes, "taken in turn")->capture_default_str();
    app.add_option("--group", parameters.group, "bodies to one sync of the bare appends")->capture_default_str();
    app.add_option("--directory", parameters.directory, "an empty one on the disk to measure")->required();
    CLI11_PARSE(app, argc, argv);

    bench::CountingDisk disk;
    store::OpenFailure failure;
    auto opened = store::open_store(disk, store::Path(parameters.directory) / "data", {}, &failure);
    if (!opened) return failed(failure.sentence, failure.reason);
    const auto floor = floor_of(disk, parameters);
    if (!floor) return failed("bare appends", floor.error());
    const auto folders = make_folders(*opened->store, parameters.mailboxes);
    if (!folders) return failed("folders", folders.error());

    const SystemClock clock;
    const bench::SyscallCounter syscalls;  // before the committer's thread
    store::Committer committer(std::move(opened->store), std::move(opened->bodies), clock, {});
    committer.start();
    asio::io_context shard(1);
    queue::Inbox home(shard.get_executor());
    Run run{parameters, committer, home, *folders, std::string(parameters.bytes, 'm')};
    run.latencies_us.reserve(parameters.messages);
    auto work = asio::make_work_guard(shard);
    run.producing = parameters.producers;
    const auto syncs_before = disk.counts().syncs.load();
    const auto writes_before = disk.counts().writes.load();
    const auto bytes_before = disk.counts().written_bytes.load();
    const bench::Stopwatch watch;
    for (std::size_t at = 0; at < parameters.producers; ++at) {
        asio::co_spawn(shard, produce(run), [&run, &work](std::exception_ptr) {
            if (--run.producing == 0) work.reset();
        });
    }
    shard.run();
    const double seconds = watch.seconds();
    const double cpu = watch.cpu_seconds();
    const auto syscalls_made = syscalls.count();
    committer.stop();
    if (run.failed) return failed("a message", run.failed);

    const auto count = static_cast<double>(run.latencies_us.size());
    const auto stats = committer.stats();
    const boost::json::object line{
        {"bench", "store"},
        {"loop", "closed"},
        {"messages_per_second", count / seconds},
        {"p50_us", bench::percentile(run.latencies_us, 0.5)},
        {"p99_us", bench::percentile(run.latencies_us, 0.99)},
        {"cpu_us_per_message", cpu * 1e6 / count},
        {"bare_appends_per_second", *floor},
        {"messages_per_group", count / static_cast<double>(stats.groups)},
        {"fsyncs_per_message", static_cast<double>(disk.counts().syncs - syncs_before) / count},
        {"syscalls_per_message", bench::per_message(syscalls_made, count)},
        {"writes_per_message", static_cast<double>(disk.counts().writes - writes_before) / count},
        {"written_per_body_byte", static_cast<double>(disk.counts().written_bytes - bytes_before) /
                                      (count * static_cast<double>(parameters.bytes))},
        {"peak_rss_bytes", bench::peak_rss_bytes()},
        {"producers", parameters.producers},
        {"messages", run.latencies_us.size()},
        {"bytes", parameters.bytes},
        {"mailboxes", parameters.mailboxes}};
    std::cout << boost::json::serialize(line) << '\n';
    return 0;
}

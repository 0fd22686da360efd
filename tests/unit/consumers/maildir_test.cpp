#include <catch2/catch.hpp>

#include "tests/unit/consumers/fixture.hpp"

using namespace consumers;
using namespace consumers_test;

namespace {

struct Bench {
    Folder folder;
    MemoryBodies bodies;
    FailingFiles files;
    SystemClock clock;
    std::vector<store::Message> messages;

    void add(std::string body) {
        store::Message message;
        message.seq = static_cast<store::Seq>(messages.size() + 1);
        message.id[0] = static_cast<unsigned char>(message.seq);
        message.id[15] = 0xab;
        message.received_at = store::Millis(std::chrono::seconds(1'700'000'000));
        message.body = bodies.put(std::move(body));
        messages.push_back(message);
    }
    [[nodiscard]] std::vector<Mail> mails(bool possible_repeat, std::size_t from = 0) const {
        std::vector<Mail> batch;
        for (std::size_t i = from; i < messages.size(); ++i)
            batch.push_back(
                {.record = messages[i], .mailbox = "support", .bodies = &bodies, .possible_repeat = possible_repeat});
        return batch;
    }
    Maildir maildir(config::Consumer::Sync sync = config::Consumer::Sync::batch, const std::string& path = "box") {
        return Maildir({.path = folder / path, .sync = sync}, files, clock);
    }
    [[nodiscard]] std::string body(std::size_t index, const std::string& where = "box/new") const {
        return bytes_of(folder / (where + "/" + maildir_name(messages[index])));
    }
};

Delivered deliver(Maildir& maildir, const std::vector<Mail>& batch) {
    asio::io_context context;
    Delivered delivered;
    asio::co_spawn(context, maildir.deliver(batch), [&](std::exception_ptr failure, Delivered answer) {
        REQUIRE_FALSE(failure);
        delivered = std::move(answer);
    });
    context.run();
    return delivered;
}

}  // namespace

TEST_CASE("a Maildir gets exactly the bytes received", "[consumers]") {
    Bench bench;
    bench.add("Subject: a\r\n\r\nline\r\n.\r\nlast without end");
    bench.add(std::string("From x\n\0bare\rends\n", 18));
    bench.add("");
    std::string large;
    for (int i = 0; large.size() < 3'000'000; ++i) large += std::to_string(i) + "\r\n";
    bench.add(large);
    auto maildir = bench.maildir();
    const auto delivered = deliver(maildir, bench.mails(false));
    CHECK(delivered.count == 4);
    CHECK(delivered.reason.empty());
    CHECK(bench.body(0) == "Subject: a\r\n\r\nline\r\n.\r\nlast without end");
    CHECK(bench.body(1) == std::string("From x\n\0bare\rends\n", 18));
    CHECK(bench.body(2).empty());
    CHECK(bench.body(3) == large);
    CHECK(bench.bodies.largest_read <= BodyReader::piece_bytes);
    CHECK(names_in(bench.folder / "box/new").size() == 4);
    CHECK(names_in(bench.folder / "box/tmp").empty());
    const auto mode = fs::status(bench.folder / "box/new").permissions();
    CHECK(mode == fs::perms::owner_all);
}

TEST_CASE("a batch is synced once before it becomes visible, and once after", "[consumers]") {
    Bench bench;
    for (int i = 0; i < 10; ++i) bench.add("mail");
    auto maildir = bench.maildir();
    CHECK(deliver(maildir, bench.mails(false)).count == 10);
    CHECK(bench.files.count("sync_file_system") == 1);
    CHECK(bench.files.count("sync_directory") == 1);
    const auto& calls = bench.files.calls();
    const auto first = [&calls](std::string_view call) {
        return std::find_if(calls.begin(), calls.end(), [call](const auto& made) { return made.starts_with(call); });
    };
    CHECK(first("sync_file_system") < first("rename"));
    CHECK(calls.back() == "sync_directory");
}

TEST_CASE("a batch of many mailboxes is synced as one", "[consumers]") {
    Bench bench;
    for (int i = 0; i < 10; ++i) bench.add("mail");
    const std::vector<std::string> mailboxes{"a", "b", "c", "d", "e"};
    auto batch = bench.mails(false);
    for (std::size_t i = 0; i < batch.size(); ++i) batch[i].mailbox = mailboxes[i / 2];
    auto maildir = bench.maildir(config::Consumer::Sync::batch, "{mailbox}");
    CHECK(deliver(maildir, batch).count == 10);
    CHECK(bench.files.count("sync_file_system") == 2);
    CHECK(bench.files.count("sync_directory") == 0);
    for (const auto& mailbox : mailboxes) CHECK(names_in(bench.folder / (mailbox + "/new")).size() == 2);
}

TEST_CASE("one sick Maildir ends its batch, and the others' part of it counts", "[consumers]") {
    Bench bench;
    for (int i = 0; i < 3; ++i) bench.add("mail");
    std::ofstream(bench.folder / "b").put('x');
    auto batch = bench.mails(false);
    batch[0].mailbox = "a";
    batch[1].mailbox = "b";
    batch[2].mailbox = "c";
    auto maildir = bench.maildir(config::Consumer::Sync::batch, "{mailbox}");
    const auto delivered = deliver(maildir, batch);
    CHECK(delivered.count == 1);
    CHECK(delivered.reason.find("b/tmp: Not a directory") != std::string::npos);
    CHECK(names_in(bench.folder / "a/new").size() == 1);
    CHECK(deliver(maildir, {batch[2]}).count == 1);
}

TEST_CASE("each mail is synced by itself when there are few, or when asked to", "[consumers]") {
    Bench bench;
    for (int i = 0; i < 2; ++i) bench.add("mail");
    auto batch = bench.maildir();
    CHECK(deliver(batch, bench.mails(false)).count == 2);
    CHECK(bench.files.count("sync_file_system") == 0);
    for (int i = 0; i < 8; ++i) bench.add("mail");
    auto each = bench.maildir(config::Consumer::Sync::each, "other");
    bench.files.set({});
    CHECK(deliver(each, bench.mails(false)).count == 10);
    CHECK(bench.files.count("sync_file_system") == 0);
    CHECK(bench.files.count("sync_file") == 10);
}

TEST_CASE("a repeat is no second mail, wherever a reader has moved the first", "[consumers]") {
    Bench bench;
    for (int i = 0; i < 4; ++i) bench.add("mail " + std::to_string(i));
    {
        auto maildir = bench.maildir();
        REQUIRE(deliver(maildir, bench.mails(false)).count == 4);
    }
    const auto moved = maildir_name(bench.messages[1]);
    fs::rename(bench.folder / ("box/new/" + moved), bench.folder / ("box/cur/" + moved + ":2,FSa"));
    fs::rename(bench.folder / ("box/new/" + maildir_name(bench.messages[2])),
               bench.folder / ("box/cur/" + maildir_name(bench.messages[2])));
    bench.add("mail 4");

    auto restarted = bench.maildir();
    CHECK(deliver(restarted, bench.mails(true)).count == 5);
    CHECK(names_in(bench.folder / "box/new").size() == 3);
    CHECK(names_in(bench.folder / "box/cur").size() == 2);
    CHECK(bench.body(4) == "mail 4");

    bench.files.set({});
    CHECK(deliver(restarted, bench.mails(true)).count == 5);
    CHECK(bench.files.count("list") == 0);
    CHECK(bench.files.count("create") == 0);
}

TEST_CASE("undisturbed running lists nothing", "[consumers]") {
    Bench bench;
    bench.add("mail");
    auto maildir = bench.maildir();
    REQUIRE(deliver(maildir, bench.mails(false)).count == 1);
    bench.files.set({});
    bench.add("another");
    REQUIRE(deliver(maildir, bench.mails(false, 1)).count == 1);
    CHECK(bench.files.count("list") == 0);
    CHECK(bench.files.calls().size() == 5);  // create, write, sync, rename, sync
}

TEST_CASE("whichever file call fails, a repeat completes and doubles nothing", "[consumers][hostile-57][hostile-62]") {
    using How = FailingFiles::How;
    const auto how = GENERATE(How::once, How::crash);
    const auto sync = GENERATE(config::Consumer::Sync::batch, config::Consumer::Sync::each);
    bool reached_end = false;
    for (std::size_t at = 0; !reached_end; ++at) {
        CAPTURE(at, static_cast<int>(how));
        Bench bench;
        for (int i = 0; i < 4; ++i) bench.add("mail " + std::to_string(i));
        std::size_t acknowledged = 0;
        {
            auto maildir = bench.maildir(sync);
            bench.files.set({.how = how, .at = at});
            const auto delivered = deliver(maildir, bench.mails(false));
            reached_end = bench.files.calls().size() <= at;
            CHECK(delivered.reason.empty() == (delivered.count == 4));
            if (!delivered.reason.empty()) CHECK(delivered.reason.find("No space left") != std::string::npos);
            acknowledged = delivered.count;
            for (std::size_t i = 0; i < acknowledged; ++i) CHECK(bench.body(i) == "mail " + std::to_string(i));
            if (how == How::once && !reached_end) {  // the same process tries again
                bench.files.set({});
                auto rest = bench.mails(true, acknowledged);
                if (!rest.empty()) CHECK(deliver(maildir, rest).count == rest.size());
                acknowledged = 4;
            }
        }
        bench.files.set({});
        // A reader is quick, then the next process repeats what was not acknowledged.
        for (const auto& name : names_in(bench.folder / "box/new"))
            fs::rename(bench.folder / ("box/new/" + name), bench.folder / ("box/cur/" + name + ":2,S"));
        auto restarted = bench.maildir(sync);
        auto rest = bench.mails(true, acknowledged);
        if (!rest.empty()) CHECK(deliver(restarted, rest).count == rest.size());
        std::vector<std::string> bodies;
        for (const std::string folder : {"box/new", "box/cur"})
            for (const auto& name : names_in(bench.folder / folder))
                bodies.push_back(bytes_of(bench.folder / (folder + "/" + name)));
        std::sort(bodies.begin(), bodies.end());
        CHECK(bodies == std::vector<std::string>{"mail 0", "mail 1", "mail 2", "mail 3"});
    }
}

TEST_CASE("a damaged body is not delivered, and those before it are", "[consumers][hostile-58]") {
    Bench bench;
    bench.add("fine");
    bench.add(std::string(700'000, 'x'));
    bench.add("behind it");
    bench.bodies.damage(2);
    auto maildir = bench.maildir();
    const auto delivered = deliver(maildir, bench.mails(false));
    CHECK(delivered.count == 1);
    CHECK(delivered.fault == Delivered::Fault::message);
    CHECK(delivered.reason.starts_with("cannot read the body of"));
    CHECK(names_in(bench.folder / "box/new").size() == 1);
    CHECK(names_in(bench.folder / "box/tmp").empty());
}

TEST_CASE("a hostile mailbox id stays below the consumer's path", "[consumers][hostile-33]") {
    Bench bench;
    bench.add("mail");
    auto maildir = bench.maildir(config::Consumer::Sync::batch, "base/{mailbox}");
    for (const std::string_view mailbox : {std::string_view("../../escape"), std::string_view(".."),
                                           std::string_view("/etc"), std::string_view("a\0b", 3)}) {
        auto batch = bench.mails(false);
        batch.front().mailbox = mailbox;
        CHECK(deliver(maildir, batch).count == 1);
    }
    CHECK(names_in(bench.folder / "").size() == 1);
    CHECK(names_in(bench.folder / "base").size() == 4);
}

TEST_CASE("a Maildir that can't be made, or vanishes, is a reason, and a later attempt succeeds", "[consumers]") {
    Bench bench;
    bench.add("mail");
    std::ofstream(bench.folder / "box").put('x');  // a file where the directory should be
    auto maildir = bench.maildir();
    const auto refused = deliver(maildir, bench.mails(false));
    CHECK(refused.count == 0);
    CHECK(refused.reason.find("box/tmp: Not a directory") != std::string::npos);
    fs::remove(bench.folder / "box");
    CHECK(deliver(maildir, bench.mails(true)).count == 1);

    fs::remove_all(bench.folder / "box");
    bench.add("another");
    CHECK(deliver(maildir, bench.mails(false, 1)).reason.find("No such file") != std::string::npos);
    CHECK(deliver(maildir, bench.mails(true, 1)).count == 1);
    CHECK(bench.body(1) == "another");
}

TEST_CASE("old leftovers of ours are removed, everything else stays", "[consumers]") {
    Bench bench;
    bench.add("mail");
    bench.add("not handed off again");
    fs::create_directories(bench.folder / "box/tmp");
    const auto leave = [&bench](const std::string& name, std::chrono::hours age) {
        std::ofstream(bench.folder / ("box/tmp/" + name)) << "half";
        fs::last_write_time(bench.folder / ("box/tmp/" + name), fs::file_time_type::clock::now() - age);
    };
    leave(maildir_name(bench.messages[1]), std::chrono::hours(37));
    bench.messages[1].id[3] = 9;
    leave(maildir_name(bench.messages[1]), std::chrono::hours(35));
    leave("1700000000.M1P2.other,S=4", std::chrono::hours(99));
    auto maildir = bench.maildir();
    CHECK(deliver(maildir, {bench.mails(false).front()}).count == 1);
    const std::vector<std::string> left{maildir_name(bench.messages[1]), "1700000000.M1P2.other,S=4"};
    CHECK(names_in(bench.folder / "box/tmp") == left);
}

TEST_CASE("more Maildirs than may be open at once are served in turn", "[consumers]") {
    Bench bench;
    for (int i = 0; i < 3; ++i) bench.add("mail");
    Maildir maildir({.path = bench.folder / "{mailbox}", .open_max = 2}, bench.files, bench.clock);
    std::vector<Mail> all;
    for (const std::string_view mailbox : {"a", "b", "c", "d"}) {
        all.push_back(bench.mails(false)[0]);
        all.back().mailbox = mailbox;
    }
    CHECK(deliver(maildir, all).count == 4);
    for (std::size_t i = 1; i < 3; ++i) {
        for (const std::string_view mailbox : {"a", "b", "c", "d"}) {
            auto mail = bench.mails(false)[i];
            mail.mailbox = mailbox;
            CHECK(deliver(maildir, {mail}).count == 1);
        }
    }
    for (const std::string mailbox : {"a", "b", "c", "d"})
        CHECK(names_in(bench.folder / (mailbox + "/new")).size() == 3);
}

TEST_CASE("file names give the message id back, with flags and without", "[consumers]") {
    store::Message message;
    for (std::size_t i = 0; i < 16; ++i) message.id[i] = static_cast<unsigned char>(i * 17);
    message.received_at = store::Millis(std::chrono::milliseconds(1'700'000'000'999));
    message.body.length = 4711;
    const auto name = maildir_name(message);
    CHECK(name == "1700000000.00112233445566778899aabbccddeeff.rohrpost,S=4711");
    CHECK(message_id_of(name) == message.id);
    CHECK(message_id_of(name + ":2,FRSTab") == message.id);
    for (const std::string_view foreign :
         {"", ".", "a.b", ".rohrpost,S=1", "1700000000.rohrpost,S=4", "1700000000.00112233.rohrpost,S=4",
          "1700000000.0011223344556677X899aabbccddeeff.rohrpost,S=4711", "1700000000.M1P2.host,S=3"})
        CHECK_FALSE(message_id_of(foreign));
}

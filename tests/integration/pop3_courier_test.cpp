// POP3 from a server that was written by others than Dovecot: Courier, with the real daemon.

#include "tests/integration/password_desk.hpp"

using namespace password_desk;
using support::eventually;

namespace {

Courier::Wish pop3_wish() {
    Courier::Wish wish;
    wish.serves = Courier::Serves::pop3;
    return wish;
}

struct Pop3Desk : Desk<Courier> {
    Pop3Desk() : Desk(pop3_wish()) { server.add(desk); }

    void serve(const std::string& after, std::string_view password = Courier::password) const {
        import(after, Consumer::maildir, {{ "protocol", "pop3" }}, password);
    }
    void put(const std::vector<std::string>& mails) {
        server.put(desk, mails);
        expected.insert(mails.begin(), mails.end());
    }
    [[nodiscard]] Bytes arrived() const {
        Bytes all;
        if (!std::filesystem::exists(daemon.maildir() / "new")) return all;
        for (const auto& entry : std::filesystem::directory_iterator(daemon.maildir() / "new"))
            all.insert(support::contents_of(entry.path()));
        return all;
    }

    Bytes expected;
};

std::string mail(std::uint32_t number, std::string_view body) {
    return fmt::format("From: a@sim.test\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: <{}@sim.test>\r\n\r\n{}", desk, number,
                       number, body);
}

std::vector<std::string> odd_mails() {
    return {
        mail(1, "an ordinary one\r\n"),
        mail(2,
             "Gr\xc3\xbc\xc3\x9f"
             "e \xff\xfe\x01\r\n"),
        mail(3, std::string(50'000, 'x') + "\r\n"),
        mail(4, ".\r\n..\r\n.a\r\n\r\n. \r\n" + std::string(5000, '.') + "\r\n.\r\n"),
        mail(5, "+OK 12 octets\r\n-ERR no\r\n\r\n"),
        sim::message_of(desk, 6, 300'000),  // streams
        sim::message_of(desk, 7, 9'000'000),
    };
}

}  // namespace

TEST_CASE("pop3: mail goes from Courier to the Maildir once, byte for byte, over restarts and a death of the server",
          "[servers][pop3]") {
    if (!support::server_roots_work()) return;
    Pop3Desk rig;
    rig.put(odd_mails());
    rig.serve("keep");
    CHECK(rig.daemon.run_until_idle() == 0);
    INFO(rig.logs());
    CHECK((rig.arrived() == rig.expected));
    rig.server.restart();
    rig.put({mail(100, "one more\r\n"), mail(101, "and one\r\n")});
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK((rig.arrived() == rig.expected));
    CHECK(rig.server.count(desk) == rig.expected.size());
}

TEST_CASE("pop3: Courier's mail is removed once it was handed off, and what is refused is told", "[servers][pop3]") {
    if (!support::server_roots_work()) return;
    Pop3Desk rig;
    rig.put({mail(1, "one\r\n"), mail(2, "two\r\n")});
    rig.serve("delete", "wrong");
    rig.daemon.start({"--poll-interval", "1s"});
    INFO(rig.logs());
    CHECK(eventually([&] { return rig.daemon.state_of("desk").find("needs help: the log-in") != std::string::npos; }));
    CHECK(rig.server.count(desk) == 2);
    rig.serve("delete");
    CHECK(rig.daemon.ask({"mailbox", "resume", "desk"}).exit_code == 0);
    CHECK(eventually([&] { return rig.server.count(desk) == 0; }));
    CHECK((rig.arrived() == rig.expected));
    rig.put({mail(3, "three\r\n")});
    CHECK(eventually([&] { return rig.arrived() == rig.expected && rig.server.count(desk) == 0; }));
    CHECK(rig.daemon.stop() == 0);
}

// Finding the way: names, addresses, proxies.
#include <sys/socket.h>

#include <condition_variable>
#include <map>
#include <mutex>

#include "protocols/net/reach.hpp"
#include "tests/unit/net/fixture.hpp"

using namespace net_test;
using namespace std::chrono_literals;

namespace {

/// Answers with what it was given.
class FixedResolver final : public net::Resolver {
public:
    explicit FixedResolver(std::vector<std::string> addresses) : addresses_(std::move(addresses)) {}
    awaitable<Result<std::vector<asio::ip::address>>> resolve(std::string, Monotonic) override {
        std::vector<asio::ip::address> answer;
        for (const auto& address : addresses_) answer.push_back(asio::ip::make_address(address));
        if (answer.empty()) co_return net::errc::name_not_found;
        co_return answer;
    }

private:
    std::vector<std::string> addresses_;
};

/// Answers each question from a list, and counts them.
class ListedResolver final : public net::Resolver {
public:
    using Answer = Result<net::Addresses>;
    ListedResolver(std::vector<Answer> answers, std::size_t& asked) : answers_(std::move(answers)), asked_(asked) {}
    awaitable<Answer> resolve(std::string, Monotonic) override { co_return answers_.at(asked_++); }

private:
    std::vector<Answer> answers_;
    std::size_t& asked_;
};

/// An address that swallows connections: its backlog is full.
class BlackHole {
public:
    explicit BlackHole(const std::string& address)
        : door_(context_, tcp::endpoint(asio::ip::make_address(address), 0), false) {
        ::listen(door_.native_handle(), 0);
        for (int i = 0; i < 4; ++i) {
            tcp::socket& filler = fillers_.emplace_back(context_);
            filler.open(tcp::v4());
            filler.native_non_blocking(true);
            const auto there = door_.local_endpoint();
            ::connect(filler.native_handle(), there.data(), static_cast<socklen_t>(there.size()));
        }
    }
    [[nodiscard]] std::uint16_t port() const { return door_.local_endpoint().port(); }

private:
    asio::io_context context_;
    tcp::acceptor door_;
    std::vector<tcp::socket> fillers_;
};

void greet(tcp::socket socket) {
    asio::write(socket, asio::buffer("hello", 5));
    drain(socket);
}

std::uint16_t port_nobody_listens_at() {
    asio::io_context context;
    tcp::acceptor door(context, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
    return door.local_endpoint().port();
}

net::SystemDialer::Options through(net::Proxy::Kind kind, std::uint16_t port, std::string user = {}) {
    net::Proxy proxy;
    proxy.kind = kind;
    proxy.host = "127.0.0.1";
    proxy.port = port;
    proxy.user = std::move(user);
    proxy.password = Secret("pass");
    return {.family = net::Family::any, .proxy = proxy};
}

/// A proxy that answers the CONNECT request with `answer`; what was asked goes to `asked`.
Peer::Part connect_proxy(std::string answer, std::string& asked) {
    return [answer = std::move(answer), &asked](tcp::socket socket) {
        std::array<char, 1024> piece{};
        while (asked.find("\r\n\r\n") == std::string::npos) {
            asked.append(piece.data(), socket.read_some(asio::buffer(piece)));
        }
        asio::write(socket, asio::buffer(answer));
        drain(socket);
    };
}

std::string read_bytes(tcp::socket& socket, std::size_t bytes) {
    std::string out(bytes, '\0');
    asio::read(socket, asio::buffer(out));
    return out;
}

}  // namespace

TEST_CASE("a refused connection and an unknown name are told apart", "[net][hostile-69]") {
    Caller caller;
    CHECK(caller.dial(to_plain(port_nobody_listens_at())).error() == net::errc::refused);
    Caller nameless(std::make_unique<FixedResolver>(std::vector<std::string>{}), {});
    CHECK(nameless.dial(to_plain(1, "no.such.host.example")).error() == net::errc::name_not_found);
}

TEST_CASE("the system's resolver knows localhost", "[net]") {
    Peer peer(greet);
    net::SystemDialer::Options options{.family = net::Family::ipv4, .proxy = {}};
    Caller caller(options);
    const auto stream = caller.dial(to_plain(peer.port(), "localhost"));
    REQUIRE(stream);
    CHECK(caller.result_of(take(**stream, 5)).value() == "hello");
}

TEST_CASE("a black hole in front does not keep us from the address that answers", "[net][hostile-69]") {
    const BlackHole hole("127.0.0.2");
    Peer peer(greet, "127.0.0.3", hole.port());
    Caller caller(std::make_unique<FixedResolver>(std::vector<std::string>{"127.0.0.2", "127.0.0.3"}), {});
    const auto began = std::chrono::steady_clock::now();
    const auto stream = caller.dial(to_plain(peer.port(), "mail.example"));
    REQUIRE(stream);
    CHECK(std::chrono::steady_clock::now() - began >= 250ms);
    CHECK((*stream)->peer() == "mail.example:" + std::to_string(peer.port()) + " (127.0.0.3)");
}

TEST_CASE("an address that refuses is followed by the next at once", "[net]") {
    Peer peer(greet, "127.0.0.3");
    Caller caller(std::make_unique<FixedResolver>(std::vector<std::string>{"::1", "127.0.0.2", "127.0.0.3"}), {});
    const auto began = std::chrono::steady_clock::now();
    const auto stream = caller.dial(to_plain(peer.port(), "mail.example"));
    REQUIRE(stream);
    CHECK(std::chrono::steady_clock::now() - began < 240ms);
}

TEST_CASE("a name that leads to addresses out of reach is called at none of them, and at those within", "[net]") {
    Peer peer(greet, "127.0.0.3");
    auto to = to_plain(peer.port(), "hooks.example");
    auto reach = std::make_shared<net::Reach>();
    to.reach = reach;
    const auto call = [&](std::vector<std::string> addresses, net::Dial dial) {
        Caller caller(std::make_unique<FixedResolver>(std::move(addresses)), {});
        const auto stream = caller.dial(std::move(dial));
        return stream ? (*stream)->peer() : stream.error().message();
    };
    const auto refusal = make_error_code(net::errc::out_of_reach).message();
    CHECK(call({"127.0.0.3", "10.0.0.1"}, to) == refusal);
    to.host = "127.0.0.3";
    CHECK(call({}, to) == refusal);
    to.host = "hooks.example";
    REQUIRE(reach->allow("127.0.0.3"));
    CHECK_THAT(call({"127.0.0.2", "127.0.0.3"}, to), Catch::EndsWith("(127.0.0.3)"));
}

TEST_CASE("only black holes: the time is over", "[net][hostile-69]") {
    const BlackHole hole("127.0.0.2");
    Caller caller(std::make_unique<FixedResolver>(std::vector<std::string>{"127.0.0.2"}), {});
    auto to = to_plain(hole.port(), "mail.example");
    to.within = 50ms;
    CHECK(caller.dial(std::move(to)).error() == net::errc::timed_out);
}

TEST_CASE("a wrong family leaves no address", "[net]") {
    net::SystemDialer::Options options{.family = net::Family::ipv6, .proxy = {}};
    Caller caller(std::make_unique<FixedResolver>(std::vector<std::string>{"127.0.0.2"}), options);
    CHECK(caller.dial(to_plain(1, "mail.example")).error() == net::errc::name_not_found);
}

TEST_CASE("through an HTTP proxy, the far end's first words included", "[net]") {
    std::string asked;
    Peer peer(connect_proxy("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n* OK ready\r\n", asked));
    Caller caller(through(net::Proxy::Kind::http_connect, peer.port(), "user"));
    const auto stream = caller.dial(to_plain(143, "mail.example"));
    REQUIRE(stream);
    CHECK((*stream)->unread() == "* OK ready\r\n");
    CHECK(asked ==
          "CONNECT mail.example:143 HTTP/1.1\r\nHost: mail.example:143\r\n"
          "Proxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n");
}

TEST_CASE("TLS goes through an HTTP proxy to the host behind it", "[net]") {
    Trusted trusted;
    const auto tls = server_tls(trusted.authority.issue({}));
    std::string asked;
    Peer peer([&](tcp::socket socket) {
        std::array<char, 1024> piece{};
        while (asked.find("\r\n\r\n") == std::string::npos) {
            asked.append(piece.data(), socket.read_some(asio::buffer(piece)));
        }
        asio::write(socket, asio::buffer("HTTP/1.0 200 ok\r\n\r\n", 19));
        over_tls(tls, [](TlsSocket& stream) {
            asio::write(stream, asio::buffer("hello", 5));
            drain(stream);
        })(std::move(socket));
    });
    Caller caller(through(net::Proxy::Kind::http_connect, peer.port()));
    const auto stream = caller.dial(to_peer(peer, trusted, "localhost"));
    REQUIRE(stream);
    CHECK(caller.result_of(take(**stream, 5)).value() == "hello");
}

TEST_CASE("what an HTTP proxy says instead is told apart", "[net]") {
    const std::vector<std::pair<std::string, net::errc>> answers{
        {"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", net::errc::proxy_wants_login},
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", net::errc::proxy_refused},
        {"SSH-2.0-OpenSSH_9.2\r\n\r\n", net::errc::proxy_malformed},
        {"HTTP/1.1 2x0 what\r\n\r\n", net::errc::proxy_malformed},
        {std::string(20000, 'x'), net::errc::proxy_malformed},
    };
    for (const auto& [answer, fault] : answers) {
        CAPTURE(answer.substr(0, 40));
        std::string asked;
        Peer peer(connect_proxy(answer, asked));
        Caller caller(through(net::Proxy::Kind::http_connect, peer.port()));
        CHECK(caller.dial(to_plain(143, "mail.example")).error() == fault);
    }
    Peer hangs_up([](tcp::socket socket) {
        std::array<char, 1024> piece{};
        socket.read_some(asio::buffer(piece));
    });
    Caller caller(through(net::Proxy::Kind::http_connect, hangs_up.port()));
    CHECK(caller.dial(to_plain(143, "mail.example")).error() == net::errc::proxy_malformed);
}

TEST_CASE("through a SOCKS proxy, which resolves the name", "[net]") {
    const bool with_login = GENERATE(false, true);
    CAPTURE(with_login);
    std::string greeting;
    std::string login;
    std::string asked;
    Peer peer([&](tcp::socket socket) {
        greeting = read_bytes(socket, with_login ? 4 : 3);
        asio::write(socket, asio::buffer(with_login ? "\x05\x02" : "\x05\x00", 2));
        if (with_login) {
            login = read_bytes(socket, 11);
            asio::write(socket, asio::buffer("\x01\x00", 2));
        }
        asked = read_bytes(socket, 5 + 12 + 2);
        asio::write(socket, asio::buffer("\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50hello", 15));
        drain(socket);
    });
    Caller caller(through(net::Proxy::Kind::socks5, peer.port(), with_login ? "user" : ""));
    const auto stream = caller.dial(to_plain(993, "mail.example"));
    REQUIRE(stream);
    CHECK(caller.result_of(take(**stream, 5)).value() == "hello");
    CHECK(asked == std::string("\x05\x01\x00\x03\x0cmail.example\x03\xe1", 19));
    if (with_login) CHECK(login == "\x01\x04user\x04pass");
}

TEST_CASE("what a SOCKS proxy says instead is told apart", "[net]") {
    struct Case {
        std::string method;
        std::string answer;
        net::errc fault;
    };
    const std::vector<Case> cases{
        {std::string("\x05\xff", 2), "", net::errc::proxy_wants_login},
        {std::string("\x04\x00", 2), "", net::errc::proxy_malformed},
        {std::string("\x05\x01", 2), "", net::errc::proxy_malformed},
        {std::string("\x05\x00", 2), std::string("\x05\x05\x00\x01\0\0\0\0\0\0", 10), net::errc::refused},
        {std::string("\x05\x00", 2), std::string("\x05\x04\x00\x01\0\0\0\0\0\0", 10), net::errc::unreachable},
        {std::string("\x05\x00", 2), std::string("\x05\x02\x00\x01\0\0\0\0\0\0", 10), net::errc::proxy_refused},
        {std::string("\x05\x00", 2), std::string("\x05\x00\x00\x09\0\0\0\0\0\0", 10), net::errc::proxy_malformed},
        {std::string("\x05\x00", 2), std::string("HTTP/1.1 4", 10), net::errc::proxy_malformed},
    };
    for (const auto& [method, answer, fault] : cases) {
        CAPTURE(method, answer);
        Peer peer([&](tcp::socket socket) {
            read_bytes(socket, 3);
            asio::write(socket, asio::buffer(method));
            if (!answer.empty()) {
                read_bytes(socket, 19);
                asio::write(socket, asio::buffer(answer));
            }
            drain(socket);
        });
        Caller caller(through(net::Proxy::Kind::socks5, peer.port()));
        CHECK(caller.dial(to_plain(993, "mail.example")).error() == fault);
    }
}

TEST_CASE("a proxy that says nothing ends with the call's time", "[net]") {
    Peer peer([](tcp::socket socket) { drain(socket); });
    Caller caller(through(net::Proxy::Kind::socks5, peer.port()));
    auto to = to_plain(993, "mail.example");
    to.within = 50ms;
    CHECK(caller.dial(std::move(to)).error() == net::errc::timed_out);
}

TEST_CASE("a name that could not be found is asked for again, and a changed address is used at once",
          "[net][hostile-69]") {
    Peer old_place(greet, "127.0.0.4");
    Peer new_place(greet, "127.0.0.5", old_place.port());
    std::size_t asked = 0;
    std::vector<ListedResolver::Answer> answers{
        net::errc::name_not_found, net::errc::resolver_failed, net::errc::timed_out,
        net::Addresses{asio::ip::make_address("127.0.0.4")}, net::Addresses{asio::ip::make_address("127.0.0.5")}};
    Caller caller(std::make_unique<ListedResolver>(std::move(answers), asked), {});
    for (const auto failure : {net::errc::name_not_found, net::errc::resolver_failed, net::errc::timed_out})
        CHECK(caller.dial(to_plain(old_place.port(), "mail.example")).error() == failure);
    for (const char* address : {"127.0.0.4", "127.0.0.5"}) {
        const auto stream = caller.dial(to_plain(old_place.port(), "mail.example"));
        REQUIRE(stream.has_value());
        CHECK((*stream)->peer().find(address) != std::string::npos);
    }
    CHECK(asked == 5);
}

TEST_CASE("a name whose lookup hangs delays no other name, and holds one lookup however many ask",
          "[net][hostile-69]") {
    std::mutex mutex;
    std::condition_variable released;
    bool release = false;
    std::map<std::string, int> lookups;
    Shard shard;
    const auto look_up = [&](const std::string& host) -> Result<net::Addresses> {
        std::unique_lock lock(mutex);
        ++lookups[host];
        if (host.starts_with("dead")) released.wait(lock, [&] { return release; });
        return net::Addresses{asio::ip::make_address("127.0.0.6")};
    };
    net::SystemResolver resolver(shard.context, shard.timers, look_up);
    struct LetGo {
        std::function<void()> act;
        ~LetGo() { act(); }
    };
    const LetGo at_the_end{[&] {  // the resolver waits for its lookups
        const std::lock_guard lock(mutex);
        release = true;
        released.notify_all();
    }};
    constexpr int who_ask = 200;
    int timed_out = 0;
    const auto soon = shard.timers.now() + 50ms;
    for (int i = 0; i < who_ask; ++i) {
        asio::co_spawn(shard.context, resolver.resolve("dead" + std::to_string(i % 2) + ".example", soon),
                       [&](std::exception_ptr, Result<net::Addresses> answer) {
                           timed_out += answer.has_error() && answer.error() == net::errc::timed_out ? 1 : 0;
                       });
    }
    const auto later = shard.timers.now() + 10s;
    for (int i = 0; i < 20; ++i) {
        const auto answer = shard.result_of(resolver.resolve("live" + std::to_string(i) + ".example", later));
        REQUIRE(answer.has_value());
        CHECK(answer->front().to_string() == "127.0.0.6");
    }
    CHECK(shard.run_until([&] { return timed_out == who_ask; }));
    {
        const std::lock_guard lock(mutex);
        CHECK(lookups["dead0.example"] == 1);
        CHECK(lookups["dead1.example"] == 1);
        CHECK(lookups["live7.example"] == 1);
    }
    at_the_end.act();
    // What came late is not kept for the next one.
    const auto again = shard.timers.now() + 10s;
    int asked = 1;
    for (int tries = 0; asked < 2 && tries < 100; ++tries) {
        const auto answer = shard.result_of(resolver.resolve("dead0.example", again));
        REQUIRE(answer.has_value());
        const std::lock_guard lock(mutex);
        asked = lookups["dead0.example"];
    }
    CHECK(asked == 2);
}

TEST_CASE("the system's resolver tells an unknown name from one it could not ask about", "[net]") {
    const auto local = net::SystemResolver::ask_system("localhost");
    REQUIRE(local.has_value());
    CHECK_FALSE(local->empty());
    CHECK(local->front().is_loopback());
    // Longer than DNS allows: refused without asking anybody.
    CHECK(net::SystemResolver::ask_system(std::string(70, 'x') + ".example").has_error());
}

TEST_CASE("a server that speaks in the clear hears nothing but a TLS hello", "[net][hostile-2][hostile-5]") {
    Trusted trusted;
    std::string heard;
    {
        Peer peer([&heard](tcp::socket socket) {
            const std::string greeting = "* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN SASL-IR] in the clear\r\n";
            asio::write(socket, asio::buffer(greeting));
            boost::system::error_code ended;
            std::array<char, 4096> piece{};
            while (!ended) heard.append(piece.data(), socket.read_some(asio::buffer(piece), ended));
        });
        Caller caller;
        const auto stream = caller.dial(to_peer(peer, trusted));
        REQUIRE_FALSE(stream.has_value());
        CHECK((stream.error() == net::errc::tls_handshake_failed || stream.error() == net::errc::bytes_before_tls));
    }
    if (!heard.empty()) CHECK(heard[0] == 0x16);  // a handshake record, or nothing at all
    CHECK(heard.find("AUTHENTICATE") == std::string::npos);
    CHECK(heard.find("CAPABILITY") == std::string::npos);
}

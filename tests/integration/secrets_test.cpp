// A recognisable secret goes in, and is looked for in everything that comes out.

#include <fmt/format.h>

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include "protocols/base/base64.hpp"
#include "protocols/wait/asio.hpp"
#include "tests/support/line_client.hpp"
#include "tests/support/mail_rig.hpp"

using support::eventually;
using support::MailRig;

namespace json = boost::json;

namespace {

/// The secret, and the middle of its base 64 wherever it begins in what was encoded.
std::vector<std::string> spellings_of(const std::string& secret) {
    std::vector<std::string> spellings{secret};
    for (std::size_t before = 0; before < 3; ++before) {
        const std::string encoded = base64_encoded(std::string(before, '-') + secret);
        spellings.push_back(encoded.substr(4, encoded.size() - 8));
    }
    return spellings;
}

/// Where a secret was found; empty: nowhere.
class Search {
public:
    void add(const std::string& secret) {
        for (auto& spelling : spellings_of(secret)) spellings_.push_back(std::move(spelling));
    }
    void in(const std::string& place, const std::string& bytes) {
        ++places_;
        for (const std::string& spelling : spellings_)
            if (bytes.find(spelling) != std::string::npos) found_ += fmt::format("{} in {}\n", spelling, place);
    }
    void in(const std::filesystem::path& directory) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
            if (entry.is_regular_file()) in(entry.path().string(), support::contents_of(entry.path()));
    }
    [[nodiscard]] const std::string& found() const noexcept { return found_; }
    [[nodiscard]] std::size_t places() const noexcept { return places_; }

private:
    std::vector<std::string> spellings_;
    std::string found_;
    std::size_t places_ = 0;
};

/// What the console's address answers to GET /metrics. The daemon logs where it listens.
std::string metrics_of(const support::Daemon& daemon) {
    const std::string log = daemon.log();
    const std::string mark = "console address=127.0.0.1 port=";
    const auto at = log.find(mark);
    REQUIRE(at != std::string::npos);
    const auto port = static_cast<std::uint16_t>(std::stoul(log.substr(at + mark.size(), 5)));
    asio::io_context context;
    asio::ip::tcp::socket socket(context);
    socket.connect({asio::ip::make_address("127.0.0.1"), port});
    const std::string question = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    asio::write(socket, asio::buffer(question));
    std::string answer;
    boost::system::error_code ended;
    asio::read(socket, asio::dynamic_buffer(answer), ended);
    return answer;
}

}  // namespace

TEST_CASE("secrets: none is found in logs, answers, or files of the data directory", "[daemon][hostile-50]") {
    const std::string client_secret = "canary-of-the-client-secret-4711";
    MailRig::Wish wish;
    wish.mailboxes = 3;
    MailRig rig(wish);
    for (std::uint32_t box = 1; box <= 3; ++box) rig.put(box, 3);
    rig.provider.ask([](sim::World& world) {
        world.tokens.revoke(MailRig::address(3));  // what is refused may be quoted
        return 0;
    });
    auto document = rig.document();
    auto& credentials = document.at("credentials").as_array();
    credentials[0].as_object()["client_secret"] = json::object{{"value", client_secret}};
    auto& with_password = credentials[1].as_object();
    with_password.erase("client_id");
    with_password.erase("refresh_token");
    with_password["flow"] = "password";
    with_password["password"] = json::object{{"value", support::Dovecot::password}};
    const auto imported = rig.daemon.ask({"import", "-"}, json::serialize(document));
    REQUIRE(imported.exit_code == 0);

    rig.daemon.start({"--log-level", "trace"});
    REQUIRE(eventually([&] { return rig.daemon.state_of("box0001") == "idle"; }));
    REQUIRE(eventually([&] { return rig.daemon.state_of("box0002") == "idle"; }));
    REQUIRE(eventually([&] { return rig.daemon.state_of("box0003").starts_with("needs help"); }));

    Search search;
    search.add(client_secret);
    search.add(std::string(support::Dovecot::password));
    rig.provider.ask([&search](sim::World& world) {
        for (const std::uint32_t box : {1U, 3U}) {
            const std::string user = MailRig::address(box);
            search.add(world.tokens.first_refresh_token(user));
            const auto successor = world.tokens.refresh(world.tokens.first_refresh_token(user));
            // All of a user begin alike, and the daemon's own is the one before.
            if (successor) search.add(successor->refresh_token.substr(0, 24));
        }
        for (const std::string& token : world.tokens.access_tokens_of(MailRig::address(1))) search.add(token);
        return 0;
    });
    search.in("import's output", imported.output + imported.errors);
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{"export"},
                                               {"status", "--json"},
                                               {"mailbox", "list", "--json"},
                                               {"mailbox", "show", "box0001", "--json"},
                                               {"mailbox", "show", "box0003", "--json"}}) {
        const auto ran = rig.daemon.ask(words);
        CHECK(ran.exit_code == 0);
        search.in(words.front(), ran.output + ran.errors);
    }
    const auto metrics = metrics_of(rig.daemon);
    CHECK(metrics.find("rohrpost_mailboxes{") != std::string::npos);
    search.in("the metrics", metrics);
    search.in(rig.daemon.data());
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.daemon.log().size() > 1000);
    search.in("the log", rig.daemon.log());
    search.in(rig.daemon.data());
    CHECK(search.found() == "");
    CHECK(search.places() > 8);
}

#include <CLI/CLI.hpp>
#include <catch2/catch.hpp>
#include <fstream>

#include "engine/config/flags.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace config;
using namespace std::chrono_literals;

namespace {

RunFlags read(std::vector<std::string> words) {
    RunFlags flags;
    CLI::App app;
    declare(app, flags);
    std::reverse(words.begin(), words.end());
    app.parse(std::move(words));
    return flags;
}

std::string refusal(std::vector<std::string> words) {
    try {
        read(std::move(words));
    } catch (const CLI::ParseError& error) {
        return error.what();
    }
    return "accepted";
}

}  // namespace

TEST_CASE("sizes and durations have units", "[config]") {
    CHECK(size_of("0") == 0U);
    CHECK(size_of("64KiB") == 65536U);
    CHECK(size_of("3GiB") == 3ULL << 30);
    for (const auto* wrong :
         {"", "KiB", "1KB", "1.5MiB", "-1", "1 MiB", "99999999999999999999", "18446744073709551615GiB"}) {
        CAPTURE(wrong);
        CHECK_FALSE(size_of(wrong));
    }
    CHECK(duration_of("250ms") == 250ms);
    CHECK(duration_of("10s") == 10s);
    CHECK(duration_of("5min") == 5min);
    CHECK(duration_of("2h") == 2h);
    for (const auto* wrong : {"", "5", "5m", "5 s", "1001h", "s", "-1s", "9999999999999999999h"}) {
        CAPTURE(wrong);
        CHECK_FALSE(duration_of(wrong));
    }
}

TEST_CASE("endpoints are addresses with a port", "[config]") {
    CHECK(endpoint_of("127.0.0.1:0")->port == 0);
    CHECK(endpoint_of("[::1]:8025")->address == "::1");
    for (const auto* wrong : {"", "8025", "127.0.0.1", "localhost:1", "::1:80", "[127.0.0.1]:80", "127.0.0.1:70000"}) {
        CAPTURE(wrong);
        CHECK_FALSE(endpoint_of(wrong));
    }
    CHECK_FALSE(endpoint_of(std::string_view("127.0.0.1\0x:80", 14)));
}

TEST_CASE("flags of run are read into values", "[config]") {
    const auto flags = read({"--data",
                             "/d",
                             "--roles",
                             "retriever",
                             "--threads",
                             "3",
                             "--memory-budget",
                             "64MiB",
                             "--console",
                             "[::1]:0",
                             "--poll-interval",
                             "1min",
                             "--exit-when-idle",
                             "--ip-family",
                             "6",
                             "--proxy",
                             "socks5://proxy.test:1080",
                             "--log-format",
                             "json",
                             "--log-level",
                             "debug"});
    CHECK(flags.roles.retriever);
    CHECK_FALSE(flags.roles.console);
    CHECK(flags.threads == 3);
    CHECK(flags.memory_budget == 64ULL << 20);
    CHECK(flags.console.address == "::1");
    CHECK(flags.poll_interval == 1min);
    CHECK(flags.exit_when_idle);
    CHECK(flags.ip_family == IpFamily::v6);
    CHECK(flags.log_format == LogFormat::json);
    CHECK(flags.key_file.empty());
    CHECK(read({"--webhook-networks", "10.0.0.0/8,::1"}).webhook_networks ==
          std::vector<std::string>{"10.0.0.0/8", "::1"});
    CHECK(read({"--key-file", "/k"}).key_file == "/k");
    CHECK_FALSE(flags.smtp.listen.has_value());
    const auto smtp = read({"--smtp-listen", "[::1]:25", "--smtp-message-max", "1MiB", "--smtp-idle", "2s"}).smtp;
    CHECK(smtp.listen->port == 25);
    CHECK(smtp.message_bytes_max == 1U << 20U);
    CHECK(smtp.idle == 2s);
    CHECK(
        read({"--smtp-listen", "0.0.0.0:25", "--smtp-certificate", "c", "--smtp-private-key", "k"}).smtp.certificate ==
        "c");
}

TEST_CASE("flags out of their limits are refused in words", "[config]") {
    struct Case {
        std::vector<std::string> words;
        std::string said;
    };
    const auto given = GENERATE(values<Case>({
        {{"--alarm-patience", "0ms"}, "from 10ms to 1h"},
        {{"--webhook-networks", "10.0.0.1/8"}, "found \"10.0.0.1/8\", expected networks like"},
        {{"--webhook-networks", "10.0.0.0/8,"}, "expected networks like"},
        {{"--roles", "retriver"}, "found \"retriver\", expected"},
        {{"--idle-renew", "30min"}, "from 1s to 29min"},
        {{"--settling-time", "0ms"}, "from 10ms to 1h"},
        {{"--threads", "many"}, "a whole number from 0 to 1024"},
        {{"--memory-budget", "10"}, "a size from 1MiB"},
        {{"--store", "postgresql://x"}, "PostgreSQL is not in this version"},
        {{"--proxy", "ftp://x:1"}, "socks5://HOST:PORT"},
        {{"--log-level", "loud"}, "trace, debug, info, warn or error"},
        {{"--smtp-listen", "localhost:25"}, "an address and a port like 127.0.0.1:2525"},
        {{"--smtp-listen", "0.0.0.0:25"}, "can be reached from other machines"},
        {{"--smtp-listen", "[::1]:25", "--smtp-certificate", "c.pem"}, "--smtp-private-key"},
        {{"--smtp-require-auth"}, "--smtp-listen"},
        {{"--smtp-message-max", "1GiB"}, "from 64KiB to 256MiB"},
        {{"--smtp-recipients", "1001"}, "from 1 to 1000"},
        {{"--smtp-connections", "0"}, "from 1 to 100000"},
        {{"--smtp-idle", "10ms"}, "from 1s to 1h"},
        {{"--console", "0.0.0.0:8025"}, "--console-behind-proxy"},
        {{"--console", "[::]:8025"}, "can be reached from other machines"},
        {{"--console-certificate", "c.pem"}, "--console-private-key"},
        {{"--console-private-key", "k.pem"}, "--console-private-key"},
        {{"--console-certificate", "c.pem", "--console-private-key", "k.pem", "--external-url", "http://localhost"},
         "no https URL"},
        {{"--services-server", "http://services.test:8025"}, "https://HOST[:PORT]"},
        {{"--services-server", "https://services.test"}, "add --roles console"},
        {{"--roles", "console", "--services-server", "https://services.test"}, "--services-token-file"},
        {{"--services-token-file", "t"}, "goes together with --services-server"},
        {{"--services-ca", "ca.pem"}, "goes together with --services-server"},
    }));
    CHECK_THAT(refusal(given.words), Catch::Contains(given.said));
}

TEST_CASE("a console is reached from other machines with a certificate, or behind a proxy", "[config]") {
    CHECK(read({"--console", "0.0.0.0:443", "--console-certificate", "c", "--console-private-key", "k"})
              .console_certificate == "c");
    CHECK(read({"--console", "0.0.0.0:8025", "--console-behind-proxy"}).console_behind_proxy);
    CHECK(read({"--console", "0.0.0.0:8025", "--roles", "retriever"}).console.address == "0.0.0.0");
    CHECK(read({"--console", "127.0.0.2:8025"}).console.address == "127.0.0.2");
    const auto apart = read({"--roles", "console", "--services-server", "https://services.test:8025/",
                             "--services-token-file", "t", "--services-ca", "ca"});
    CHECK(apart.services_server == "https://services.test:8025/");
    CHECK(apart.services_ca == "ca");
}

TEST_CASE("a TOML file holds flags by name, the command line goes before it, unknown keys are refused", "[config]") {
    TemporaryDirectory folder;
    const std::string file = (folder.path() / "rohrpost.toml").string();
    std::ofstream(file) << "threads = 2\nfetch-batch = 7\nexit-when-idle = true\nconsole = \"127.0.0.1:1\"\n";
    const auto flags = read({"--config", file, "--threads", "5"});
    CHECK(flags.threads == 5);
    CHECK(flags.fetch_batch == 7);
    CHECK(flags.exit_when_idle);
    CHECK(flags.console.port == 1);
    std::ofstream(file) << "fetch-bach = 7\n";
    CHECK_THAT(refusal({"--config", file}), Catch::Contains("fetch-bach"));
}

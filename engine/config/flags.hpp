#pragma once

#include <CLI/App.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace config {

enum class IpFamily { any, v4, v6 };
enum class LogFormat { text, json };

/// Which parts of the daemon this process runs.
struct Roles {
    bool retriever = true;
    bool dispatcher = true;
    bool alarm = true;
    bool console = true;
};

/// An address to listen on.
struct Endpoint {
    std::string address;     // IPv4, or IPv6 without brackets
    std::uint16_t port = 0;  // 0: any free one
};

/// Where applications hand mail in over SMTP.
struct SmtpFlags {
    std::optional<Endpoint> listen;  // none: nowhere
    std::string certificate;         // PEM files; empty: no STARTTLS
    std::string private_key;
    bool require_auth = false;  // on loopback, too
    std::uint64_t message_bytes_max = 50ULL << 20U;
    std::uint32_t recipients_max = 1000;
    std::uint32_t connections_max = 256;
    std::uint32_t connections_of_peer_max = 128;
    std::chrono::milliseconds idle{std::chrono::minutes(5)};
};

/// The flags of `rohrpost run`, read and within their limits.
struct RunFlags {
    std::string data;
    Roles roles;
    std::uint32_t threads = 0;  // shards; 0: one for each processor
    std::uint32_t max_sessions = 10'000;
    std::uint32_t queue_capacity = 4096;                 // jobs for the committer
    std::uint64_t memory_budget = 256ULL * 1024 * 1024;  // bytes of mail in flight, over all shards
    std::chrono::milliseconds commit_interval{0};
    Endpoint console{.address = "127.0.0.1", .port = 8025};
    std::string console_certificate;  // PEM files; empty: plain HTTP
    std::string console_private_key;
    bool console_behind_proxy = false;
    SmtpFlags smtp;
    std::string services_server;  // not empty: this process is a console alone, without a store
    std::string services_token_file;
    std::string services_ca;   // empty: the system's authorities
    std::string external_url;  // without a slash at its end; empty: http(s)://localhost and the port of the console
    std::string key_file;      // empty: see secrets::find_key
    bool exit_when_idle = false;
    IpFamily ip_family = IpFamily::any;
    std::string proxy;  // socks5://HOST:PORT or http://HOST:PORT; empty: none
    std::string log_level = "info";
    LogFormat log_format = LogFormat::text;
    std::chrono::milliseconds poll_interval{std::chrono::minutes(5)};
    std::chrono::milliseconds idle_renew{std::chrono::minutes(9)};
    std::uint32_t fetch_batch = 64;  // messages
    std::chrono::milliseconds settling_time{std::chrono::minutes(1)};
    std::vector<std::string> webhook_networks;  // not public, and webhooks may go there: "10.0.0.0/8"
    std::chrono::milliseconds drain_grace{std::chrono::seconds(10)};
    std::string watch_server;  // not empty: the role alarm also tells what is wrong at that services server
    std::string watch_token_file;
    std::string watch_ca;  // empty: the system's authorities
    std::chrono::milliseconds alarm_patience{std::chrono::seconds(30)};
    std::chrono::milliseconds alarm_silence{std::chrono::minutes(30)};
    std::chrono::milliseconds alarm_queue_age{std::chrono::hours(1)};
};

/// Declares the flags on the command `run` and the TOML file of --config, whose keys are the flags' names. Parsing
/// `run` fills `flags`, which must outlive it; CLI::ParseError says what is wrong and what was expected.
void declare(CLI::App& run, RunFlags& flags);
/// Declares --ip-family and --proxy: how whoever goes out to providers does so.
void declare_way_out(CLI::App& command, RunFlags& flags);
/// Declares --data, which goes with every command.
void declare_data(CLI::App& command, std::string& data);

/// /var/lib/rohrpost for root; for others $XDG_STATE_HOME/rohrpost or ~/.local/state/rohrpost.
std::string default_data();

/// `64MiB`, `4KiB`, `1GiB`, or bytes alone. nullopt: none of these, or beyond 64 bits.
std::optional<std::uint64_t> size_of(std::string_view written);
/// `250ms`, `10s`, `5min`, `1h`. nullopt: none of these, or over 1000 hours.
std::optional<std::chrono::milliseconds> duration_of(std::string_view written);
/// Of an Endpoint's address.
bool is_loopback(const std::string& address);
/// `127.0.0.1:8025`, `[::1]:8025`. Names are not resolved.
std::optional<Endpoint> endpoint_of(std::string_view written);

}  // namespace config

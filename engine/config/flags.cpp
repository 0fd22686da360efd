#include "engine/config/flags.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdlib>
#include <functional>

#include "protocols/base/text.hpp"
#include "protocols/net/reach.hpp"

namespace config {
namespace {

[[noreturn]] void refuse(std::string_view flag, std::string_view found, std::string_view expected) {
    throw CLI::ValidationError(std::string(flag), fmt::format("found \"{}\", expected {}", found, expected));
}

void add(CLI::App& app, const std::string& flag, const std::string& type, const std::string& standard,
         const std::string& help, const std::function<void(const std::string&)>& take) {
    app.add_option_function<std::string>(flag, take, help)->type_name(type)->default_str(standard);
}

void add_number(CLI::App& app, const std::string& flag, const std::string& standard, std::uint32_t least,
                std::uint32_t most, const std::string& help, std::uint32_t& into) {
    add(app, flag, "NUMBER", standard, help, [=, &into](const std::string& written) {
        const auto number = text::number<std::uint32_t>(written);
        if (!number || *number < least || *number > most) {
            refuse(flag, written, fmt::format("a whole number from {} to {}", least, most));
        }
        into = *number;
    });
}

void add_duration(CLI::App& app, const std::string& flag, const std::string& standard, const std::string& least,
                  const std::string& most, const std::string& help, std::chrono::milliseconds& into) {
    add(app, flag, "DURATION", standard, help, [=, &into](const std::string& written) {
        const auto duration = duration_of(written);
        if (!duration || *duration < duration_of(least) || *duration > duration_of(most)) {
            refuse(flag, written,
                   fmt::format("a duration from {} to {}, in ms, s, min or h like {}", least, most, standard));
        }
        into = *duration;
    });
}

Roles roles_of(const std::string& written) {
    Roles roles{.retriever = false, .dispatcher = false, .alarm = false, .console = false};
    for (const std::string_view role : text::split(written, ',')) {
        if (role == "retriever") {
            roles.retriever = true;
        } else if (role == "console") {
            roles.console = true;
        } else if (role == "dispatcher") {
            roles.dispatcher = true;
        } else if (role == "alarm") {
            roles.alarm = true;
        } else {
            refuse("--roles", role,
                   "some of \"retriever\", \"dispatcher\", \"alarm\", \"console\" with commas between");
        }
    }
    return roles;
}

bool is_proxy(std::string_view written) {
    for (const std::string_view scheme : {"socks5://", "http://"}) {
        if (!written.starts_with(scheme)) continue;
        const std::string_view rest = written.substr(scheme.size());
        const auto colon = rest.rfind(':');
        if (colon == std::string_view::npos || colon == 0 || rest.find_first_of("/@ ") != std::string_view::npos)
            return false;
        const auto port = text::number<std::uint16_t>(rest.substr(colon + 1));
        return port && *port != 0;
    }
    return false;
}

/// Providers take http for a browser on the same machine alone.
bool is_external(std::string_view written) {
    if (written.ends_with('/')) written.remove_suffix(1);
    const bool secure = written.starts_with("https://");
    if (!secure && !written.starts_with("http://")) return false;
    const std::string_view place = written.substr(secure ? 8 : 7);
    if (place.empty() || place.find_first_of("/?#@ ") != std::string_view::npos) return false;
    const std::string_view host = place.substr(0, place.find(':'));
    return secure || host == "localhost" || host == "127.0.0.1";
}

void add_file(CLI::App& run, const std::string& flag, const std::string& standard, const std::string& help,
              std::string& into) {
    run.add_option(flag, into, help)->type_name("FILE")->default_str(standard);
}

void declare_console(CLI::App& run, RunFlags& flags) {
    add_file(run, "--console-certificate", "none: plain HTTP",
             "Certificate and chain of the console in PEM: it speaks TLS then; read again at SIGHUP",
             flags.console_certificate);
    add_file(run, "--console-private-key", "none", "The key of --console-certificate in PEM, without passphrase",
             flags.console_private_key);
    run.add_flag("--console-behind-proxy", flags.console_behind_proxy,
                 "A proxy in front terminates TLS: --console may be another address than loopback without a "
                 "certificate. What the proxy says in X-Forwarded-* is not believed; --external-url decides");
    add(run, "--services-server", "URL", "none",
        "Where the API of the services server is: this process is the console alone then, without a store (with "
        "--roles console)",
        [&](const std::string& written) {
            if (!is_external(written)) {
                refuse("--services-server", written, "https://HOST[:PORT] (http:// for localhost and 127.0.0.1 alone)");
            }
            flags.services_server = written;
        });
    add_file(run, "--services-token-file", "none", "Holds the API token of the services server; read again at SIGHUP",
             flags.services_token_file);
    add_file(run, "--services-ca", "the system's",
             "Authorities that the services server's certificate comes from (PEM)", flags.services_ca);
}

/// What flags demand of each other.
void demand(bool kept, const char* flag, const std::string& what) {
    if (!kept) throw CLI::ValidationError(flag, what);
}

void check_smtp(const RunFlags& flags) {
    const auto& smtp = flags.smtp;
    const bool tls = !smtp.certificate.empty();
    demand(tls == !smtp.private_key.empty(), "--smtp-certificate", "it goes together with --smtp-private-key");
    demand(smtp.listen || (!tls && !smtp.require_auth), "--smtp-listen",
           "it is missing; the other --smtp flags go together with it");
    demand(!smtp.listen || tls || is_loopback(smtp.listen->address), "--smtp-listen",
           fmt::format("{} can be reached from other machines, and mail and API token would go there in the clear: "
                       "give --smtp-certificate and --smtp-private-key (who sends has to log in then), or listen on "
                       "127.0.0.1",
                       smtp.listen ? smtp.listen->address : std::string()));
    demand(!smtp.listen || flags.services_server.empty(), "--smtp-listen",
           "a console alone (--services-server) takes no mail");
}

void check_console(const RunFlags& flags) {
    const bool tls = !flags.console_certificate.empty();
    demand(tls == !flags.console_private_key.empty(), "--console-certificate",
           "it goes together with --console-private-key");
    demand(!flags.roles.console || tls || flags.console_behind_proxy || is_loopback(flags.console.address), "--console",
           fmt::format("{} can be reached from other machines, and tokens would go there in the clear: give "
                       "--console-certificate and --console-private-key, or say --console-behind-proxy when a proxy "
                       "terminates TLS in front of it",
                       flags.console.address));
    demand(
        !tls || flags.external_url.empty() || flags.external_url.starts_with("https://"), "--external-url",
        fmt::format("{} is no https URL, but --console-certificate makes the console speak TLS", flags.external_url));
    const bool remote = !flags.services_server.empty();
    const bool console_alone =
        flags.roles.console && !flags.roles.retriever && !flags.roles.dispatcher && !flags.roles.alarm;
    demand(!remote || console_alone, "--services-server", "it makes this process a console alone: add --roles console");
    demand(remote == !flags.services_token_file.empty(), "--services-token-file",
           "it goes together with --services-server: the file holds that server's API token");
    demand(remote || flags.services_ca.empty(), "--services-ca", "it goes together with --services-server");
    const bool watches = !flags.watch_server.empty();
    demand(!watches || flags.roles.alarm, "--watch-server", "it is for the role alarm: add --roles alarm,dispatcher");
    demand(watches == !flags.watch_token_file.empty(), "--watch-token-file",
           "it goes together with --watch-server: the file holds that server's API token");
    demand(watches || flags.watch_ca.empty(), "--watch-ca", "it goes together with --watch-server");
}

void declare_smtp(CLI::App& run, SmtpFlags& flags) {
    add(run, "--smtp-listen", "ADDR:PORT", "none",
        "Takes mail of applications over SMTP there; port 0 takes any free one. Another address than loopback needs "
        "--smtp-certificate, and who sends has to log in (any user, the API token as password)",
        [&](const std::string& written) {
            const auto endpoint = endpoint_of(written);
            if (!endpoint) refuse("--smtp-listen", written, "an address and a port like 127.0.0.1:2525 or [::1]:2525");
            flags.listen = *endpoint;
        });
    add_file(run, "--smtp-certificate", "none: no STARTTLS",
             "Certificate and chain of the SMTP listener in PEM; read again at SIGHUP", flags.certificate);
    add_file(run, "--smtp-private-key", "none", "The key of --smtp-certificate in PEM, without passphrase",
             flags.private_key);
    run.add_flag("--smtp-require-auth", flags.require_auth,
                 "Who sends has to log in on loopback, too (any user, the API token as password)");
    add(run, "--smtp-message-max", "SIZE", "50MiB", "Bytes of one mail that comes in over SMTP",
        [&](const std::string& written) {
            const auto size = size_of(written);
            if (!size || *size < 64ULL << 10U || *size > 256ULL << 20U) {
                refuse("--smtp-message-max", written, "a size from 64KiB to 256MiB, in KiB or MiB");
            }
            flags.message_bytes_max = *size;
        });
    add_number(run, "--smtp-recipients", "1000", 1, 1000, "Recipients of one mail that comes in over SMTP",
               flags.recipients_max);
    add_number(run, "--smtp-connections", "256", 1, 100'000, "Connections of applications at the same time",
               flags.connections_max);
    add_number(run, "--smtp-connections-per-peer", "128", 1, 100'000, "Of these, from one address",
               flags.connections_of_peer_max);
    add_duration(run, "--smtp-idle", "5min", "1s", "1h", "How long an application may say nothing before it is left",
                 flags.idle);
}

void declare_network(CLI::App& run, RunFlags& flags) {
    add(run, "--console", "ADDR:PORT", "127.0.0.1:8025", "Where console and API listen; port 0 takes any free one",
        [&](const std::string& written) {
            const auto endpoint = endpoint_of(written);
            if (!endpoint) refuse("--console", written, "an address and a port like 127.0.0.1:8025 or [::1]:8025");
            flags.console = *endpoint;
        });
    declare_console(run, flags);
    add(run, "--external-url", "URL", "http(s)://localhost:PORT",
        "How browsers reach the console. URL/oauth/callback is the redirect URL to register at the provider",
        [&](const std::string& written) {
            if (!is_external(written)) {
                refuse("--external-url", written, "https://HOST[:PORT] without a path (http:// for localhost alone)");
            }
            flags.external_url = written;
            if (flags.external_url.ends_with('/')) flags.external_url.pop_back();
        });
    declare_way_out(run, flags);
}

void declare_work(CLI::App& run, RunFlags& flags) {
    add(run, "--roles", "ROLE,…", "retriever,dispatcher,alarm,console",
        "What this process does: retriever (fetches mail), dispatcher (sends mail), alarm (tells operators what is "
        "wrong), console (pages and API)",
        [&](const std::string& written) { flags.roles = roles_of(written); });
    add_number(run, "--threads", "0", 0, 1024, "Shards, one thread each; 0 is one for each processor", flags.threads);
    add_number(run, "--max-sessions", "10000", 1, 1'000'000, "Connections to providers at the same time",
               flags.max_sessions);
    add_number(run, "--queue-capacity", "4096", 2, 1U << 24U,
               "Jobs that wait for the next commit; sessions wait when it is full", flags.queue_capacity);
    add(run, "--memory-budget", "SIZE", "256MiB", "Bytes of mail in memory on the way to the store, over all shards",
        [&](const std::string& written) {
            const auto size = size_of(written);
            if (!size || *size < 1ULL << 20 || *size > 1ULL << 40) {
                refuse("--memory-budget", written, "a size from 1MiB to 1024GiB, in KiB, MiB or GiB");
            }
            flags.memory_budget = *size;
        });
    add_duration(run, "--commit-interval", "0ms", "0ms", "10s",
                 "Least time between two commits; 0ms is as fast as the disk, more saves writes",
                 flags.commit_interval);
    add_duration(run, "--poll-interval", "5min", "1s", "24h",
                 "How often a mailbox without push (IDLE) is looked at, and each folder but the first; over POP3 the "
                 "longest time between two visits, which mail shortens to a tenth of it",
                 flags.poll_interval);
    add_duration(run, "--idle-renew", "9min", "1s", "29min",
                 "How long one IDLE is trusted before the mailbox is looked at anyway", flags.idle_renew);
    add_number(run, "--fetch-batch", "64", 1, 10'000, "Messages asked for with one command", flags.fetch_batch);
    add_duration(run, "--settling-time", "1min", "10ms", "1h",
                 "How long a provider may take to show sent mail in Sent Items: a mail in doubt is looked for after "
                 "that, again after three times, and for the last time after ten times as long",
                 flags.settling_time);
    add_duration(
        run, "--alarm-patience", "30s", "10ms", "1h",
        "How long a dead grant must last before it is an alarm; for other faults it is a multiple of that. What "
        "happens within it goes into one mail, and the next mail goes out ten times as long after it",
        flags.alarm_patience);
    add_duration(run, "--alarm-silence", "30min", "10s", "24h",
                 "Alarm when for so long nothing has proved that a mailbox misses no mail", flags.alarm_silence);
    add_duration(run, "--alarm-queue-age", "1h", "1s", "48h", "Alarm when mail has waited for so long to be sent",
                 flags.alarm_queue_age);
    add(run, "--watch-server", "URL", "none",
        "A services server that this process watches for the role alarm, over its API: on another machine, so that "
        "somebody notices when that one is dead. Run it there without the role alarm",
        [&](const std::string& written) {
            if (!is_external(written)) {
                refuse("--watch-server", written, "https://HOST[:PORT] (http:// for localhost and 127.0.0.1 alone)");
            }
            flags.watch_server = written;
        });
    add_file(run, "--watch-token-file", "none", "Holds the API token of --watch-server; read again at SIGHUP",
             flags.watch_token_file);
    add_file(run, "--watch-ca", "the system's", "Authorities that the certificate of --watch-server comes from (PEM)",
             flags.watch_ca);
    add(run, "--webhook-networks", "NETWORKS", "none",
        "Private or local networks that webhooks may go to, with commas between: 10.0.0.0/8,127.0.0.1. Without it they "
        "go to public addresses alone, whatever their names lead to",
        [&](const std::string& written) {
            flags.webhook_networks.clear();
            for (const std::string_view network : text::split(written, ',')) {
                if (!net::Reach().allow(network))
                    refuse("--webhook-networks", network, "networks like 10.0.0.0/8 or fd00::/8, or addresses");
                flags.webhook_networks.emplace_back(network);
            }
        });
    add_duration(run, "--drain-grace", "10s", "0ms", "10min",
                 "How long sessions may finish their message after SIGTERM", flags.drain_grace);
    run.add_flag("--exit-when-idle", flags.exit_when_idle,
                 "End with 0 once every mailbox is caught up and every consumer has acknowledged");
}

}  // namespace

void declare_data(CLI::App& command, std::string& data) {
    data = default_data();
    command.add_option("--data", data, "Folder of the store, key and control socket")
        ->type_name("DIR")
        ->default_str(data);
}

void declare_way_out(CLI::App& command, RunFlags& flags) {
    add(command, "--ip-family", "any|4|6", "any", "Which addresses of providers are dialled",
        [&](const std::string& written) {
            if (written != "any" && written != "4" && written != "6") refuse("--ip-family", written, "any, 4 or 6");
            flags.ip_family = written == "4" ? IpFamily::v4 : written == "6" ? IpFamily::v6 : IpFamily::any;
        });
    add(command, "--proxy", "URL", "none", "Proxy to providers: socks5://HOST:PORT or http://HOST:PORT (CONNECT)",
        [&](const std::string& written) {
            if (!is_proxy(written)) refuse("--proxy", written, "socks5://HOST:PORT or http://HOST:PORT");
            flags.proxy = written;
        });
}

bool is_loopback(const std::string& address) {
    return address == "::1" || address.starts_with("127.");  // endpoint_of() takes numeric addresses alone
}

void declare(CLI::App& run, RunFlags& flags) {
    declare_data(run, flags.data);
    run.set_config("--config", "", "TOML file with these flags by name; the command line goes before it")
        ->type_name("FILE");
    run.allow_config_extras(CLI::config_extras_mode::error);
    declare_work(run, flags);
    declare_network(run, flags);
    declare_smtp(run, flags.smtp);
    add(run, "--store", "URL", "sqlite:", "The store; sqlite: keeps everything in the folder of --data",
        [](const std::string& written) {
            if (written.starts_with("postgres")) {
                throw CLI::ValidationError("--store", "PostgreSQL is not in this version; it has \"sqlite:\"");
            }
            if (written != "sqlite:") refuse("--store", written, "\"sqlite:\"");
        });
    run.add_option(
           "--key-file", flags.key_file,
           "The key that secrets are sealed with (32 bytes, mode 0600); made by the first start. Without this flag: "
           "the variable ROHRPOST_KEY (base64 or hexadecimal), the systemd credential rohrpost-key, or DIR/key")
        ->type_name("FILE")
        ->default_str("DIR/key");
    add(run, "--log-level", "LEVEL", "info", "trace, debug, info, warn or error", [&](const std::string& written) {
        for (const std::string_view level : {"trace", "debug", "info", "warn", "error"}) {
            if (written == level) flags.log_level = written;
        }
        if (flags.log_level != written) refuse("--log-level", written, "trace, debug, info, warn or error");
    });
    add(run, "--log-format", "text|json", "text", "How a line of the log is written", [&](const std::string& written) {
        if (written != "text" && written != "json") refuse("--log-format", written, "text or json");
        flags.log_format = written == "json" ? LogFormat::json : LogFormat::text;
    });
    run.callback([&flags] {
        check_console(flags);
        check_smtp(flags);
    });
}

std::string default_data() {
    if (::geteuid() == 0) return "/var/lib/rohrpost";
    const char* state = std::getenv("XDG_STATE_HOME");
    if (state != nullptr && *state == '/') return std::string(state) + "/rohrpost";
    const char* home = std::getenv("HOME");
    return std::string(home == nullptr ? "." : home) + "/.local/state/rohrpost";
}

}  // namespace config

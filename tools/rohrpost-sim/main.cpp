#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "protocols/base/text.hpp"
#include "tools/rohrpost-sim/provider.hpp"

namespace {

/// Every session takes a descriptor.
void allow_many_descriptors() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

std::optional<std::string> contents_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string fault_help() {
    std::string help =
        "What goes wrong from the start: NAME [mailbox=ADDRESS] [uid=N] [value=N] [times=N] [row=TEXT]. Names:";
    for (const sim::FaultFact& fact : sim::fault_kinds()) help += fmt::format("\n  {}: {}", fact.name, fact.what);
    return help;
}

void announce(const sim::Provider& provider) {
    const boost::json::object line{{"imap_port", provider.ports().imap},
                                   {"https_port", provider.ports().https},
                                   {"http_port", provider.ports().http},
                                   {"smtp_port", provider.ports().smtp},
                                   {"pop3_port", provider.ports().pop3},
                                   {"ca_file", std::filesystem::absolute(provider.ca_file()).string()},
                                   {"import_file", std::filesystem::absolute(provider.import_file()).string()}};
    fmt::print("{}\n", boost::json::serialize(line));
    std::fflush(stdout);
}

/// What --oidc can be told besides.
struct IdentityFlags {
    std::int64_t code_seconds = 0, device_seconds = 0, poll_seconds = 0;
    std::vector<std::string> certificates;
    bool without_pkce = false;

    void add_to(CLI::App& app, sim::Options& options);
    /// False: something is wrong and was said.
    bool apply_to(sim::Options& options) const;
};

void IdentityFlags::add_to(CLI::App& app, sim::Options& options) {
    code_seconds = options.identity.code_lives_for.count();
    device_seconds = options.identity.device_code_lives_for.count();
    poll_seconds = options.identity.poll_interval.count();
    CLI::Option* oidc = app.add_flag(
        "--oidc", options.oidc,
        "A whole identity provider: /authorize with its pages, device code, id_tokens, JWKS; Entra's with style "
        "exchange, Google's with gmail. It knows one application, rohrpost-sim, and besides the mailboxes' users "
        "operator@sim.test, guest@other.test (a guest) and alien@other.test; import.json names all its URLs");
    app.add_option("--flow", options.flow, "How the credentials of import.json get their tokens")
        ->check(CLI::IsMember({"refresh_token", "authorization_code", "device_code", "client_credentials"}))
        ->capture_default_str();
    app.add_option("--signed-in", options.signed_in,
                   "Who is signed in on the workstation (repeat): one alone goes straight through without being asked")
        ->needs(oidc);
    app.add_option("--redirect-uri", options.client.redirect_uris,
                   "Registered for rohrpost-sim (repeat; default: /oauth/callback on any port of http://localhost)")
        ->needs(oidc);
    app.add_option("--client-secret", options.client.secret, "Makes rohrpost-sim a confidential application")
        ->needs(oidc);
    app.add_option("--client-certificate", certificates, "The same: a file with its certificate (PEM; repeat)")
        ->needs(oidc);
    app.add_flag("--no-pkce", without_pkce, "/authorize does without a code_challenge")->needs(oidc);
    app.add_option("--code-seconds", code_seconds, "How long an authorization code lives")
        ->capture_default_str()
        ->needs(oidc);
    app.add_option("--device-seconds", device_seconds, "How long a device code lives")
        ->capture_default_str()
        ->needs(oidc);
    app.add_option("--poll-seconds", poll_seconds, "How often a device may ask")->capture_default_str()->needs(oidc);
}

bool IdentityFlags::apply_to(sim::Options& options) const {
    options.identity.code_lives_for = std::chrono::seconds(code_seconds);
    options.identity.device_code_lives_for = std::chrono::seconds(device_seconds);
    options.identity.poll_interval = std::chrono::seconds(poll_seconds);
    options.client.pkce_required = !without_pkce;
    for (const std::string& file : certificates) {
        auto pem = contents_of(file);
        if (!pem || !sim::RsaKey::from_pem(*pem)) {
            fmt::print(stderr, "--client-certificate: expected a file with the certificate of an RSA key, not {}\n",
                       file);
            return false;
        }
        options.client.certificates.push_back(std::move(*pem));
    }
    return true;
}

}  // namespace

int main(int count, char** words) {
    sim::Options options;
    std::string sizes = "4096";
    std::int64_t token_seconds = options.rules.lives_for.count();
    std::vector<std::string> faults;
    std::string directory;
    CLI::App app(
        "A pretend mail provider: IMAP and POP3 over TLS, a submission server, an OAuth token endpoint over HTTPS "
        "(with --oidc "
        "a whole identity "
        "provider), and a control endpoint (/control/…) beside it. When it is ready it prints one line of JSON with "
        "its ports and files.");
    app.add_option("--dir", directory, "Directory for ca.pem and import.json (made when missing)")->required();
    app.add_option("--bind", options.bind, "Address to listen on")->capture_default_str();
    app.add_option("--imap-port", options.imap_port, "IMAP over TLS; 0: any free port")->capture_default_str();
    app.add_option("--https-port", options.https_port, "Token endpoint and control; 0: any")->capture_default_str();
    app.add_option("--http-port", options.http_port, "The same without TLS; 0: any")->capture_default_str();
    app.add_option("--smtp-port", options.smtp_port, "Submission over TLS; 0: any")->capture_default_str();
    app.add_option("--pop3-port", options.pop3_port, "POP3 over TLS; 0: any")->capture_default_str();
    app.add_option("--protocol", options.protocol, "How the mailboxes of import.json are fetched")
        ->check(CLI::IsMember({"imap", "pop3"}))
        ->capture_default_str();
    app.add_option("--after", options.after, "With --protocol pop3: what becomes of mail that was handed off")
        ->check(CLI::IsMember({"keep", "delete"}))
        ->capture_default_str();
    app.add_flag("--smtp-starttls", options.smtp_starts_tls, "Submission begins in the clear and offers STARTTLS");
    app.add_option("--submit", options.submit_per_minute,
                   "The mailboxes of import.json send, so many mails a minute at most; 0: they do not")
        ->capture_default_str();
    app.add_option("--style", options.style, "Manners of the IMAP server")
        ->check(CLI::IsMember({"exchange", "gmail", "dovecot"}))
        ->capture_default_str();
    app.add_option("--mailboxes", options.population.mailboxes, "How many: box0001@sim.test and on")
        ->capture_default_str();
    app.add_option("--messages", options.population.messages, "In each inbox at the start")->capture_default_str();
    app.add_option("--sizes", sizes, "Bytes of each message, or mixed: 70 % 4 KB, 25 % 40 KB, 5 % 1 MB")
        ->capture_default_str();
    app.add_option("--arrivals-per-second", options.arrivals_per_second, "New messages, spread over all inboxes")
        ->capture_default_str();
    app.add_option("--token-seconds", token_seconds, "How long access tokens live")->capture_default_str();
    app.add_option("--token-bytes", options.rules.access_token_bytes, "Length of access tokens")->capture_default_str();
    app.add_flag("--refresh-once", options.rules.refresh_once, "A refresh token ends with its use");
    app.add_flag("--shared-credential", options.shared_credential,
                 "import.json has one credential with access to all mailboxes instead of one for each");
    app.add_option("--consumer", options.consumer, "Consumer in import.json: pull, or maildir:PATH")
        ->capture_default_str();
    app.add_option("--fault", faults, fault_help());
    IdentityFlags identity;
    identity.add_to(app, options);
    CLI11_PARSE(app, count, words);

    options.directory = directory;
    options.rules.lives_for = std::chrono::seconds(token_seconds);
    if (!identity.apply_to(options)) return 64;
    const auto bytes = text::number<std::size_t>(sizes);
    if (!bytes && sizes != "mixed") {
        fmt::print(stderr, "--sizes: expected a number of bytes or mixed, not {}\n", sizes);
        return 64;
    }
    options.population.sizes.fixed_bytes = bytes.value_or(0);
    for (const std::string& one : faults) {
        const auto fault = sim::read_fault(one);
        if (!fault) {
            fmt::print(stderr, "--fault: not understood: {}\n", one);
            return 64;
        }
        options.faults.push_back(*fault);
    }
    allow_many_descriptors();
    try {
        sim::Provider provider(std::move(options));
        asio::io_context signal_context;
        asio::signal_set signals(signal_context, SIGTERM, SIGINT);
        signals.async_wait([&provider](boost::system::error_code, int) { provider.stop(); });
        announce(provider);
        provider.start();
        signal_context.run();
    } catch (const std::exception& failure) {
        fmt::print(stderr, "rohrpost-sim: {}\n", failure.what());
        return 70;
    }
    return 0;
}

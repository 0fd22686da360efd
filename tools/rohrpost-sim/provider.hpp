#pragma once

#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <filesystem>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "protocols/wait/asio.hpp"
#include "tools/rohrpost-sim/certificates.hpp"
#include "tools/rohrpost-sim/style.hpp"
#include "tools/rohrpost-sim/world.hpp"

namespace sim {

struct Options {
    std::filesystem::path directory;  // ca.pem and import.json are written there
    std::string bind = "127.0.0.1";
    std::uint16_t imap_port = 0, https_port = 0, http_port = 0, smtp_port = 0, pop3_port = 0;  // 0: any
    std::string style = "exchange";
    Population population;
    TokenRules rules;
    double arrivals_per_second = 0;
    bool shared_credential = false;
    std::string consumer = "pull";        // or maildir:PATH
    std::uint32_t submit_per_minute = 0;  // mails that each mailbox of import.json may send; 0: none sends
    bool smtp_starts_tls = false;         // the submission server begins in the clear
    std::vector<Fault> faults;
    IdentityRules identity;  // its base_url and manner follow from the port and the style
    /// The identity provider is strict, knows the people and the application of furnish(), and import.json names all
    /// its URLs.
    bool oidc = false;
    Client client;  // with oidc: what differs from furnish()'s; its id stays
    std::vector<std::string> signed_in;
    std::string flow = "refresh_token";  // of the credentials in import.json
    std::string protocol = "imap";       // of its mailboxes: imap or pop3
    std::string after = "keep";          // or delete, with pop3
};

struct Ports {
    std::uint16_t imap = 0, https = 0, http = 0, smtp = 0, pop3 = 0;
};

/// A mail provider on this machine: IMAP, POP3 and SMTP with TLS, a token endpoint with HTTPS, its control beside it.
/// Everything runs on one thread: the one that calls run(), or one of its own after start(). Throws when ports, options
/// or the directory are no good.
class Provider {
public:
    explicit Provider(Options options);
    ~Provider();

    void run();
    void start();
    /// Ends run(); any thread, any time.
    void stop();

    [[nodiscard]] const Ports& ports() const noexcept { return ports_; }
    /// Who vouches for it; other servers of a rig may be issued a certificate, too.
    [[nodiscard]] const Authority& authority() const noexcept { return authority_; }
    /// The import document for its tokens with IMAP (or POP3, as `protocol` says) at another port of localhost.
    [[nodiscard]] std::string import_document_with(std::uint16_t mail_port) const;
    [[nodiscard]] std::filesystem::path ca_file() const { return options_.directory / "ca.pem"; }
    [[nodiscard]] std::filesystem::path import_file() const { return options_.directory / "import.json"; }
    /// Only with oidc and Google's manner: the key that an administrator downloads.
    [[nodiscard]] std::filesystem::path service_account_file() const {
        return options_.directory / "service-account.json";
    }

    /// Runs `question(world)` on the provider's thread and returns its answer. Only while it runs, from another thread.
    template <class Question>
    auto ask(Question question) {
        std::packaged_task<decltype(question(world_))()> task([this, &question] { return question(world_); });
        auto answer = task.get_future();
        asio::post(context_, [&task] { task(); });
        return answer.get();
    }

private:
    asio::ip::tcp::acceptor listen(std::uint16_t port);
    awaitable<void> accept_imap(asio::ip::tcp::acceptor listener);
    awaitable<void> accept_pop3(asio::ip::tcp::acceptor listener);
    awaitable<void> accept_smtp(asio::ip::tcp::acceptor listener);
    awaitable<void> accept_https(asio::ip::tcp::acceptor listener);
    awaitable<void> accept_http(asio::ip::tcp::acceptor listener);
    awaitable<void> keep_time();
    void write_files() const;
    void furnish_identity();

    Options options_;
    const Style& style_;
    SystemClock clock_;
    SystemRandom random_;
    World world_;
    Authority authority_;
    asio::ssl::context tls_;
    Ports ports_;
    asio::io_context context_;  // ends before what its coroutines use
    std::thread thread_;
};

/// The import document that makes the product serve this provider's mailboxes (a JSON text).
std::string import_document(const Options& options, const Ports& ports, const World& world,
                            const std::filesystem::path& ca_file);

}  // namespace sim

#include "tools/rohrpost-sim/provider.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <stdexcept>

#include "tools/rohrpost-sim/http_endpoint.hpp"
#include "tools/rohrpost-sim/imap_session.hpp"
#include "tools/rohrpost-sim/pop3_session.hpp"
#include "tools/rohrpost-sim/smtp_session.hpp"
#include "tools/rohrpost-sim/tls_connection.hpp"

namespace sim {

namespace {

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
constexpr int waiting_connections_max = 4096;

const Style& style_named(const std::string& name) {
    const Style* style = style_of(name);
    if (style == nullptr) throw std::runtime_error("style: expected exchange, gmail or dovecot, not " + name);
    return *style;
}

/// A failed session is reported and hurts nobody else.
void report(std::exception_ptr failure) {
    if (!failure) return;
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& what) {
        fmt::print(stderr, "rohrpost-sim: a session failed: {}\n", what.what());
    }
}

/// A descriptor too many is not the end of listening.
awaitable<void> breathe(asio::any_io_executor executor) {
    asio::steady_timer pause(executor);
    pause.expires_after(std::chrono::milliseconds(50));
    const auto waited = co_await pause.async_wait(as_values);
    static_cast<void>(waited);
}

}  // namespace

Provider::Provider(Options options)
    : options_(std::move(options)),
      style_(style_named(options_.style)),
      world_(options_.population, options_.rules, clock_, random_, options_.identity),
      authority_("Rohrpost pretend authority"),
      tls_(asio::ssl::context::tls_server),
      context_(1) {
    for (const Fault& fault : options_.faults) world_.faults.add(fault);
    const Identity identity = authority_.issue({});
    tls_.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                     asio::ssl::context::no_tlsv1_1);
    tls_.use_certificate_chain(asio::buffer(identity.chain_pem));
    tls_.use_private_key(asio::buffer(identity.key_pem), asio::ssl::context::pem);
    SSL_CTX_set_mode(tls_.native_handle(), SSL_MODE_RELEASE_BUFFERS);
    auto imap = listen(options_.imap_port);
    auto https = listen(options_.https_port);
    auto http = listen(options_.http_port);
    auto smtp = listen(options_.smtp_port);
    auto pop3 = listen(options_.pop3_port);
    ports_ = {imap.local_endpoint().port(), https.local_endpoint().port(), http.local_endpoint().port(),
              smtp.local_endpoint().port(), pop3.local_endpoint().port()};
    furnish_identity();
    write_files();
    asio::co_spawn(context_, accept_imap(std::move(imap)), report);
    asio::co_spawn(context_, accept_pop3(std::move(pop3)), report);
    asio::co_spawn(context_, accept_smtp(std::move(smtp)), report);
    asio::co_spawn(context_, accept_https(std::move(https)), report);
    asio::co_spawn(context_, accept_http(std::move(http)), report);
    asio::co_spawn(context_, keep_time(), report);
}

Provider::~Provider() {
    stop();
    if (thread_.joinable()) thread_.join();
}

void Provider::run() { context_.run(); }
void Provider::start() {
    thread_ = std::thread([this] { run(); });
}
void Provider::stop() { context_.stop(); }

asio::ip::tcp::acceptor Provider::listen(std::uint16_t port) {
    const asio::ip::tcp::endpoint here(asio::ip::make_address(options_.bind), port);
    asio::ip::tcp::acceptor listener(context_, here.protocol());
    listener.set_option(asio::socket_base::reuse_address(true));
    listener.bind(here);
    listener.listen(waiting_connections_max);
    return listener;
}

void Provider::write_files() const {
    std::filesystem::create_directories(options_.directory);
    write_private_file(ca_file(), authority_.certificate_pem());
    write_private_file(import_file(), import_document(options_, ports_, world_, ca_file()));
}

void Provider::furnish_identity() {
    IdentityProvider& identity = world_.identity;
    identity.rules.base_url = fmt::format("https://localhost:{}", ports_.https);
    identity.rules.manner = options_.style == "gmail" ? Manner::google : Manner::entra;
    identity.workstation = options_.signed_in;
    if (!options_.oidc) return;
    identity.rules.strict = true;
    furnish(world_);
    for (const std::string& name : options_.signed_in)
        if (!world_.account(name)) throw std::runtime_error("signed in: expected one of the users, not " + name);
    Client& client = identity.clients.begin()->second;
    Client wish = options_.client;
    wish.id = client.id;
    if (wish.redirect_uris.empty()) wish.redirect_uris = client.redirect_uris;
    client = std::move(wish);
    if (identity.rules.manner != Manner::google) return;
    const RsaKey key = RsaKey::drawn_from(random_);
    const std::string email = "rohrpost@sim.iam.gserviceaccount.com";
    identity.service_accounts[email] = {.email = email, .key_pem = key.public_pem()};
    std::filesystem::create_directories(options_.directory);
    write_private_file(service_account_file(),
                       boost::json::serialize(boost::json::object{{"type", "service_account"},
                                                                  {"project_id", "sim"},
                                                                  {"private_key_id", key.kid()},
                                                                  {"private_key", key.private_pem()},
                                                                  {"client_email", email},
                                                                  {"client_id", "100000000000000000001"},
                                                                  {"token_uri", identity.rules.base_url + "/token"}}));
}

std::string Provider::import_document_with(std::uint16_t mail_port) const {
    Ports ports = ports_;
    (options_.protocol == "pop3" ? ports.pop3 : ports.imap) = mail_port;
    return import_document(options_, ports, world_, ca_file());
}

awaitable<void> Provider::accept_imap(asio::ip::tcp::acceptor listener) {
    for (;;) {
        auto [error, socket] = co_await listener.async_accept(as_values);
        if (error) {
            co_await breathe(listener.get_executor());
            continue;
        }
        auto connection = std::make_shared<TlsConnection>(std::move(socket), tls_);
        auto session = std::make_shared<ImapSession>(world_, style_, std::move(connection));
        asio::co_spawn(context_, ImapSession::serve(std::move(session)), report);
    }
}

awaitable<void> Provider::accept_pop3(asio::ip::tcp::acceptor listener) {
    for (;;) {
        auto [error, socket] = co_await listener.async_accept(as_values);
        if (error) {
            co_await breathe(listener.get_executor());
            continue;
        }
        auto connection = std::make_shared<TlsConnection>(std::move(socket), tls_);
        auto session = std::make_shared<Pop3Session>(world_, style_, std::move(connection));
        asio::co_spawn(context_, Pop3Session::serve(std::move(session)), report);
    }
}

awaitable<void> Provider::accept_smtp(asio::ip::tcp::acceptor listener) {
    const bool clear = options_.smtp_starts_tls;
    for (;;) {
        auto [error, socket] = co_await listener.async_accept(as_values);
        if (error) {
            co_await breathe(listener.get_executor());
            continue;
        }
        const auto begin = clear ? SmtpSession::Begin::clear : SmtpSession::Begin::encrypted;
        auto connection = std::make_shared<TlsConnection>(std::move(socket), tls_, clear);
        auto session = std::make_shared<SmtpSession>(world_, style_, std::move(connection), begin);
        asio::co_spawn(context_, SmtpSession::serve(std::move(session)), report);
    }
}

awaitable<void> Provider::accept_https(asio::ip::tcp::acceptor listener) {
    for (;;) {
        auto [error, socket] = co_await listener.async_accept(as_values);
        if (error) {
            co_await breathe(listener.get_executor());
            continue;
        }
        auto stream = std::make_shared<TlsSocket>(std::move(socket), tls_);
        asio::co_spawn(context_, serve_https(std::move(stream), world_), report);
    }
}

awaitable<void> Provider::accept_http(asio::ip::tcp::acceptor listener) {
    for (;;) {
        auto [error, socket] = co_await listener.async_accept(as_values);
        if (error) {
            co_await breathe(listener.get_executor());
            continue;
        }
        auto shared = std::make_shared<asio::ip::tcp::socket>(std::move(socket));
        asio::co_spawn(context_, serve_http(std::move(shared), world_), report);
    }
}

awaitable<void> Provider::keep_time() {
    asio::steady_timer tick(context_);
    const Monotonic start = clock_.now();
    double arrived = 0;
    for (;;) {
        tick.expires_after(std::chrono::milliseconds(10));
        const auto waited = co_await tick.async_wait(as_values);
        static_cast<void>(waited);
        world_.reveal_due();
        const std::chrono::duration<double> since = clock_.now() - start;
        for (; arrived + 1 <= since.count() * options_.arrivals_per_second; ++arrived) world_.arrive_anywhere();
    }
}

}  // namespace sim

#include "engine/console/remote_api.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <fstream>

#include "protocols/base/sha256.hpp"
#include "protocols/base/text.hpp"
#include "protocols/http/client.hpp"
#include "protocols/http/url.hpp"

namespace console {

namespace {

constexpr std::chrono::seconds answer_within{40};  // a provider's token endpoint may take 30 of them
constexpr std::size_t answer_bytes_max = 8U << 20U;
constexpr std::size_t token_bytes_max = 4096;

bool is_loopback(std::string_view host) {
    boost::system::error_code no_address;
    const auto address = asio::ip::make_address(std::string(host), no_address);
    return host == "localhost" || (!no_address && address.is_loopback());
}

Result<Secret> token_in(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string bytes(token_bytes_max, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    const auto got = static_cast<std::size_t>(file.gcount());
    if (!file.is_open() || file.bad()) return boost::system::errc::make_error_code(boost::system::errc::io_error);
    const Secret all(std::move(bytes));
    return Secret(std::string(text::trimmed(all.reveal().substr(0, got))));
}

}  // namespace

std::optional<ServicesServer> read_services_url(std::string_view url) {
    if (url.ends_with('/')) url.remove_suffix(1);
    ServicesServer server;
    server.tls = url.starts_with("https://");
    if (!server.tls && !url.starts_with("http://")) return std::nullopt;
    const auto place = url.substr(server.tls ? 8 : 7);
    if (place.find_first_of("/?#@ ") != std::string_view::npos) return std::nullopt;
    const auto read = http::read_https_url(fmt::format("https://{}", place));
    if (!read) return std::nullopt;
    server.host = read->host;
    server.port = !server.tls && read->port == 443 ? std::uint16_t{80} : read->port;
    server.authority = std::string(place);
    if (!server.tls && !is_loopback(server.host)) return std::nullopt;
    return server;
}

std::string RemoteApi::load() {
    auto token = token_in(options_.token_file);
    if (!token || token->empty()) {
        return fmt::format(
            "{}-token-file {}: {}; put the API token of the services server into it, one line (rohrpost "
            "api-token makes a new one there)",
            options_.flags, options_.token_file, token ? "there is nothing in it" : "it cannot be read");
    }
    auto tls = net::TlsClient::make({.ca_file = options_.ca_file});
    if (!tls) return fmt::format("{}-ca {}: {}", options_.flags, options_.ca_file, tls.error().message());
    if (!(*token == token_)) ++generation_;
    token_ = std::move(*token);
    tls_ = std::move(*tls);
    return {};
}

bool RemoteApi::admits(std::string_view token) const {
    return Secret(sha256_of(token)) == Secret(sha256_of(token_.reveal()));
}

awaitable<Api::Reply> RemoteApi::call(std::string method, std::string target, std::string body) {
    called_at_ = seams_.timers.now();
    ++calls_;
    auto reply = co_await ask(std::move(method), std::move(target), std::move(body));
    reachable_ = reply.status != 0;
    if (!reachable_) ++failures_;
    co_return reply;
}

std::vector<runtime::Metric> RemoteApi::metrics() const {
    using Type = runtime::Metric::Type;
    return {{"rohrpost_console_services_server_reachable",
             "1 if the services server answered the last call, and took the token.",
             reachable_ ? 1.0 : 0.0,
             {}},
            {"rohrpost_console_services_server_calls_total",
             "Calls of the services server's API.",
             static_cast<double>(calls_),
             {},
             Type::counter},
            {"rohrpost_console_services_server_failures_total",
             "Calls that got no answer, or were not let in.",
             static_cast<double>(failures_),
             {},
             Type::counter}};
}

awaitable<Api::Reply> RemoteApi::ask(std::string method, std::string target, std::string body) {
    Reply reply;
    const auto server = read_services_url(options_.url);
    auto asked = http::read_target(target);
    if (!server || !asked) {
        reply.trouble = fmt::format("{} is not the URL of a services server.", options_.url);
        co_return reply;
    }
    http::Request request;
    request.method = std::move(method);
    request.host = server->authority;
    request.path = std::move(asked->path);
    request.query = std::move(asked->query);
    request.headers = {{"Authorization", "Bearer " + std::string(token_.reveal())}, {"Accept", "application/json"}};
    request.body = std::move(body);
    net::Dial dial{.host = server->host,
                   .port = server->port,
                   .security = server->tls ? net::Security::implicit_tls : net::Security::plain,
                   .tls = tls_};
    auto stream = co_await seams_.dialer.dial(std::move(dial));
    if (!stream) {
        reply.trouble =
            fmt::format("The services server {} cannot be reached: {}.", options_.url, stream.error().message());
        reply.remedy = fmt::format(
            "See that rohrpost run is up there, that it listens on this address (--console), and that this machine "
            "reaches it; {0}-server and {0}-ca say where and with which certificate.",
            options_.flags);
        co_return reply;
    }
    const http::Limits limits{.header_bytes_max = 64U << 10U, .body_bytes_max = answer_bytes_max};
    const net::Pace pace{.within = answer_within, .bytes_per_second_min = 0};
    const auto response = co_await http::call(**stream, std::move(request), limits, pace);
    (*stream)->close();
    if (!response) {
        reply.trouble =
            fmt::format("The services server {} gave no answer: {}.", options_.url, response.error().message());
        reply.remedy = "Look at its log, and try again.";
        co_return reply;
    }
    boost::system::error_code malformed;
    auto json = boost::json::parse(response->body, malformed);
    if (malformed || !json.is_object()) {
        reply.trouble =
            fmt::format("What answers at {} is not the API of Rohrpost (status {}).", options_.url, response->status);
        reply.remedy = fmt::format("Put {}-server right: it names the address of --console on the services server.",
                                   options_.flags);
        co_return reply;
    }
    if (response->status == 401 || response->status == 429) {
        reply.trouble = response->status == 401
                            ? fmt::format("The services server {} does not take this machine's token.", options_.url)
                            : fmt::format("The services server {} was shown wrong tokens too often.", options_.url);
        reply.remedy = fmt::format(
            "Make a new one there with rohrpost api-token, put it into {} here ({}-token-file), and send this "
            "process SIGHUP.",
            options_.token_file, options_.flags);
        co_return reply;
    }
    reply.status = static_cast<unsigned>(response->status);
    reply.body = std::move(json.as_object());
    co_return reply;
}

}  // namespace console

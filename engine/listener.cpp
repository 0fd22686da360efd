#include "engine/listener.hpp"

#include <fmt/format.h>

#include "engine/certificate.hpp"
#include "engine/runtime/log.hpp"

namespace {}  // namespace

http::ServerOptions reporting() {
    http::ServerOptions options;
    options.report = [](const std::string& what) {
        spdlog::error("id=handler-crashed reason={}", runtime::value(what));
    };
    return options;
}

std::unique_ptr<http::Server> listen_for_browsers(runtime::Shard& shard, const config::RunFlags& flags,
                                                  http::Handler handler, http::ServerOptions options) {
    auto certificate = read_certificate(flags);
    if (!certificate.fault.empty()) throw StartError(exit_config, certificate.fault);
    options.tls = std::move(certificate.tls);
    auto server = http::Server::listen_tcp(shard.executor(), shard.timers(), flags.console.address, flags.console.port,
                                           std::move(handler), std::move(options));
    if (!server) {
        throw StartError(
            exit_unavailable,
            fmt::format("cannot listen on {}:{}: {}; choose another address with --console, or leave the role "
                        "console out of --roles",
                        flags.console.address, flags.console.port, server.error().message()));
    }
    return std::move(*server);
}

void renew_certificate(http::Server& server, const config::RunFlags& flags) {
    auto certificate = read_certificate(flags);
    if (!certificate.fault.empty()) {
        spdlog::error("id=certificate-not-taken the old one stays in use: {}", certificate.fault);
    } else if (certificate.tls) {
        server.use(std::move(certificate.tls));
        spdlog::info("console certificate={} read again", runtime::value(flags.console_certificate));
    }
}

std::string external_url_of(const config::RunFlags& flags, std::uint16_t port) {
    if (!flags.external_url.empty()) return flags.external_url;
    return fmt::format("{}://localhost:{}", flags.console_certificate.empty() ? "http" : "https", port);
}

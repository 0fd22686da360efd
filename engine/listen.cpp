// Engine: the control socket and the console's listener, both HTTP.

#include <fmt/format.h>

#include "engine/certificate.hpp"
#include "engine/engine.hpp"
#include "engine/listener.hpp"
#include "engine/roles.hpp"
#include "engine/runtime/log.hpp"

void Engine::listen() {
    auto& roles = *roles_;
    auto* here = &roles.surroundings;
    const auto path = (std::filesystem::path(flags_.data) / "control.sock").string();
    const http::Handler commands = [here](http::Request request) {
        return answer_call(here, control::From::owner, std::move(request));
    };
    auto socket = http::Server::listen_unix(roles.main.executor(), roles.main.timers(), path, commands, reporting());
    if (!socket) {
        throw StartError(exit_unavailable,
                         fmt::format("the control socket {} cannot be made: {}", path, socket.error().message()));
    }
    roles.servers.push_back(std::move(*socket));
    if (flags_.roles.console) listen_to_network();
}

void Engine::listen_to_network() {
    auto& roles = *roles_;
    auto options = reporting();
    options.body_bytes_max_of = [door = &roles.door](const http::Request& head) { return door->body_bytes_max(head); };
    const http::Handler network = [door = &roles.door](http::Request request) {
        return door->answer(std::move(request));
    };
    auto server = listen_for_browsers(roles.main, flags_, network, std::move(options));
    const auto url = external_url_of(flags_, server->port());
    roles.console.reached_by(url);
    roles.sign_ins.redirect_to(url + "/oauth/callback");
    roles.consulting.doctor().redirect_to(roles.sign_ins.redirect_uri());
    spdlog::info("console address={} port={} tls={} url={} redirect_url={}", flags_.console.address, server->port(),
                 flags_.console_certificate.empty() ? "no" : "yes", url, roles.sign_ins.redirect_uri());
    roles.console_server = server.get();
    roles.servers.push_back(std::move(server));
}

/// A renewed certificate; a bad one leaves the old one in use.
void Engine::reload_certificate() {
    if (roles_->console_server != nullptr) renew_certificate(*roles_->console_server, flags_);
}

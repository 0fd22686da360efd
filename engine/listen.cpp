// Engine: the control socket and the console's listener, both HTTP.

#include <fmt/format.h>

#include "engine/engine.hpp"
#include "engine/roles.hpp"
#include "engine/runtime/log.hpp"

namespace {

constexpr int exit_unavailable = 69;  // sysexits.h

/// What the network may ask without a token: probes and numbers, nothing of mail or configuration.
bool is_public(std::string_view path) { return path == "/healthz" || path == "/readyz" || path == "/metrics"; }

http::Response response_of(control::Response answer) {
    http::Response response;
    response.status = static_cast<int>(answer.status);
    response.content_type = std::move(answer.type);
    response.body = std::move(answer.body);
    return response;
}

/// Answers calls of the commands. Whoever may open the socket may do everything.
awaitable<http::Response> answer_commands(control::Surroundings* here, http::Request request) {
    control::Request call;
    call.method = std::move(request.method);
    call.target = std::move(request.target);
    call.body = std::move(request.body);
    auto answer = co_await control::handle(*here, std::move(call));
    co_return response_of(std::move(answer));
}

awaitable<http::Response> answer_network(control::Surroundings* here, console::Console* pages, http::Request request) {
    if (console::Console::has(request.path)) {
        auto page = co_await pages->answer(std::move(request));
        co_return page;
    }
    if (!is_public(request.path)) co_return response_of(control::refusal(404, "no such path"));
    auto response = co_await answer_commands(here, std::move(request));
    co_return response;
}

}  // namespace

void Engine::listen() {
    auto& roles = *roles_;
    http::ServerOptions options;
    options.report = [](const std::string& what) {
        spdlog::error("id=handler-crashed reason={}", runtime::value(what));
    };
    auto* here = &roles.surroundings;

    const auto path = (std::filesystem::path(flags_.data) / "control.sock").string();
    const http::Handler commands = [here](http::Request request) { return answer_commands(here, std::move(request)); };
    auto socket = http::Server::listen_unix(roles.main.executor(), roles.main.timers(), path, commands, options);
    if (!socket) {
        throw StartError(exit_unavailable,
                         fmt::format("the control socket {} cannot be made: {}", path, socket.error().message()));
    }
    roles.servers.push_back(std::move(*socket));

    if (!flags_.roles.console) return;
    const http::Handler network = [here, pages = &roles.console](http::Request request) {
        return answer_network(here, pages, std::move(request));
    };
    auto console = http::Server::listen_tcp(roles.main.executor(), roles.main.timers(), flags_.console.address,
                                            flags_.console.port, network, options);
    if (!console) {
        throw StartError(
            exit_unavailable,
            fmt::format("cannot listen on {}:{}: {}; choose another address with --console, or leave the role "
                        "console out of --roles",
                        flags_.console.address, flags_.console.port, console.error().message()));
    }
    roles.console.reached_by(flags_.external_url.empty() ? fmt::format("http://localhost:{}", (*console)->port())
                                                         : flags_.external_url);
    spdlog::info("console address={} port={} paths=/metrics,/healthz,/readyz,/oauth/callback redirect_url={}",
                 flags_.console.address, (*console)->port(), roles.sign_ins.redirect_uri());
    roles.servers.push_back(std::move(*console));
}

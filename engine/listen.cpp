// Engine: the control socket and the console's listener, both HTTP, and the one for applications, SMTP.

#include <fmt/format.h>

#include "engine/certificate.hpp"
#include "engine/engine.hpp"
#include "engine/listener.hpp"
#include "engine/roles.hpp"
#include "engine/runtime/log.hpp"
#include "engine/runtime/run_on.hpp"
#include "engine/smtp_listener.hpp"

namespace {

using inlets::SmtpInlet;

/// On the main shard: whether somebody who shows this may use what the API offers.
awaitable<SmtpInlet::Admission> judge(control::ApiToken* token, console::Attempts* attempts, std::string peer,
                                      Secret shown) {
    const auto key = console::peer_key(peer);
    if (attempts->must_wait(key)) co_return SmtpInlet::Admission::turned_away;
    if (!token->admits(shown.reveal())) {
        attempts->failed(key);
        co_return SmtpInlet::Admission::wrong;
    }
    attempts->succeeded(key);
    co_return SmtpInlet::Admission::welcome;
}

}  // namespace

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
    if (flags_.smtp.listen) listen_to_applications();
}

void Engine::listen_to_applications() {
    auto& roles = *roles_;
    SmtpInlet::Uses uses{
        .shard = *roles.inlet_shard,
        .committer = *committer_,
        .senders = roles.surroundings.senders,
        .random = outside_.random(),
        .queued =
            [sending = roles.surroundings.sending](store::MailboxNumber mailbox, store::Millis due) {
                if (sending != nullptr) sending->queued(mailbox, due);
            },
        .admit =
            [&roles](std::string peer, Secret shown) {
                auto judged = judge(&roles.api_token, &roles.attempts, std::move(peer), std::move(shown));
                return runtime::run_on(roles.main.executor(), std::move(judged));
            },
        .numbers = roles.inlet_numbers,
    };
    roles.smtp = listen_for_mail(std::move(uses), flags_);
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
    if (roles_->smtp) renew_certificate(*roles_->smtp, *roles_->inlet_shard, flags_);
}

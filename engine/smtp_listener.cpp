#include "engine/smtp_listener.hpp"

#include <fmt/format.h>

#include "engine/certificate.hpp"
#include "engine/listener.hpp"
#include "engine/own_name.hpp"
#include "engine/runtime/log.hpp"

std::unique_ptr<inlets::SmtpInlet> listen_for_mail(inlets::SmtpInlet::Uses uses, const config::RunFlags& flags) {
    auto certificate = read_smtp_certificate(flags);
    if (!certificate.fault.empty()) throw StartError(exit_config, certificate.fault);
    inlets::SmtpInlet::Options options;
    options.address = flags.smtp.listen->address;
    options.port = flags.smtp.listen->port;
    options.session.name = own_name();
    options.session.message_bytes_max = flags.smtp.message_bytes_max;
    options.session.recipients_max = flags.smtp.recipients_max;
    options.session.needs_login = flags.smtp.require_auth || !config::is_loopback(flags.smtp.listen->address);
    options.tls = std::move(certificate.tls);
    options.connections_max = flags.smtp.connections_max;
    options.connections_of_peer_max = flags.smtp.connections_of_peer_max;
    options.idle = flags.smtp.idle;
    const bool login = options.session.needs_login;
    auto inlet = inlets::SmtpInlet::listen(std::move(uses), std::move(options));
    if (!inlet) {
        throw StartError(exit_unavailable,
                         fmt::format("cannot listen on {}:{}: {}; choose another address with "
                                     "--smtp-listen",
                                     flags.smtp.listen->address, flags.smtp.listen->port, inlet.error().message()));
    }
    spdlog::info("smtp address={} port={} starttls={} login={}", flags.smtp.listen->address, (*inlet)->port(),
                 flags.smtp.certificate.empty() ? "no" : "yes", login ? "required" : "offered");
    return std::move(*inlet);
}

void renew_certificate(inlets::SmtpInlet& inlet, runtime::Shard& shard, const config::RunFlags& flags) {
    auto certificate = read_smtp_certificate(flags);
    if (!certificate.fault.empty()) {
        spdlog::error("id=certificate-not-taken the old one stays in use: {}", certificate.fault);
    } else if (certificate.tls) {
        asio::post(shard.executor(),
                   [&inlet, tls = std::move(certificate.tls)]() mutable { inlet.use(std::move(tls)); });
        spdlog::info("smtp certificate={} read again", runtime::value(flags.smtp.certificate));
    }
}

#include "engine/certificate.hpp"

#include <fmt/format.h>

#include "protocols/net/errc.hpp"

ConsoleCertificate read_certificate(const config::RunFlags& flags) {
    ConsoleCertificate certificate;
    if (flags.console_certificate.empty()) return certificate;
    auto made = net::TlsServer::make(flags.console_certificate, flags.console_private_key);
    if (made) {
        certificate.tls = std::move(*made);
    } else if (made.error() == net::errc::certificate_unreadable) {
        certificate.fault = fmt::format(
            "--console-certificate {}: {}; give a PEM file with the certificate first and its chain behind it, "
            "readable for this user",
            flags.console_certificate, made.error().message());
    } else if (made.error() == net::errc::private_key_of_another) {
        certificate.fault = fmt::format("--console-private-key {}: {} in {}; give the key that it was issued for",
                                        flags.console_private_key, made.error().message(), flags.console_certificate);
    } else {
        certificate.fault = fmt::format(
            "--console-private-key {}: {}; give the PEM file of the certificate's key, "
            "readable for this user",
            flags.console_private_key, made.error().message());
    }
    return certificate;
}

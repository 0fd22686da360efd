#include "engine/certificate.hpp"

#include <fmt/format.h>

#include "protocols/net/errc.hpp"

namespace {

/// `flag`: "--console" or "--smtp", which the names of both flags begin with.
ServerCertificate read(std::string_view flag, const std::string& file, const std::string& key_file) {
    ServerCertificate certificate;
    if (file.empty()) return certificate;
    auto made = net::TlsServer::make(file, key_file);
    if (made) {
        certificate.tls = std::move(*made);
    } else if (made.error() == net::errc::certificate_unreadable) {
        certificate.fault = fmt::format(
            "{}-certificate {}: {}; give a PEM file with the certificate first and its chain behind it, "
            "readable for this user",
            flag, file, made.error().message());
    } else if (made.error() == net::errc::private_key_of_another) {
        certificate.fault = fmt::format("{}-private-key {}: {} in {}; give the key that it was issued for", flag,
                                        key_file, made.error().message(), file);
    } else {
        certificate.fault = fmt::format(
            "{}-private-key {}: {}; give the PEM file of the certificate's key, "
            "readable for this user",
            flag, key_file, made.error().message());
    }
    return certificate;
}

}  // namespace

ServerCertificate read_certificate(const config::RunFlags& flags) {
    return read("--console", flags.console_certificate, flags.console_private_key);
}

ServerCertificate read_smtp_certificate(const config::RunFlags& flags) {
    return read("--smtp", flags.smtp.certificate, flags.smtp.private_key);
}

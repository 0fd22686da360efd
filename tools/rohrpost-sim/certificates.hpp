#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sim {

/// A certificate (followed by its intermediates, if any) and its private key, both PEM.
struct Identity {
    std::string chain_pem;
    std::string key_pem;
};

/// What a certificate is to say, and what is to be wrong with it. Times are counted from now.
struct CertificateWish {
    std::string common_name = "localhost";
    std::vector<std::string> dns_names{"localhost"};
    std::vector<std::string> addresses{"127.0.0.1", "::1"};
    std::chrono::seconds valid_from = -std::chrono::hours(1);
    std::chrono::seconds valid_to = std::chrono::hours(24 * 30);
    enum class Flaw { none, self_signed, bad_signature, client_purpose } flaw = Flaw::none;
};

/// A certificate authority (EC P-256) whose certificate and key live in memory only. One thread.
/// Throws std::runtime_error when OpenSSL refuses (bad address, no memory).
class Authority {
public:
    explicit Authority(std::string_view name, std::chrono::seconds valid_to = std::chrono::hours(24 * 365));
    Authority(Authority&&) noexcept;
    Authority& operator=(Authority&&) noexcept;
    ~Authority();

    /// An authority below this one; what it issues carries its certificate in the chain.
    [[nodiscard]] Authority intermediate(std::string_view name) const;
    [[nodiscard]] Identity issue(const CertificateWish& wish) const;
    /// What a client trusts.
    [[nodiscard]] std::string certificate_pem() const;

private:
    struct Impl;
    explicit Authority(std::unique_ptr<Impl> impl) noexcept;
    std::unique_ptr<Impl> impl_;
};

/// Replaces the file; only its owner can read it. Throws std::runtime_error.
void write_private_file(const std::filesystem::path& path, std::string_view bytes);

}  // namespace sim

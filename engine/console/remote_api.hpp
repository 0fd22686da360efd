#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/console/api.hpp"
#include "engine/runtime/metrics.hpp"
#include "protocols/base/secret.hpp"
#include "protocols/net/seams.hpp"
#include "protocols/net/tls.hpp"

namespace console {

/// The API of a services server over HTTPS, shown its token; over plain HTTP only on the same machine. Each call has a
/// connection of its own. Lives on the shard whose seams it uses.
class RemoteApi final : public Api {
public:
    struct Options {
        std::string url;                   // https://HOST[:PORT], or http:// on loopback
        std::string token_file;            // one line
        std::string ca_file;               // empty: the system's authorities
        std::string flags = "--services";  // what the flags begin with that these come from: -server, -token-file, -ca
    };
    RemoteApi(Options options, Seams& seams) : options_(std::move(options)), seams_(seams) {}

    /// Reads the files again. In words why that is not possible, then everything stays as it was; empty: done.
    std::string load();

    awaitable<Reply> call(std::string method, std::string target, std::string body) override;
    [[nodiscard]] bool admits(std::string_view token) const override;
    [[nodiscard]] std::uint64_t generation() const override { return generation_; }

    [[nodiscard]] std::vector<runtime::Metric> metrics() const;
    /// When it was last called; nullopt: never.
    [[nodiscard]] std::optional<Monotonic> called_at() const noexcept { return called_at_; }

private:
    awaitable<Reply> ask(std::string method, std::string target, std::string body);

    Options options_;
    Seams& seams_;
    Secret token_;
    std::uint64_t generation_ = 0;
    std::shared_ptr<const net::TlsClient> tls_;
    std::optional<Monotonic> called_at_;
    std::uint64_t calls_ = 0, failures_ = 0;
    bool reachable_ = false;  // and takes our token: so it was at the last call
};

/// Whom such a URL names.
struct ServicesServer {
    std::string host;
    std::uint16_t port = 0;
    std::string authority;
    bool tls = true;
};
/// nullopt: no URL of that form, something behind the host, or plain http to another machine.
std::optional<ServicesServer> read_services_url(std::string_view url);

}  // namespace console

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "engine/inlets/numbers.hpp"
#include "engine/runtime/shard.hpp"
#include "engine/submission/acceptance.hpp"
#include "protocols/base/secret.hpp"
#include "protocols/net/tls_server.hpp"
#include "protocols/smtp/server.hpp"
#include "queue/store/committer.hpp"

namespace inlets {

/// Takes mail of applications over SMTP: RFC 5321 and 6409. 250 at the end of a mail means that it is durable.
///
/// On one shard, but for listen(), which comes before the shard runs. Its budget bounds the bytes of mail that is
/// coming in: once they are spent, mail is refused for now.
class SmtpInlet {
public:
    enum class Admission { welcome, wrong, turned_away };
    struct Uses {
        runtime::Shard& shard;
        store::Committer& committer;
        std::shared_ptr<submission::Senders> senders;
        Random& random;
        std::function<void(store::MailboxNumber mailbox, store::Millis due)> queued;  // what is durable
        std::function<awaitable<Admission>(std::string peer, Secret token)> admit;
        Numbers& numbers;
    };
    struct Options {
        std::string address;  // numeric
        std::uint16_t port = 0;
        smtp::ServerSession::Options session;         // offers_tls and takes_login_plain are decided here
        std::shared_ptr<const net::TlsServer> tls{};  // of STARTTLS; nullptr: not offered
        std::size_t connections_max = 256;
        std::size_t connections_of_peer_max = 128;
        std::chrono::milliseconds idle = std::chrono::minutes(5);
        std::uint32_t message_bytes_per_second_min = 100;
    };

    /// Errors: address_in_use, access_denied, … of the system.
    static Result<std::unique_ptr<SmtpInlet>> listen(Uses uses, Options options);
    SmtpInlet(const SmtpInlet&) = delete;
    SmtpInlet& operator=(const SmtpInlet&) = delete;
    ~SmtpInlet();

    [[nodiscard]] std::uint16_t port() const noexcept;
    /// For handshakes from now on.
    void use(std::shared_ptr<const net::TlsServer> tls);
    /// Nobody is let in any more; who is between two mails hears 421, who is in one finishes it.
    void drain();
    void cancel();
    awaitable<void> join();

private:
    struct State;
    explicit SmtpInlet(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;
};

}  // namespace inlets

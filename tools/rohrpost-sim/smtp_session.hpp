#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/rohrpost-sim/connection.hpp"
#include "tools/rohrpost-sim/imap_command.hpp"
#include "tools/rohrpost-sim/style.hpp"
#include "tools/rohrpost-sim/world.hpp"

namespace sim {

/// One client's dialogue with the submission server: what it hands over is recorded in the world, and filed into the
/// sender's Sent Items as Exchange does. Runs on the provider's thread until the client leaves or a fault strikes.
class SmtpSession final {
public:
    enum class Begin { encrypted, clear };  // clear: STARTTLS is offered, and demanded before AUTH
    SmtpSession(World& world, const Style& style, std::shared_ptr<Connection> connection, Begin begin)
        : world_(world),
          style_(style),
          connection_(std::move(connection)),
          encrypted_(begin == Begin::encrypted),
          starts_tls_(begin == Begin::clear) {}

    static awaitable<void> serve(std::shared_ptr<SmtpSession> self);

private:
    awaitable<void> handle(std::string verb, std::string rest);
    void hello();
    awaitable<void> start_tls();
    awaitable<void> authenticate(std::string rest);
    void begin_mail(std::string_view rest);
    void add_recipient(std::string_view rest);
    awaitable<void> take_chunk(std::string_view rest);
    awaitable<void> take_data();
    awaitable<void> conclude();
    /// Reads on in the body; false when a fault or the client broke the connection.
    awaitable<bool> take_bytes(std::size_t bytes);
    void forget_mail();

    /// Says what a fault wants said here instead of the usual; 421 is the last word.
    bool refused(FaultKind kind, std::string_view whom);
    void say(std::string_view line);

    World& world_;
    const Style& style_;
    std::shared_ptr<Connection> connection_;
    bool encrypted_;
    bool starts_tls_;
    bool leaving_ = false;
    std::string user_;   // of the token or password; empty before AUTH
    std::string login_;  // whose mailbox was named
    SentMail mail_;
    bool has_sender_ = false;
    std::optional<std::uint64_t> drops_at_;  // bytes of the body
};

}  // namespace sim

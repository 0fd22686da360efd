#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "engine/consumers/canonical_mail.hpp"
#include "engine/consumers/lmtp_verdict.hpp"
#include "engine/consumers/resting.hpp"
#include "protocols/net/seams.hpp"

namespace consumers {

/// Hands mail to an LMTP server (RFC 2033), each mail with one recipient. Sessions are kept from mail to mail and for
/// a while after; each deliver() under way uses one.
///
/// The envelope's sender is the one of the mail's first Return-Path, or the null sender. In front of the mail stand
/// X-Rohrpost-Id with its stable id, the same at each attempt, X-Rohrpost-Mailbox, and X-Rohrpost-Possible-Repeat: yes
/// when an earlier attempt may have delivered it.
class Lmtp final : public Consumer {
public:
    struct Options {
        std::string host;  // or the path of a socket
        std::uint16_t port = 0;
        std::string where;                          // for people
        std::shared_ptr<const net::TlsClient> tls;  // STARTTLS comes first; nullptr: nothing leaves this machine
        std::string recipient;                      // "{address}" and "{mailbox}" stand for the mailbox's
        std::string own_name;                       // for LHLO: a domain or address literal
        std::chrono::milliseconds turn = std::chrono::seconds(2);   // of one deliver(): then what is done is noted
        std::chrono::milliseconds rest = std::chrono::seconds(30);  // a session that nobody uses is kept so long
        std::chrono::milliseconds dial = std::chrono::seconds(30);
        smtp::Limits limits{};
        smtp::Paces paces{};
    };
    Lmtp(Options options, Seams& seams);
    ~Lmtp() override;

    awaitable<Delivered> deliver(std::span<const Mail> batch) override;
    void wind_up() noexcept override;

private:
    struct Line;
    struct Outcome {
        LmtpVerdict verdict{};
        bool may_be_there = false;
    };
    /// A line that is open, or in words why there is none.
    struct Opened {
        std::unique_ptr<Line> line;
        std::string why;
    };

    awaitable<Outcome> hand_over(std::unique_ptr<Line>& line, const Mail& mail, CanonicalMail& body,
                                 std::string_view head);
    [[nodiscard]] smtp::Envelope envelope_for(const smtp::Capabilities& offered, const CanonicalMail& body,
                                              const smtp::Address& recipient, std::string_view head) const;
    /// After an error: whose fault it was.
    [[nodiscard]] Outcome outcome_of(error_code error, const Line& line) const;
    awaitable<Opened> take_line();
    awaitable<Opened> open_line();
    awaitable<std::string> greet(Line& line);

    Options options_;
    Seams& seams_;
    Resting<Line> resting_;
    bool winding_up_ = false;
};

}  // namespace consumers

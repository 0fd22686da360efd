#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "engine/config/model.hpp"
#include "engine/consumers/body_reader.hpp"
#include "engine/consumers/mail_event.hpp"
#include "engine/consumers/resting.hpp"
#include "engine/consumers/webhook_verdict.hpp"
#include "protocols/http/kept.hpp"
#include "protocols/net/seams.hpp"
#include "protocols/webhook/receiver.hpp"

namespace consumers {

/// Posts each mail to a URL, signed as Standard Webhooks asks; webhook-id is the mail's stable id, the same at each
/// attempt. `json`: a CloudEvents document (MailEvent). `raw`: the mail itself as message/rfc822, streamed, with what
/// the document would say about it in CloudEvents headers (ce-…, binary mode).
///
/// Connections are kept from mail to mail and for a while after; each deliver() under way uses one. A connection is
/// opened to an address that was checked, never to another one, and not used for long, so that names may move.
class Webhook final : public Consumer {
public:
    struct Options {
        webhook::Receiver receiver;
        config::Consumer::Format format = config::Consumer::Format::json;
        std::string source;                                            // who speaks: "urn:rohrpost:NAME"
        MailView view{};                                               // of small mails, in JSON; none: left out
        std::chrono::milliseconds timeout = std::chrono::seconds(30);  // for the answer, and for connecting
        std::chrono::milliseconds turn = std::chrono::seconds(2);      // of one deliver(): then what is done is noted
        std::chrono::milliseconds rest = std::chrono::seconds(15);     // a connection nobody uses is kept so long
        std::chrono::milliseconds lifetime = std::chrono::minutes(5);  // of a connection
        http::Limits answer{.header_bytes_max = 64U << 10U, .body_bytes_max = 64U << 10U};
    };
    /// The receiver's URL was judged before.
    Webhook(Options options, Seams& seams);
    ~Webhook() override;

    awaitable<Delivered> deliver(std::span<const Mail> batch) override;
    void wind_up() noexcept override;

private:
    struct Line;
    struct Outcome {
        WebhookVerdict verdict{};
        std::string says{};
        bool may_be_there = false;
    };
    class StoredMail;

    awaitable<Outcome> hand_over(std::unique_ptr<Line>& line, const Mail& mail, std::string_view bytes);
    awaitable<Outcome> post(std::unique_ptr<Line>& line, http::Request request, http::Body& body);
    /// A connection into `line`, or why there is none.
    awaitable<error_code> take_line(std::unique_ptr<Line>& line);
    [[nodiscard]] http::Request request_for(const Mail& mail, const std::string& timestamp,
                                            std::string signature) const;
    [[nodiscard]] std::string timestamp_now() const;

    Options options_;
    webhook::Place place_;
    Seams& seams_;
    Resting<Line> resting_;
    bool winding_up_ = false;
};

}  // namespace consumers

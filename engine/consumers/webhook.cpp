#include "engine/consumers/webhook.hpp"

#include <fmt/format.h>

#include <utility>

#include "engine/consumers/message_id.hpp"
#include "protocols/base/ensure.hpp"
#include "protocols/http/url.hpp"
#include "protocols/mime/headers.hpp"
#include "protocols/net/errc.hpp"
#include "protocols/webhook/signature.hpp"

namespace consumers {
namespace {

using Fault = Delivered::Fault;

/// Others on the shard have their turn between two pieces of a large mail.
awaitable<void> give_way() {
    auto shard = co_await asio::this_coro::executor;
    co_await asio::post(shard, asio::use_awaitable);
}

/// A body that is there.
class WholeBody final : public http::Body {
public:
    explicit WholeBody(std::string_view bytes) noexcept : bytes_(bytes) {}
    [[nodiscard]] std::uint64_t size_bytes() const noexcept override { return bytes_.size(); }
    awaitable<Result<std::string_view>> next() override {
        const auto piece = std::exchange(left_, std::string_view());
        co_return piece;
    }

private:
    std::string_view bytes_;
    std::string_view left_ = bytes_;
};

webhook::Place judged_place(const std::string& url) {
    auto place = webhook::place_of(url);
    ensure(place.has_value(), "a URL is judged when it is imported");
    return std::move(*place);
}

}  // namespace

/// A mail on its way from the store, that never sits in memory.
class Webhook::StoredMail final : public http::Body {
public:
    explicit StoredMail(const Mail& mail) noexcept : reader_(*mail.bodies, mail.record.body), mail_(mail) {}
    [[nodiscard]] std::uint64_t size_bytes() const noexcept override { return mail_.record.body.length; }
    awaitable<Result<std::string_view>> next() override {
        if (reader_.finished()) co_return std::string_view();
        auto piece = reader_.next();
        if (!piece) co_return piece.error();
        piece_ = std::move(*piece);
        co_return std::string_view(piece_);
    }

private:
    BodyReader reader_;
    const Mail& mail_;
    std::string piece_;
};

struct Webhook::Line {
    Line(std::unique_ptr<net::Stream> stream, Monotonic now) : connection(std::move(stream)), opened_at(now) {}
    http::KeptConnection connection;
    Monotonic opened_at;
};

Webhook::Webhook(Options options, Seams& seams)
    : options_(std::move(options)),
      place_(judged_place(options_.receiver.url)),
      seams_(seams),
      resting_(seams.timers, options_.rest) {}

Webhook::~Webhook() = default;

void Webhook::wind_up() noexcept {
    winding_up_ = true;
    resting_.clear();
}

awaitable<Delivered> Webhook::deliver(std::span<const Mail> batch) {
    Delivered delivered;
    delivered.attempted = 0;
    const auto turn_ends = seams_.timers.now() + options_.turn;
    BodyRun bodies(batch);
    std::unique_ptr<Line> line;
    for (const Mail& mail : batch) {
        const auto at = delivered.count;
        if (winding_up_ || (at > 0 && seams_.timers.now() >= turn_ends)) break;
        std::string front;
        Result<std::string_view> bytes = std::string_view();
        if (BodyRun::small(mail)) {
            bytes = bodies.body(at);
        } else {
            auto read = mail.bodies->read(mail.record.body, 0, mime::header_bytes_max);
            if (read) front = std::move(*read);
            bytes = read ? Result<std::string_view>(front) : Result<std::string_view>(read.error());
        }
        if (!bytes) {
            delivered.reason =
                fmt::format("cannot read the body of {}: {}", text_of(mail.record.id), bytes.error().message());
            delivered.fault = fault_of_reading(bytes.error());
            break;
        }
        auto outcome = co_await hand_over(line, mail, *bytes);
        if (outcome.may_be_there) delivered.attempted = at + 1;
        if (!outcome.verdict.delivered) {
            delivered.reason = fmt::format("{}: {}", options_.receiver.url, outcome.says);
            delivered.fault = outcome.verdict.fault;
            delivered.pause = outcome.verdict.pause;
            break;
        }
        delivered.attempted = ++delivered.count;
    }
    const bool young = line && seams_.timers.now() - line->opened_at < options_.lifetime;
    if (young && !winding_up_ && line->connection.usable()) resting_.put(std::move(line));
    co_return delivered;
}

awaitable<Webhook::Outcome> Webhook::hand_over(std::unique_ptr<Line>& line, const Mail& mail, std::string_view bytes) {
    const auto id = text_of(mail.record.id);
    const auto timestamp = timestamp_now();
    if (options_.format == config::Consumer::Format::json) {
        const MailEvent event{mail, bytes, options_.source, options_.view};
        const auto document = event.document();
        auto request =
            request_for(mail, timestamp, webhook::signature_of(options_.receiver.key, id, timestamp, document));
        WholeBody body(document);
        auto outcome = co_await post(line, std::move(request), body);
        co_return outcome;
    }
    webhook::Signing signing(options_.receiver.key, id, timestamp);
    if (BodyRun::small(mail)) {
        signing.put(bytes);
        auto request = request_for(mail, timestamp, signing.finish());
        WholeBody body(bytes);
        auto outcome = co_await post(line, std::move(request), body);
        co_return outcome;
    }
    // The signature stands in front of what it signs: a large mail is read twice.
    StoredMail signed_mail(mail);
    for (;;) {
        auto piece = co_await signed_mail.next();
        if (!piece) {
            Outcome unread;
            unread.verdict.fault = fault_of_reading(piece.error());
            unread.says = fmt::format("the body cannot be read: {}", piece.error().message());
            co_return unread;
        }
        if (piece->empty()) break;
        signing.put(*piece);
        co_await give_way();
    }
    auto request = request_for(mail, timestamp, signing.finish());
    StoredMail body(mail);
    auto outcome = co_await post(line, std::move(request), body);
    co_return outcome;
}

awaitable<Webhook::Outcome> Webhook::post(std::unique_ptr<Line>& line, http::Request request, http::Body& body) {
    Outcome outcome;
    if (line && (!line->connection.usable() || seams_.timers.now() - line->opened_at >= options_.lifetime))
        line.reset();
    if (!line) {
        const auto why = co_await take_line(line);
        outcome.says = webhook::words_of(why);
        if (why) co_return outcome;
    }
    http::KeptConnection::Paces paces;
    paces.sending.within = options_.timeout;
    paces.answer.within = options_.timeout;
    auto response = co_await line->connection.ask(std::move(request), body, options_.answer, paces);
    if (response) {
        outcome.verdict = verdict_of(*response, seams_.timers.clock().wall());
        outcome.says = webhook::words_of(*response);
        co_return outcome;
    }
    const auto failed = response.error();
    outcome.says = webhook::words_of(failed);
    outcome.may_be_there = line->connection.sent_whole();
    if (failed.category() == store::category()) {
        outcome.verdict.fault = fault_of_reading(failed);
    } else if (outcome.may_be_there) {
        outcome.verdict.fault = Fault::mail;
        outcome.says += "; the mail was posted, and may have been taken";
    }
    line.reset();
    co_return outcome;
}

awaitable<error_code> Webhook::take_line(std::unique_ptr<Line>& line) {
    for (;;) {
        line = resting_.take();
        if (!line) break;
        const bool good = co_await line->connection.check_idle();
        if (good && seams_.timers.now() - line->opened_at < options_.lifetime) co_return error_code();
    }
    auto dial = webhook::dial_to(place_, options_.receiver, options_.timeout);
    auto stream = co_await seams_.dialer.dial(std::move(dial));
    if (!stream) co_return stream.error();
    line = std::make_unique<Line>(std::move(*stream), seams_.timers.now());
    co_return error_code();
}

http::Request Webhook::request_for(const Mail& mail, const std::string& timestamp, std::string signature) const {
    const auto id = text_of(mail.record.id);
    auto request = webhook::request_to(place_, id, timestamp, std::move(signature));
    auto& headers = request.headers;
    if (options_.format == config::Consumer::Format::json) {
        headers.emplace_back("Content-Type", "application/cloudevents+json");
        return request;
    }
    headers.emplace_back("Content-Type", "message/rfc822");
    headers.emplace_back("ce-specversion", "1.0");
    headers.emplace_back("ce-id", id);
    headers.emplace_back("ce-source", options_.source);
    headers.emplace_back("ce-type", mail_event_type);
    headers.emplace_back("ce-subject", mail.mailbox);
    headers.emplace_back("ce-time", time_text(mail.record.received_at));
    headers.emplace_back("ce-address", http::encoded(mail.address));
    headers.emplace_back("ce-folder", http::encoded(mail.folder));
    headers.emplace_back("ce-seq", std::to_string(mail.record.seq));
    if (mail.possible_repeat) headers.emplace_back("ce-possiblerepeat", "true");
    return request;
}

std::string Webhook::timestamp_now() const {
    const auto now = seams_.timers.clock().wall().time_since_epoch();
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

}  // namespace consumers

#include "engine/consumers/lmtp.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "engine/consumers/message_id.hpp"
#include "protocols/base/text.hpp"
#include "protocols/mime/field.hpp"
#include "protocols/mime/headers.hpp"

namespace consumers {
namespace {

using Fault = Delivered::Fault;

std::string front_of(const Mail& mail) {
    return fmt::format("X-Rohrpost-Id: {}\r\nX-Rohrpost-Mailbox: {}\r\n{}", text_of(mail.record.id), mail.mailbox,
                       mail.possible_repeat ? "X-Rohrpost-Possible-Repeat: yes\r\n" : "");
}

std::string recipient_for(std::string pattern, const Mail& mail) {
    const auto put = [&pattern](std::string_view mark, std::string_view what) {
        for (auto at = pattern.find(mark); at != std::string::npos; at = pattern.find(mark, at + what.size()))
            pattern.replace(at, mark.size(), what);
    };
    put("{mailbox}", mail.mailbox);
    put("{address}", mail.address);
    return pattern;
}

std::optional<smtp::Address> sender_in(std::string_view head) {
    auto path = mime::field_of(head, "Return-Path");
    if (!path.starts_with('<') || !path.ends_with('>')) return std::nullopt;
    path.remove_prefix(1);
    path.remove_suffix(1);
    auto address = smtp::Address::of(path);
    if (!address) return std::nullopt;
    return std::move(*address);
}

Delivered unreadable(std::size_t count, const Mail& mail, error_code reading) {
    return {.count = count,
            .reason = fmt::format("cannot read the body of {}: {}", text_of(mail.record.id), reading.message()),
            .fault = fault_of_reading(reading),
            .attempted = count};
}

}  // namespace

struct Lmtp::Line {
    Line(std::unique_ptr<net::Stream> connected, const Options& options)
        : stream(std::move(connected)), client(*stream, options.limits, options.paces) {}
    ~Line() { stream->close(); }
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;

    std::unique_ptr<net::Stream> stream;
    smtp::Client client;
    bool used = false;
};

Lmtp::Lmtp(Options options, Seams& seams)
    : options_(std::move(options)), seams_(seams), resting_(seams.timers, options_.rest) {}

Lmtp::~Lmtp() = default;

void Lmtp::wind_up() noexcept {
    winding_up_ = true;
    resting_.clear();
}

awaitable<Delivered> Lmtp::deliver(std::span<const Mail> batch) {
    Delivered delivered;
    delivered.attempted = 0;
    const auto turn_ends = seams_.timers.now() + options_.turn;
    BodyRun bodies(batch);
    std::unique_ptr<Line> line;
    for (const Mail& mail : batch) {
        const auto at = delivered.count;
        if (winding_up_ || (at > 0 && seams_.timers.now() >= turn_ends)) break;
        std::optional<CanonicalMail> body;
        std::string head;  // of a large mail
        std::string_view seen;
        if (BodyRun::small(mail)) {
            const auto bytes = bodies.body(at);
            if (!bytes) co_return unreadable(at, mail, bytes.error());
            seen = *bytes;
            body.emplace(front_of(mail), *bytes);
        } else {
            body.emplace(front_of(mail), mail);
            auto read = mail.bodies->read(mail.record.body, 0, mime::header_bytes_max);
            if (!read) co_return unreadable(at, mail, read.error());
            head = std::move(*read);
            seen = head;
            auto prepared = co_await body->prepare();
            if (!prepared) co_return unreadable(at, mail, prepared.error());
        }
        auto outcome = co_await hand_over(line, mail, *body, seen);
        if (outcome.may_be_there) delivered.attempted = at + 1;
        if (!outcome.verdict.delivered) {
            delivered.reason = fmt::format("LMTP to {}: {}", options_.where, outcome.verdict.says);
            delivered.fault = outcome.verdict.fault;
            break;
        }
        delivered.attempted = ++delivered.count;
    }
    if (line && !winding_up_ && line->client.usable()) resting_.put(std::move(line));
    co_return delivered;
}

awaitable<Lmtp::Outcome> Lmtp::hand_over(std::unique_ptr<Line>& line, const Mail& mail, CanonicalMail& body,
                                         std::string_view head) {
    const auto recipient = recipient_for(options_.recipient, mail);
    const auto address = smtp::Address::of(recipient);
    Outcome outcome;
    if (!address) {
        outcome.verdict.fault = Fault::mailbox;
        outcome.verdict.says = fmt::format("the recipient \"{}\" is no address: {}", text::printable(recipient),
                                           address.error().message());
        co_return outcome;
    }
    bool with_sender = true;
    for (;;) {
        if (!line) {
            auto opened = co_await take_line();
            outcome.verdict.says = std::move(opened.why);
            if (!opened.line) co_return outcome;
            line = std::move(opened.line);
        }
        auto envelope = envelope_for(line->client.capabilities(), body, *address, head);
        if (!with_sender) envelope.sender.reset();
        auto submitted = co_await line->client.submit(envelope, body);
        const bool was_used = std::exchange(line->used, true);
        if (!submitted) {
            outcome = outcome_of(submitted.error(), *line);
            // A server may leave a session that rested at any time: that says nothing of this mail.
            const bool untouched = was_used && !outcome.may_be_there && outcome.verdict.fault == Fault::consumer;
            line.reset();
            if (!untouched) co_return outcome;
            body.rewind();
            continue;
        }
        outcome.verdict = verdict_of(*submitted, address->text());
        if (!line->client.usable()) line.reset();
        if (!outcome.verdict.sender_refused || !envelope.sender) co_return outcome;
        with_sender = false;
        body.rewind();
    }
}

smtp::Envelope Lmtp::envelope_for(const smtp::Capabilities& offered, const CanonicalMail& body,
                                  const smtp::Address& recipient, std::string_view head) const {
    smtp::Envelope envelope;
    envelope.sender = sender_in(head);
    if (envelope.sender && envelope.sender->needs_smtputf8() && !offered.smtputf8) envelope.sender.reset();
    envelope.recipients.push_back({.address = recipient});
    // Without 8BITMIME the bytes go as they are, too: a delivery agent that breaks them is not known.
    if (body.eight_bit() && offered.eightbitmime) envelope.body_kind = smtp::BodyKind::eight_bit;
    return envelope;
}

Lmtp::Outcome Lmtp::outcome_of(error_code error, const Line& line) const {
    Outcome outcome;
    if (error.category() == store::category()) {
        outcome.verdict.fault = fault_of_reading(error);
        outcome.verdict.says = fmt::format("the body cannot be read: {}", error.message());
        return outcome;
    }
    outcome.may_be_there = line.client.in_doubt();
    const bool body_began = line.client.phase() >= smtp::Phase::body_started;
    outcome.verdict.fault = body_began ? Fault::mail : Fault::consumer;
    outcome.verdict.says =
        fmt::format("the connection was lost ({}): {}", smtp::words_of(line.client.phase()), error.message());
    if (outcome.may_be_there) outcome.verdict.says += "; the mail may have been taken";
    return outcome;
}

awaitable<Lmtp::Opened> Lmtp::take_line() {
    while (auto line = resting_.take()) {
        const auto good = co_await line->client.check_idle();
        if (good) co_return Opened{std::move(line), {}};
    }
    auto opened = co_await open_line();
    co_return opened;
}

awaitable<Lmtp::Opened> Lmtp::open_line() {
    net::Dial to;
    to.host = options_.host;
    to.port = options_.port;
    to.security = net::Security::plain;
    to.within = options_.dial;
    auto stream = co_await seams_.dialer.dial(std::move(to));
    if (!stream) co_return Opened{nullptr, fmt::format("connecting failed: {}", stream.error().message())};
    auto line = std::make_unique<Line>(std::move(*stream), options_);
    auto why = co_await greet(*line);
    if (!why.empty()) line.reset();
    co_return Opened{std::move(line), std::move(why)};
}

/// From the greeting to a session that takes mail; otherwise why not.
awaitable<std::string> Lmtp::greet(Line& line) {
    auto& client = line.client;
    auto reply = co_await client.greet();
    if (!reply) co_return fmt::format("no greeting: {}", reply.error().message());
    if (!reply->accepted()) co_return fmt::format("greeted with {}", reply->text());
    for (;;) {
        reply = co_await client.hello(options_.own_name, smtp::Client::Dialect::lmtp);
        if (!reply) co_return fmt::format("LHLO failed: {}", reply.error().message());
        if (!reply->accepted()) co_return fmt::format("LHLO was answered: {}", reply->text());
        if (options_.tls == nullptr || line.stream->encrypted()) co_return std::string();
        reply = co_await client.start_tls(*options_.tls, options_.host);
        if (!reply) co_return fmt::format("STARTTLS failed: {}", reply.error().message());
        if (!reply->accepted()) co_return fmt::format("STARTTLS was answered: {}", reply->text());
    }
}

}  // namespace consumers

#include "engine/submission/acceptance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "protocols/base/text.hpp"
#include "protocols/mime/conversion.hpp"

namespace submission {
namespace {

constexpr std::string_view digits = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t id_characters = 13;

std::string mark_from(Random& random) {
    std::string mark;
    for (int half = 0; half < 2; ++half) {
        std::uint64_t bits = random.next();
        for (int each = 0; each < 12; ++each, bits >>= 5U) mark += digits[bits & 31U];
    }
    return mark;
}

Fault fault(errc code, const std::string& about = {}) {
    const auto made = make_error_code(code);
    return {made, about.empty() ? made.message() : fmt::format("{}: {}", about, made.message())};
}

Fault bad_address(std::string_view role, std::string_view address, error_code reason) {
    return {reason, fmt::format("{} \"{}\": {}", role, text::printable(address, 100), reason.message())};
}

/// What the header fields ask for goes into the order; false: they cannot be read.
bool granted(Preparation::Wishes& wishes, Order& order) {
    if (wishes.key.size() > key_bytes_max) return false;
    if (!wishes.key.empty()) order.key = std::move(wishes.key);
    if (!wishes.lane.empty()) {
        const auto lane = lane_of(text::lowered(wishes.lane));
        if (!lane) return false;
        order.lane = *lane;
    }
    if (!wishes.not_before.empty()) {
        const auto seconds = text::number<std::uint64_t>(wishes.not_before);
        if (!seconds || *seconds > (std::uint64_t{1} << 33U)) return false;
        order.not_before = store::Millis(std::chrono::seconds(*seconds));
    }
    return true;
}

/// Long lines go: parts that have them are encoded, header lines folded.
std::optional<Fault> shorten(std::string& message, Preparation::Facts& facts) {
    mime::Survey survey(mime::Goal::short_lines);
    survey.put(message);
    auto plan = survey.finish();
    if (!plan.needed) return std::nullopt;
    if (plan.unfit) {
        const auto code = make_error_code(errc::line_too_long);
        return Fault{code, fmt::format("{}: {}", code.message(), plan.unfit->words())};
    }
    std::string shortened;
    shortened.reserve(message.size() + message.size() / 2);
    mime::Conversion conversion(std::move(plan));
    conversion.put(message, shortened);
    conversion.finish(shortened);
    message = std::move(shortened);
    smtp::BodyInspection inspection;
    inspection.take(message);
    facts.eight_bit = inspection.facts().eight_bit;
    return std::nullopt;
}

store::Millis in_millis(WallTime time) { return std::chrono::time_point_cast<std::chrono::milliseconds>(time); }

}  // namespace

std::variant<Draft, Fault> drafted(Order order, Random& random, WallTime now) {
    Draft draft;
    draft.ticket.mark = mark_from(random);
    std::optional<smtp::Address> sender;
    if (order.sender) {
        const auto address = smtp::Address::of(*order.sender);
        if (!address) return bad_address("sender", *order.sender, address.error());
        sender = *address;
    }
    Preparation::Options options;
    options.line_ends = order.line_ends;
    options.mark = draft.ticket.mark;
    options.from = sender ? sender->text() : std::string();
    options.id_domain = sender ? std::string(sender->domain()) : "rohrpost.invalid";
    if (!order.received_from.empty())
        options.received = fmt::format("{} id {};\r\n\t{}", order.received_from, draft.ticket.mark, date_of(now));
    options.takes_wishes = order.wishes_in_headers;
    options.now = now;
    Preparation preparation(std::move(options));
    draft.message.reserve(order.message.size() + order.message.size() / 40 + 512);
    const auto taken = preparation.put(order.message, draft.message);
    if (!taken) return Fault{taken.error(), taken.error().message()};
    std::string().swap(order.message);
    auto facts = preparation.finish(draft.message);
    if (!facts) return Fault{facts.error(), facts.error().message()};
    if (facts->long_lines) {
        if (auto unfit = shorten(draft.message, *facts)) return std::move(*unfit);
    }

    if (!granted(facts->wishes, order)) return fault(errc::bad_wish);
    if (!sender) {
        if (!facts->from) return fault(errc::unknown_sender, "the message has no From field");
        const auto address = smtp::Address::of(*facts->from);
        if (!address) return bad_address("From", *facts->from, address.error());
        sender = *address;
    }
    if (order.recipients_of_headers) {
        if (!facts->recipients_readable) return fault(errc::bad_recipient);
        order.recipients.insert(order.recipients.end(), facts->recipients.begin(), facts->recipients.end());
    }
    auto& envelope = draft.ticket.envelope;
    envelope.sender = sender;
    envelope.id = std::move(order.envelope_id);
    envelope.returned = order.returned;
    for (const auto& recipient : order.recipients) {
        const auto address = smtp::Address::of(recipient);
        if (!address) return bad_address("recipient", recipient, address.error());
        order.addressed.push_back({.address = *address, .notify = order.notify, .original = ""});
        if (order.addressed.size() > recipients_max) return fault(errc::too_many_recipients);
    }
    std::set<std::string_view> known;
    for (const auto& recipient : order.addressed)
        if (known.insert(recipient.address.text()).second) envelope.recipients.push_back(recipient);
    if (envelope.recipients.size() > recipients_max) return fault(errc::too_many_recipients);
    if (envelope.recipients.empty()) return fault(errc::no_recipients);
    envelope.body_kind = facts->eight_bit ? smtp::BodyKind::eight_bit : smtp::BodyKind::seven_bit;
    envelope.headers = facts->utf8_headers ? smtp::Envelope::Headers::utf8 : smtp::Envelope::Headers::ascii;
    draft.ticket.message_id = std::move(facts->message_id);
    draft.ticket.subject = std::move(facts->subject);

    auto& row = draft.submission;
    row.lane = order.lane;
    row.accepted_at = in_millis(now);
    row.changed_at = row.accepted_at;
    row.due = order.not_before && *order.not_before > row.accepted_at ? *order.not_before : row.accepted_at;
    row.expires_at = *row.due + order.life;
    row.key = std::move(order.key);
    row.envelope = encoded(draft.ticket);
    return draft;
}

Result<AcceptWork::Accepted> AcceptWork::operator()(store::Workbench bench) {
    const auto sender = senders->find(bench.store, draft.ticket.envelope.sender->text());
    if (!sender) return sender.error();
    if (!*sender) return errc::unknown_sender;
    Accepted accepted{.id = 0, .mailbox = (*sender)->number, .mailbox_id = (*sender)->mailbox};
    auto& outbox = bench.store.outbox();
    if (!draft.submission.key.empty()) {  // before the bytes are kept a second time
        const auto known = outbox.submission_by_key(draft.submission.key);
        if (!known) return known.error();
        if (*known) {
            accepted.id = **known;
            accepted.known_before = true;
            return accepted;
        }
    }
    if (!senders->closed().empty() && !even_when_closed) return errc::closed;
    const auto place = bench.bodies.append(draft.message);
    if (!place) return place.error();
    draft.submission.mailbox = accepted.mailbox;
    draft.submission.body = *place;
    const auto kept = outbox.accept(draft.submission);
    if (!kept) return kept.error();
    accepted.id = kept->id;
    const auto told = outbox.add_event({.submission = kept->id,
                                        .mailbox = accepted.mailbox,
                                        .at = draft.submission.accepted_at,
                                        .kind = "accepted",
                                        .detail = "{}"});
    if (!told) return told.error();
    return accepted;
}

std::optional<store::Lane> lane_of(std::string_view word) {
    if (word.empty() || word == "interactive") return store::Lane::interactive;
    if (word == "bulk") return store::Lane::bulk;
    if (word == "alarm") return store::Lane::alarm;
    return std::nullopt;
}

std::string id_text(store::SubmissionId id) {
    std::string text(id_characters, '0');
    auto bits = static_cast<std::uint64_t>(id);
    for (auto at = text.rbegin(); at != text.rend(); ++at, bits >>= 5U) *at = digits[bits & 31U];
    return text;
}

std::optional<store::SubmissionId> id_from(std::string_view text) {
    if (text.size() != id_characters) return std::nullopt;
    std::uint64_t bits = 0;
    for (const char c : text) {
        const auto digit = digits.find(text::lower(c));
        if (digit == std::string_view::npos || bits >> 58U != 0) return std::nullopt;
        bits = bits << 5U | digit;
    }
    return static_cast<store::SubmissionId>(bits);
}

}  // namespace submission

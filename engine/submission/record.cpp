#include "engine/submission/record.hpp"

#include <charconv>

namespace submission {
namespace {

constexpr std::string_view format_of_ticket = "1";
constexpr std::string_view format_of_progress = "2";
constexpr std::string_view older_format_of_progress = "1";  // without copies

class Writer {
public:
    void text(std::string_view field) {
        bytes_ += std::to_string(field.size());
        bytes_ += ':';
        bytes_ += field;
    }
    void number(std::uint64_t value) { text(std::to_string(value)); }
    std::string take() { return std::move(bytes_); }

private:
    std::string bytes_;
};

/// After the first field that is broken, every field is empty and done() is false.
class Reader {
public:
    explicit Reader(std::string_view bytes) : left_(bytes) {}
    std::string_view text() {
        std::size_t length = 0;
        const auto [end, failed] = std::from_chars(left_.data(), left_.data() + left_.size(), length);
        const auto digits = static_cast<std::size_t>(end - left_.data());
        if (failed != std::errc() || digits >= left_.size() || *end != ':' || left_.size() - digits - 1 < length) {
            sound_ = false;
            left_ = {};
            return {};
        }
        const auto field = left_.substr(digits + 1, length);
        left_.remove_prefix(digits + 1 + length);
        return field;
    }
    std::uint64_t number(std::uint64_t most) {
        const auto field = text();
        std::uint64_t value = 0;
        const auto [end, failed] = std::from_chars(field.data(), field.data() + field.size(), value);
        if (failed != std::errc() || end != field.data() + field.size() || value > most) sound_ = false;
        return sound_ ? value : 0;
    }
    [[nodiscard]] bool sound() const noexcept { return sound_; }
    [[nodiscard]] bool done() const noexcept { return sound_ && left_.empty(); }

private:
    std::string_view left_;
    bool sound_ = true;
};

std::uint64_t bits_of(const smtp::Notify& notify) {
    return (notify.never ? 1U : 0U) | (notify.success ? 2U : 0U) | (notify.failure ? 4U : 0U) |
           (notify.delay ? 8U : 0U);
}

smtp::Notify notify_of(std::uint64_t bits) {
    return {
        .never = (bits & 1U) != 0, .success = (bits & 2U) != 0, .failure = (bits & 4U) != 0, .delay = (bits & 8U) != 0};
}

}  // namespace

std::string encoded(const Ticket& ticket) {
    Writer to;
    const smtp::Envelope& envelope = ticket.envelope;
    to.text(format_of_ticket);
    to.text(ticket.message_id);
    to.text(ticket.mark);
    to.text(ticket.subject);
    to.text(envelope.sender ? envelope.sender->text() : std::string());
    to.number(static_cast<std::uint64_t>(envelope.body_kind));
    to.number(static_cast<std::uint64_t>(envelope.headers));
    to.number(static_cast<std::uint64_t>(envelope.returned));
    to.text(envelope.id);
    to.number(envelope.recipients.size());
    for (const auto& recipient : envelope.recipients) {
        to.text(recipient.address.text());
        to.number(bits_of(recipient.notify));
        to.text(recipient.original);
    }
    return to.take();
}

std::optional<Ticket> ticket_from(std::string_view bytes) {
    Reader from(bytes);
    if (from.text() != format_of_ticket) return std::nullopt;
    Ticket ticket;
    smtp::Envelope& envelope = ticket.envelope;
    ticket.message_id = from.text();
    ticket.mark = from.text();
    ticket.subject = from.text();
    if (const auto sender = from.text(); !sender.empty()) {
        const auto address = smtp::Address::of(sender);
        if (!address) return std::nullopt;
        envelope.sender = *address;
    }
    envelope.body_kind = static_cast<smtp::BodyKind>(from.number(2));
    envelope.headers = static_cast<smtp::Envelope::Headers>(from.number(1));
    envelope.returned = static_cast<smtp::Returned>(from.number(2));
    envelope.id = from.text();
    const auto recipients = from.number(bytes.size());
    for (std::uint64_t each = 0; each < recipients && from.sound(); ++each) {
        const auto address = smtp::Address::of(from.text());
        if (!address) return std::nullopt;
        const auto notify = notify_of(from.number(15));
        envelope.recipients.push_back({.address = *address, .notify = notify, .original = std::string(from.text())});
    }
    if (!from.done()) return std::nullopt;
    return ticket;
}

std::string encoded(const Progress& progress) {
    Writer to;
    to.text(format_of_progress);
    to.number(progress.looks);
    to.number(progress.doubts);
    to.number(progress.copies);
    to.number(progress.recipients.size());
    for (const auto& fate : progress.recipients) {
        to.number(static_cast<std::uint64_t>(fate.state));
        to.text(fate.said);
    }
    return to.take();
}

std::optional<Progress> progress_from(std::string_view bytes, std::size_t recipients) {
    Progress progress;
    if (bytes.empty()) {
        progress.recipients.resize(recipients);
        return progress;
    }
    Reader from(bytes);
    const auto format = from.text();
    if (format != format_of_progress && format != older_format_of_progress) return std::nullopt;
    progress.looks = static_cast<std::uint32_t>(from.number(UINT32_MAX));
    progress.doubts = static_cast<std::uint32_t>(from.number(UINT32_MAX));
    if (format == format_of_progress) progress.copies = static_cast<std::uint32_t>(from.number(UINT32_MAX));
    if (from.number(UINT32_MAX) != recipients) return std::nullopt;
    for (std::size_t each = 0; each < recipients && from.sound(); ++each) {
        const auto state = static_cast<Fate::State>(from.number(4));
        progress.recipients.push_back({.state = state, .said = std::string(from.text())});
    }
    if (!from.done()) return std::nullopt;
    return progress;
}

}  // namespace submission

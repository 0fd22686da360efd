#include "engine/config/read_shadow.hpp"

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "protocols/base/text.hpp"

namespace config {
namespace {

constexpr std::chrono::seconds grace_min{1};
constexpr std::chrono::hours grace_max{7 * 24};

/// Seconds of "90s", "15m" or "2h".
std::optional<std::chrono::seconds> grace_of(std::string_view written) {
    if (written.empty()) return std::nullopt;
    const auto count = text::number<std::uint32_t>(written.substr(0, written.size() - 1));
    if (!count) return std::nullopt;
    std::chrono::seconds unit{0};
    if (written.back() == 's') unit = std::chrono::seconds(1);
    if (written.back() == 'm') unit = std::chrono::minutes(1);
    if (written.back() == 'h') unit = std::chrono::hours(1);
    const auto grace = *count * unit;
    if (grace < grace_min || grace > grace_max) return std::nullopt;
    return grace;
}

/// What takes, changes or sends mail is not for a mailbox that belongs to another product.
void refuse_company(const Fields& fields, Mailbox& into) {
    if (into.protocol == Protocol::pop3) {
        fields.fault(
            "protocol",
            "found \"pop3\", expected \"imap\": over POP3 a look counts as taking at Gmail. A mailbox that the "
            "other product reads over POP3 can be shadowed over IMAP");
    }
    if (fields.has("consumer")) {
        fields.fault("consumer",
                     "a shadow mailbox takes no mail that anybody could get; leave it out, or leave \"shadow\" out");
    }
    if (into.after != After::keep) {
        fields.fault("after", "the mail of a shadow mailbox is another product's, and never changed; leave it out");
    }
    if (fields.has("submit")) {
        fields.fault("submit", "a shadow mailbox sends nothing; leave it out, or give it to a mailbox of its own");
    }
    if (fields.has("start") && into.start.from == Start::From::all) {
        fields.fault(
            "start",
            "what was there before cannot be told from what was missed; expected \"new\", or a date from which "
            "on the other product is known to take everything");
    }
}

}  // namespace

void read_shadow(const Fields& fields, Mailbox& into, Faults& faults) {
    const auto* object = fields.object("shadow", R"(an object with "taken" and "grace", like {"taken": "seen"})");
    if (object == nullptr) return;
    const Fields own(*object, fields.path("shadow"), {"taken", "grace"}, faults);
    Shadow shadow;
    shadow.taken = own.choice("taken", taken_words).value_or(shadow.taken);
    constexpr std::string_view expected = "how long the other product may take, from \"1s\" to \"168h\", like \"15m\"";
    const auto written = own.text("grace", expected);
    const auto grace = grace_of(written);
    if (grace) shadow.grace = *grace;
    if (!grace && !written.empty())
        own.fault("grace", fmt::format("found {}, expected {}", described(*own.find("grace")), expected));
    into.shadow = shadow;
    refuse_company(fields, into);
    if (!fields.has("start")) into.start.from = Start::From::fresh;
}

std::string grace_text(std::chrono::milliseconds grace) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(grace).count();
    if (seconds % 3600 == 0) return fmt::format("{}h", seconds / 3600);
    if (seconds % 60 == 0) return fmt::format("{}m", seconds / 60);
    return fmt::format("{}s", seconds);
}

}  // namespace config

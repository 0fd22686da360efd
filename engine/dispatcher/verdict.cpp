#include "engine/dispatcher/verdict.hpp"

#include <algorithm>
#include <array>

#include "protocols/base/text.hpp"
#include "queue/retry.hpp"

namespace dispatcher {

using namespace std::chrono_literals;

namespace {

constexpr auto short_pause = std::chrono::milliseconds(1min);
constexpr auto long_pause = std::chrono::milliseconds(1h);

/// A text by which a provider says something else than its code does.
struct Said {
    std::uint16_t code;         // 0: any
    std::string_view enhanced;  // a beginning of "5.7.60 …"; empty: any
    std::string_view words;     // lower case, anywhere in the reply; empty: any
    Judgement meaning;
};

constexpr Judgement slower{Cause::throttled, short_pause, false};
constexpr Judgement fewer{Cause::throttled, 10s, true};
constexpr Judgement spent{Cause::exhausted, long_pause, false};
constexpr Judgement person{Cause::account, 0ms, false};
constexpr Judgement person_for_mailbox{Cause::mailbox, 0ms, false};
constexpr Judgement other_connection{Cause::connection, 0ms, false};
constexpr Judgement crowd{Cause::crowded, 0ms, false};
constexpr Judgement never{Cause::refused, 0ms, false};

// The first that fits counts. PROVIDERS.md sections 8.3, 8.4 and 10.
constexpr std::array table{
    // Exchange Online: concurrency and rate
    Said{432, "", "", fewer},
    Said{0, "", "sender thread limit exceeded", fewer},
    Said{0, "", "concurrent connections limit exceeded", fewer},
    Said{0, "4.7.5", "", slower},
    Said{0, "4.7.6", "", slower},
    Said{0, "", "server busy", slower},
    // quotas of hours
    Said{0, "", "submissionquotaexceeded", spent},
    Said{0, "", "submission quota exceeded", spent},
    Said{0, "5.1.90", "", spent},
    Said{0, "5.7.232", "", spent},
    Said{0, "5.7.233", "", spent},
    Said{0, "5.4.5", "", spent},                           // Gmail: daily limit
    Said{0, "4.2.1", "smtp relay limit exceeded", spent},  // Gmail: peak
    Said{0, "4.7.28", "", slower},                         // Gmail: rate
    // rights, licence, bans
    Said{0, "5.7.60", "", person_for_mailbox},
    Said{0, "5.7.57", "", person},
    Said{0, "", "sendasdenied", person_for_mailbox},
    Said{0, "", "quotaexceededexception", person_for_mailbox},  // Sent Items is full
    Said{0, "", "mapiexceptionmaxobjsexceeded", person_for_mailbox},
    Said{0, "5.1.8", "", person_for_mailbox},
    Said{0, "5.7.50", "", person},
    Said{0, "5.7.705", "", person},
    Said{0, "5.7.708", "", person},
    Said{0, "5.7.750", "", person},
    Said{530, "", "", person},
    Said{535, "", "", person},
    Said{538, "", "", person},
    // the message itself, though the codes look like policy
    Said{0, "5.7.512", "", never},
    Said{0, "5.1.20", "", never},
    Said{0, "5.6.11", "", never},
    // too many recipients
    Said{0, "4.5.3", "", crowd},
    Said{0, "5.5.3", "", crowd},
};

bool fits(const Said& said, const smtp::Reply& reply, std::string_view enhanced, std::string_view words) {
    if (said.code != 0 && said.code != reply.code) return false;
    if (!enhanced.starts_with(said.enhanced)) return false;
    return words.find(said.words) != std::string_view::npos;
}

Judgement by_code(Step step, const smtp::Reply& reply) {
    if (reply.code == 421) return other_connection;
    switch (step) {
        case Step::greeting:
            return reply.transient() ? other_connection : person;
        case Step::log_in:
            return reply.transient() ? Judgement{Cause::connection, short_pause, false} : person;
        case Step::recipient:
            // 452 here is "too many recipients", 552 the same from old servers. RFC 5321 section 4.5.3.1.10.
            // A full mailbox says 5.2.2 with it.
            if ((reply.code == 452 || reply.code == 552) && !(reply.enhanced && reply.enhanced->subject == 2))
                return crowd;
            break;
        case Step::sender:
        case Step::body:
            break;
    }
    if (reply.transient()) {
        // 4.3.x is the server's own trouble, 4.4.x and 4.7.0 the network's or the proxy's between: the next connection
        // may do better, and no mail is to blame.
        const bool server = reply.enhanced && (reply.enhanced->subject == 3 || reply.enhanced->subject == 4);
        if (server && step != Step::recipient) return {Cause::connection, short_pause, false};
        return {Cause::deferred, 0ms, false};
    }
    return never;
}

}  // namespace

Judgement judgement_of(Step step, const smtp::Reply& reply) {
    if (!reply.refused()) return {};
    const std::string words = text::lowered(reply.text());
    const std::string enhanced = reply.enhanced ? reply.enhanced->text() + " " : std::string();
    for (const auto& said : table) {
        if (fits(said, reply, enhanced, words)) return said.meaning;
    }
    return by_code(step, reply);
}

std::chrono::milliseconds retry_after(std::uint32_t attempts, double fraction) {
    queue::BackOff back_off{.first = 1min, .most = 1h, .survival = 0ms, .failures = attempts == 0 ? 0 : attempts - 1};
    const auto whole = back_off.ceiling();
    const auto half = static_cast<double>(whole.count()) / 2;
    return std::chrono::milliseconds(static_cast<std::int64_t>(half + half * std::clamp(fraction, 0.0, 1.0)));
}

}  // namespace dispatcher

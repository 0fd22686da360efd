#include "engine/alarming/condition.hpp"

namespace alarming {

std::string_view word_of(Rule rule) {
    switch (rule) {
        case Rule::grant_dead:
            return "grant-dead";
        case Rule::grant_ending:
            return "grant-ending";
        case Rule::mailbox_stuck:
            return "mailbox-stuck";
        case Rule::mailbox_silent:
            return "mailbox-silent";
        case Rule::mail_unaccounted:
            return "mail-unaccounted";
        case Rule::sending_parked:
            return "sending-parked";
        case Rule::queue_late:
            return "queue-late";
        case Rule::doubt_held:
            return "doubt-held";
        case Rule::consumer_failing:
            return "consumer-failing";
        case Rule::webhook_failing:
            return "webhook-failing";
        case Rule::disk_full:
            return "disk-full";
        case Rule::disk_low:
            return "disk-low";
        case Rule::store_failed:
            return "store-failed";
        case Rule::server_silent:
            return "server-silent";
    }
    return "unknown";
}

std::optional<Rule> rule_of(std::string_view word) {
    constexpr int rules = static_cast<int>(Rule::server_silent) + 1;
    for (int number = 0; number < rules; ++number) {
        const auto rule = static_cast<Rule>(number);
        if (word_of(rule) == word) return rule;
    }
    return std::nullopt;
}

Patience patience_of(Rule rule) {
    switch (rule) {
        case Rule::store_failed:
        case Rule::disk_full:
            return {0, 2};
        case Rule::grant_dead:
        case Rule::doubt_held:
        case Rule::mail_unaccounted:
            return {1, 2};
        case Rule::grant_ending:
        case Rule::disk_low:
            return {2, 20};
        case Rule::server_silent:
            return {2, 2};
        case Rule::mailbox_stuck:
        case Rule::mailbox_silent:  // the rule itself has waited
        case Rule::queue_late:
            return {4, 4};
        case Rule::sending_parked:  // a throttle of some minutes is everyday life
        case Rule::consumer_failing:
        case Rule::webhook_failing:
            return {30, 4};
    }
    return {1, 1};
}

}  // namespace alarming

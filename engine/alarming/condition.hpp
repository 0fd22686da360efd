#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace alarming {

/// What may be wrong.
enum class Rule {
    grant_dead,        // nobody can log in with a credential until somebody acts
    grant_ending,      // a secret, certificate or refresh token ends soon
    mailbox_stuck,     // a mailbox, or a folder of it, cannot be fetched, and the credential is not the cause
    mailbox_silent,    // for too long nothing has proved that no mail was missed
    mail_unaccounted,  // a server has mail that the ledger does not know, and that cannot be fetched
    sending_parked,    // mail waits, and its account may not or cannot send
    queue_late,        // mail waits to be sent for too long
    doubt_held,        // mail that may have left waits for a person
    consumer_failing,  // an application does not take its mail
    webhook_failing,   // nor its events
    disk_full,
    disk_low,
    store_failed,
    server_silent,  // the services server that is watched does not answer
};

/// "grant-dead"; stable, for machines.
std::string_view word_of(Rule rule);
std::optional<Rule> rule_of(std::string_view word);

/// Something that is wrong now.
struct Condition {
    Rule rule = Rule::grant_dead;
    std::string subject;  // whose: the id of a credential, a mailbox, …; empty where there is only one
    std::string step;     // of one that gets worse; each is told anew
    std::string what;     // for people, in a sentence
    std::string remedy;   // what helps; empty: the sentence says it

    [[nodiscard]] std::string place() const { return std::string(word_of(rule)) + ' ' + subject; }
    [[nodiscard]] std::string key() const { return place() + ' ' + step; }
};

/// How long a condition must stand before it is an alarm, and be gone before the alarm is over, in units that whoever
/// watches sets (30 s by default). So what comes and goes within seconds is told to nobody, and what comes and goes for
/// hours is told once.
struct Patience {
    int to_raise;
    int to_clear;
};
Patience patience_of(Rule rule);

}  // namespace alarming

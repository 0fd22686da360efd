#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/alarming/board.hpp"
#include "engine/alarming/notice.hpp"
#include "engine/alarming/rules.hpp"
#include "engine/console/api.hpp"
#include "engine/control/alarming.hpp"
#include "engine/live_view.hpp"
#include "engine/outgoing.hpp"
#include "engine/roster.hpp"
#include "engine/submission/acceptance.hpp"
#include "engine/webhooks/feeds.hpp"

/// The role alarm: looks at the facts every few seconds, and tells operators what is wrong and what is over, once. By
/// mail through a mailbox that can send, and if that mail does not leave, through the next one; as events to webhooks;
/// in log, API and metrics. What was told is durable in the same transaction as its mail. On the main shard, but for
/// what says otherwise.
class Alarms final : public control::Alarming {
public:
    struct Uses {
        runtime::Shard& main;
        store::Committer& committer;
        const tokens::TokenService& tokens;
        const retriever::StateBoard& board;
        Outgoing& outgoing;
        const LiveView& view;
        webhooks::Feeds& feeds;
        Random& random;
        std::shared_ptr<submission::Senders> senders;
        std::string data;  // the directory
        std::string host;  // which daemon speaks
        alarming::Limits limits;
        std::chrono::milliseconds patience;  // see alarming::patience_of; what happens within it goes into one mail
        bool tells = true;                   // false: others ask for conditions() alone
        console::Api* watched = nullptr;     // a services server, of whose conditions it tells as well
        std::string watched_url;
    };
    explicit Alarms(Uses uses) : uses_(std::move(uses)) {}

    /// These are told from now on.
    void serve(std::vector<config::AlarmMail> mails, const Roster& roster);
    /// For ever. Cancelled to end it.
    awaitable<void> watch();
    /// Tells webhooks of what is the end of this process.
    awaitable<void> last_words(alarming::Condition condition);

    std::vector<Alarm> alarms() const override;  // any thread
    bool tells() const override { return uses_.tells; }
    awaitable<std::vector<Alarm>> conditions() override;
    [[nodiscard]] std::vector<runtime::Metric> metrics() const;  // any thread

private:
    /// A mail that was handed in, until it has left.
    struct Told {
        std::string mail;                // id of the AlarmMail
        std::vector<std::string> tried;  // of its `from`, the last one now
        store::SubmissionId submission = 0;
        WallTime at{};
        std::vector<alarming::Board::Change> changes;
    };
    struct TellWork;
    struct LeftWork;

    awaitable<alarming::Board> read_board();
    awaitable<alarming::Facts> gather();
    awaitable<std::vector<alarming::Condition>> conditions_there();
    void keep_standing(std::vector<alarming::Condition>& conditions) const;
    awaitable<void> look();
    awaitable<bool> tell();
    awaitable<void> follow_up();
    awaitable<void> post_past_the_store();
    /// nullptr: it was removed.
    [[nodiscard]] const config::AlarmMail* mail_of(const Told& told) const;
    /// Of the mailboxes that were not tried, one that looks well if there is one; nullopt: none is left.
    [[nodiscard]] std::optional<std::string> way_of(const config::AlarmMail& mail,
                                                    const std::vector<std::string>& tried) const;
    [[nodiscard]] std::optional<submission::Draft> draft_of(const config::AlarmMail& mail, const std::string& mailbox,
                                                            const std::vector<alarming::Board::Change>& changes);
    void show();
    [[nodiscard]] WallTime wall() const { return uses_.main.timers().clock().wall(); }

    Uses uses_;
    std::vector<config::AlarmMail> mails_;
    std::map<std::string, std::string> address_of_;     // by mailbox that sends
    std::map<std::string, std::string> credential_of_;  // by mailbox
    alarming::Board board_;
    std::vector<alarming::Board::Change> pending_;  // to be told
    std::size_t posted_ = 0;                        // of them, those that webhooks heard of past the store
    std::optional<Monotonic> pending_since_;
    std::optional<Monotonic> told_at_;
    std::vector<Told> told_;
    mutable std::mutex mutex_;
    std::vector<Alarm> shown_;
};

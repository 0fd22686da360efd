#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/control/submissions.hpp"
#include "engine/engine.hpp"
#include "tests/simulation/application.hpp"
#include "tests/simulation/audit.hpp"
#include "tests/simulation/orders.hpp"
#include "tools/rohrpost-sim/world.hpp"

namespace simulation {

/// Mail that applications hand in, and what becomes of it as the provider, the store and the application see it.
/// Remembers everything, whatever becomes of the daemon. One thread.
class Correspondence {
public:
    struct Order {
        std::uint32_t number = 0;
        submission::Order asked;
        std::string text;                         // below the header section
        std::optional<store::SubmissionId> id;    // acknowledged
        bool asked_now = false;                   // the present process has not answered yet
        bool lost = false;                        // without a key, and nobody knows whether it was taken
        bool cancelled = false;                   // an operator said so, and may have been heard
        bool may_repeat = false;                  // by the policy, or by an operator's word
        std::map<std::string, unsigned> arrived;  // how often, by recipient
    };
    /// What an order is like; the rest is drawn.
    struct Wish {
        std::uint32_t box = 1;
        std::size_t bytes = 500;
        std::uint32_t recipients = 1;
        bool keyed = true;
        std::string message_id{};  // empty: the daemon makes one
        store::Lane lane = store::Lane::interactive;
        std::chrono::milliseconds later{0};
        std::chrono::milliseconds life{std::chrono::hours(48)};
    };
    /// What was configured.
    struct Terms {
        bool retries_in_doubt = false;
        std::uint32_t mails_per_minute = 0;
        std::uint32_t recipients_per_day = 0;         // 0: no limit
        std::uint32_t tenant_mails_per_minute = 0;    // likewise, over all mailboxes
        std::uint32_t tenant_recipients_per_day = 0;  // likewise
    };

    Correspondence(Fate& fate, Events& events, const sim::World& world, const Clock& clock)
        : fate_(fate), events_(events), world_(world), clock_(clock) {}

    void agree(const Terms& terms) noexcept { terms_ = terms; }
    /// Its number, from 1. Nothing is handed in yet.
    std::uint32_t write(const Wish& wish);
    /// Asks the daemon to take it; afterwards is_taken() or wants_asking(), unless it is lost.
    void hand_in(Engine& engine, std::uint32_t number);
    [[nodiscard]] bool wants_asking(std::uint32_t number) const;
    [[nodiscard]] std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(orders_.size()); }
    /// An operator's word on one that was taken.
    void decide(Engine& engine, std::uint32_t number, control::Act act);
    [[nodiscard]] bool is_taken(std::uint32_t number) const { return at(number).id.has_value(); }
    /// Those that an operator holds.
    [[nodiscard]] std::vector<std::uint32_t> held() const;

    /// A process begins: what the one before has not answered is unknown.
    void process_begins();
    /// Once something may have come to the provider.
    void watch_provider();
    /// What was durable at some moment since.
    void learn(const OutboxState& found);
    [[nodiscard]] std::int64_t events_known() const noexcept { return static_cast<std::int64_t>(told_.size()); }
    /// As of the last learn().
    [[nodiscard]] bool at_rest() const;
    /// After the end, with all rows: each order is where it should be, once.
    void check_end(const OutboxState& found, const Application& application);
    void note_all() const;
    /// What arrived, by order and recipient.
    [[nodiscard]] std::string log() const;

    void sent_items_hidden() noexcept { hidden_ = true; }

private:
    struct Course {  // of one submission, by its events
        std::vector<std::string> kinds;
        unsigned repeats_marked = 0;
    };
    struct Arrival {
        Monotonic at{};
        std::uint64_t process = 0;
        std::string sender;
        std::size_t recipients = 0;
    };

    [[nodiscard]] const Order& at(std::uint32_t number) const { return orders_[number - 1]; }
    void answered(std::uint32_t number, const control::Response& response);
    void take_event(const store::OutboxEvent& event);
    void check_rows(const OutboxState& found);
    void check_outcome(const store::Submission& row, const Order& order, const Application& application);
    void check_pace() const;
    void check_rate(const std::vector<Arrival>& arrivals, std::uint32_t mails_per_minute,
                    const std::string& whose) const;
    void check_day(const std::vector<Arrival>& arrivals, std::uint32_t recipients, const std::string& whose) const;

    Fate& fate_;
    Events& events_;
    const sim::World& world_;
    const Clock& clock_;
    Terms terms_;
    std::vector<Order> orders_;
    std::uint64_t process_ = 0;
    std::size_t seen_ = 0;  // of what the provider took
    std::vector<Arrival> arrivals_;
    std::vector<store::OutboxEvent> told_;
    std::map<store::SubmissionId, Course> courses_;
    unsigned restful_ = 0;  // looks into the store, one after the other, since something was handed in or decided
    bool hidden_ = false;
};

}  // namespace simulation

#include "engine/retriever/session_budget.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace retriever {

namespace {

constexpr std::chrono::seconds worked_enough{60};  // then others have their turn, and it comes back for the rest

}  // namespace

struct SessionBudget::Seat::Entry : std::enable_shared_from_this<Entry> {
    enum class Place { outside, in_line, seated };

    std::shared_ptr<const std::vector<Share>> shares;
    std::vector<Count*> counts;  // of each share, while it is in line or seated
    Kind kind = Kind::mailbox;
    queue::Inbox* inbox = nullptr;
    std::uint64_t number = 0;
    Place place = Place::outside;
    std::uint64_t turn = 0;       // in line
    std::optional<Order> listed;  // seated, may be asked
    bool asked = false;
    std::function<void()> called;  // on the shard only; empty once the seat is gone
};

class SessionBudget::CallNote final : public queue::Inbox::Note {
public:
    explicit CallNote(std::shared_ptr<Entry> entry) : entry_(std::move(entry)) {}
    void deliver() noexcept override {
        if (entry_->called) entry_->called();
    }

private:
    std::shared_ptr<Entry> entry_;
};

SessionBudget::Seat::Seat(SessionBudget& budget, queue::Inbox& inbox, std::shared_ptr<const std::vector<Share>> shares,
                          Kind kind, std::function<void()> called)
    : entry_(std::make_shared<Entry>()), budget_(budget) {
    entry_->shares = std::move(shares);
    entry_->kind = kind;
    entry_->inbox = &inbox;
    entry_->called = std::move(called);
    const std::lock_guard lock(budget_.mutex_);
    entry_->number = ++budget_.numbers_;
}

SessionBudget::Seat::~Seat() {
    entry_->called = nullptr;
    leave();
}

bool SessionBudget::Seat::take() {
    const std::lock_guard lock(budget_.mutex_);
    if (entry_->place == Entry::Place::seated) return true;
    if (entry_->place == Entry::Place::outside) budget_.line_up(*entry_);
    if (budget_.full(*entry_) == nullptr) {
        budget_.stand_down(*entry_);
        budget_.seat(*entry_);
        return true;
    }
    budget_.make_room(*entry_);
    return false;
}

void SessionBudget::Seat::leave() {
    const std::lock_guard lock(budget_.mutex_);
    if (entry_->place == Entry::Place::in_line) budget_.stand_down(*entry_);
    if (entry_->place != Entry::Place::seated) return;
    budget_.unseat(*entry_);
    budget_.serve_line();
}

bool SessionBudget::Seat::wanted() const {
    const std::lock_guard lock(budget_.mutex_);
    return SessionBudget::wanted(*entry_);
}

void SessionBudget::Seat::rest(Monotonic last_news) {
    const std::lock_guard lock(budget_.mutex_);
    if (entry_->place != Entry::Place::seated || entry_->kind == Kind::visit) return;
    SessionBudget::excuse(*entry_);
    if (entry_->asked) return;
    budget_.list(*entry_, {entry_->kind == Kind::extra ? Order::What::extra : Order::What::rests, last_news, 0});
    budget_.make_room(*entry_);
}

void SessionBudget::Seat::work() {
    const std::lock_guard lock(budget_.mutex_);
    if (entry_->place != Entry::Place::seated || entry_->kind == Kind::visit) return;
    SessionBudget::excuse(*entry_);
    if (entry_->asked) return;
    budget_.list(*entry_, {Order::What::works, budget_.clock_.now(), 0});
}

void SessionBudget::Seat::hold(Monotonic until) {
    const std::lock_guard lock(budget_.mutex_);
    if (entry_->counts.empty()) return;
    auto& held = entry_->counts.front()->held_until;
    held = std::max(held, until);
}

std::string SessionBudget::Seat::obstacle() const {
    const std::lock_guard lock(budget_.mutex_);
    const auto* count = budget_.full(*entry_);
    if (count == nullptr) return {};
    if (count->used < count->share.most)
        return fmt::format("the provider has asked for a pause of {}", count->share.name);
    return fmt::format("all sessions of {} are in use ({} at once): waits for its turn, {} in line", count->share.name,
                       count->share.most, count->waiting);
}

bool SessionBudget::wanted(const Entry& entry) {
    return entry.asked &&
           std::any_of(entry.counts.begin(), entry.counts.end(), [](const Count* count) { return count->waiting > 0; });
}

/// Who was asked, and is not wanted to leave any more, stays.
void SessionBudget::excuse(Entry& entry) {
    if (!entry.asked || wanted(entry)) return;
    entry.asked = false;
    for (auto* count : entry.counts) --count->asked;
}

/// The first share that has no room.
const SessionBudget::Count* SessionBudget::full(const Entry& entry) const {
    for (const auto* count : entry.counts) {
        if (count->used >= count->share.most) return count;
        if (count->held_until > Monotonic{} && count->held_until > clock_.now()) return count;
    }
    return nullptr;
}

void SessionBudget::line_up(Entry& entry) {
    entry.counts.clear();
    for (const auto& share : entry.shares ? *entry.shares : std::vector<Share>()) {
        auto& count = counts_[share.name];
        count.share = share;  // what was configured last
        count.waiting += entry.kind == Kind::extra ? 0 : 1;
        entry.counts.push_back(&count);
    }
    entry.place = Entry::Place::in_line;
    entry.turn = ++numbers_;
    line_.emplace(std::pair(entry.kind == Kind::extra, entry.turn), &entry);
}

void SessionBudget::stand_down(Entry& entry) {
    line_.erase(std::pair(entry.kind == Kind::extra, entry.turn));
    for (auto* count : entry.counts) count->waiting -= entry.kind == Kind::extra ? 0 : 1;
    entry.place = Entry::Place::outside;
}

void SessionBudget::seat(Entry& entry) {
    for (auto* count : entry.counts) ++count->used;
    entry.place = Entry::Place::seated;
    entry.asked = false;
    if (entry.kind != Kind::visit) list(entry, {Order::What::works, clock_.now(), 0});
}

void SessionBudget::unseat(Entry& entry) {
    strike(entry);
    for (auto* count : entry.counts) {
        --count->used;
        if (entry.asked) --count->asked;
    }
    entry.asked = false;
    entry.place = Entry::Place::outside;
}

void SessionBudget::list(Entry& entry, Order order) {
    strike(entry);
    order.number = entry.number;
    for (auto* count : entry.counts) count->seated.emplace(order, &entry);
    entry.listed = order;
}

void SessionBudget::strike(Entry& entry) {
    if (!entry.listed) return;
    for (auto* count : entry.counts) count->seated.erase(*entry.listed);
    entry.listed.reset();
}

void SessionBudget::call(const std::shared_ptr<Entry>& entry) { entry->inbox->put(std::make_unique<CallNote>(entry)); }

/// In what it counts for: where all is in use and more wait than were asked to leave, one more is asked.
void SessionBudget::make_room(const Entry& entry) {
    for (auto* count : entry.counts) {
        if (count->used < count->share.most || count->asked >= count->waiting || count->seated.empty()) continue;
        const auto& [order, other] = *count->seated.begin();
        if (order.what == Order::What::works && clock_.now() - order.since < worked_enough) continue;
        auto& asked = *other;
        strike(asked);
        asked.asked = true;
        for (auto* share : asked.counts) ++share->asked;
        call(asked.shared_from_this());
    }
}

/// Whoever fits now sits down, in their order.
void SessionBudget::serve_line() {
    for (auto next = line_.begin(); next != line_.end();) {
        auto& entry = *next->second;
        ++next;
        if (full(entry) != nullptr) continue;
        stand_down(entry);
        seat(entry);
        call(entry.shared_from_this());
    }
}

}  // namespace retriever

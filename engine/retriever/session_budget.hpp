#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "protocols/base/clock.hpp"
#include "queue/inbox.hpp"

namespace retriever {

/// What sessions have in common, and how many of them may be open at once.
struct Share {
    std::string name;  // as people read it: "credential svc"
    std::uint32_t most = 1;

    bool operator==(const Share&) const = default;
};

/// How many sessions are open at once, by credential, tenant, host, and in all. Who finds no room waits in line, and
/// somebody that has the place is asked to leave: who waits for news, the longest without any before others, or else
/// who has worked for longer than a minute. So those with traffic stay connected, and all others are visited in turn.
/// Any thread.
class SessionBudget {
public:
    explicit SessionBudget(const Clock& clock) noexcept : clock_(clock) {}
    SessionBudget(const SessionBudget&) = delete;
    SessionBudget& operator=(const SessionBudget&) = delete;

    /// Sessions in line.
    [[nodiscard]] std::size_t waiting() const {
        const std::lock_guard lock(mutex_);
        return line_.size();
    }

    enum class Kind {
        mailbox,  // may be asked to leave
        visit,    // leaves by itself, soon
        extra,    // has its place while nobody else wants it
    };
    /// One session's place, or its wait for one. Used on one shard; gives both up with its end. Outlived by the budget.
    class Seat {
    public:
        /// `called` is called on the shard of `inbox` when the turn has come, and when the place is wanted by others.
        Seat(SessionBudget& budget, queue::Inbox& inbox, std::shared_ptr<const std::vector<Share>> shares, Kind kind,
             std::function<void()> called);
        ~Seat();
        Seat(const Seat&) = delete;
        Seat& operator=(const Seat&) = delete;

        /// True: it has a place. False: it is in line; ask again when called, and after press_again.
        bool take();
        void leave();
        /// Somebody waits for this place.
        [[nodiscard]] bool wanted() const;
        /// Nothing to do at present: asked first from now on, the longest without news before others.
        void rest(Monotonic last_news);
        void work();
        /// The provider asks for a pause: nobody with the same credential gets a place before then.
        void hold(Monotonic until);
        /// Why there is no room, for people; empty: there is.
        [[nodiscard]] std::string obstacle() const;

    private:
        friend class SessionBudget;
        struct Entry;
        std::shared_ptr<Entry> entry_;
        SessionBudget& budget_;
    };

private:
    using Entry = Seat::Entry;
    class CallNote;
    /// Who is asked to leave first: extra ones, then those at rest, then those that work, by time.
    struct Order {
        enum class What { extra, rests, works } what = What::works;
        Monotonic since{};
        std::uint64_t number = 0;  // of the entry, and tells equal ones apart

        auto operator<=>(const Order&) const = default;
    };
    struct Count {
        Share share;
        std::uint32_t used = 0;
        std::uint32_t waiting = 0;  // in line, but for extra ones: nobody is asked to leave for those
        std::uint32_t asked = 0;    // to leave
        Monotonic held_until{};
        std::map<Order, Entry*> seated;  // who may be asked and was not
    };
    [[nodiscard]] const Count* full(const Entry& entry) const;
    void seat(Entry& entry);
    void unseat(Entry& entry);
    void list(Entry& entry, Order order);
    void strike(Entry& entry);
    void line_up(Entry& entry);
    void stand_down(Entry& entry);
    [[nodiscard]] static bool wanted(const Entry& entry);
    static void excuse(Entry& entry);
    void call(const std::shared_ptr<Entry>& entry);
    void make_room(const Entry& entry);
    void serve_line();

    const Clock& clock_;
    mutable std::mutex mutex_;
    std::map<std::string, Count> counts_;
    std::map<std::pair<bool, std::uint64_t>, Entry*> line_;  // extra ones last, then by turn
    std::uint64_t numbers_ = 0;
};

/// After so long in line one takes() again: who works cannot be asked before a while.
inline constexpr std::chrono::seconds press_again{10};

}  // namespace retriever

#pragma once

#include <functional>
#include <list>
#include <map>
#include <set>

#include "tests/simulation/correspondence.hpp"
#include "tests/simulation/mailroom.hpp"
#include "tests/simulation/probe.hpp"
#include "tests/simulation/process.hpp"
#include "tests/simulation/shadow_look.hpp"

namespace simulation {

/// How the world is furnished.
struct Furniture {
    std::uint64_t seed = 0;
    std::uint32_t mailboxes = 2;
    std::uint32_t shards = 1;
    bool shared_credential = false;
    std::string style = "exchange";
    std::chrono::seconds tokens_live{3600};
    std::uint64_t memory_budget = 256 * 1024;
    std::uint32_t queue_capacity = 4096;
    std::uint32_t fetch_batch = 64;
    EngineSizes sizes;
    std::uint64_t commit_lag_percent = 0;  // of groups that take time
    std::uint32_t connections = 3;         // for sending, of each mailbox
    std::vector<std::string> after{};      // what becomes of mail on the server, by mailbox; fewer: kept
    std::vector<std::string> second{};     // how the second folder is asked for, by mailbox; empty: there is none
    bool can_move = true;                  // the server
    bool pop3 = false;                     // in place of IMAP
    std::uint32_t sessions = 0;            // that may be open at once; 0: as many as there are mailboxes
    Correspondence::Terms terms;           // of sending; mails_per_minute 0: nobody sends
    std::uint32_t shadows = 0;             // further mailboxes, numbered behind the others: another product's
    Mailroom::Taking shadow_taken = Mailroom::Taking::flags;
    std::chrono::minutes shadow_grace{10};

    [[nodiscard]] std::uint32_t mailboxes_in_all() const noexcept { return mailboxes + shadows; }
};

/// Sizes so small that every limit is met.
EngineSizes small_sizes();

/// The daemon with everything around it, in one thread under virtual time: provider, network, disk, application. Who
/// moves next is drawn from the seed; when nobody can, time jumps to the next timer. Checks the invariants that hold
/// at any moment as it goes.
class Stage {
public:
    Stage(Furniture furniture, const Ground& ground);
    ~Stage();

    /// Starts a process of the daemon. False when it cannot be started now.
    bool start();
    /// Ends the present process for good (it is dead, or has ended), and takes care of the disk.
    enum class Ending { process_ends, power_cut };
    void bury(Ending ending);
    [[nodiscard]] bool running() const noexcept { return process_ != nullptr; }
    /// The process has died, or has ended by itself.
    [[nodiscard]] bool over() const;

    /// One handler of somebody, or a jump in time. False: a violation.
    bool turn();
    /// Until `done`, at most `span` of virtual time. False when it did not come to that.
    bool run_until(const std::function<bool()>& done, std::chrono::milliseconds span);
    /// Something to do at a time. With `turns`, it waits for so many turns of activity more, so that it comes in the
    /// middle of something.
    void plan(Monotonic when, std::uint64_t turns, std::function<void()> act);
    /// Asks the store how far it is, and compares with what it said before.
    void probe();
    /// The application hands it in, and again until it is taken.
    void hand_in(std::uint32_t order);
    /// Everything that came and was not deleted is handed off and acknowledged, the mailboxes rest, and what was handed
    /// in is settled, or waits for an operator.
    [[nodiscard]] bool at_rest();
    [[nodiscard]] bool is_shadow(std::uint32_t number) const noexcept { return number > furniture_.mailboxes; }
    [[nodiscard]] bool has_taken(const std::string& id, const Mailroom::Letter& letter);
    /// After at_rest(): nothing is lost, nothing differs.
    void check_end();
    /// "delete", "move:Done", …: the policy of a mailbox.
    [[nodiscard]] std::string after_of(std::uint32_t number) const;
    /// Where its mail is moved to; nullptr: it is not, or the folder does not exist yet.
    [[nodiscard]] const sim::Folder* target_of(std::uint32_t number);

    VirtualClock clock;
    Events events{clock};
    SimulatedDisk disk;
    Fate fate{disk, events};
    Dice dice;
    Timers provider_timers{clock};
    asio::io_context provider_loop{1};
    asio::executor_work_guard<asio::io_context::executor_type> provider_work{provider_loop.get_executor()};
    sim::World world;
    Mailroom mailroom{world, events, clock};
    Network network;
    Application application;
    Correspondence correspondence{fate, events, world, clock};

    /// After faults were cleared: what the server never can.
    void restrict_server();

    [[nodiscard]] Engine& engine() { return process_->engine(); }
    [[nodiscard]] const Furniture& furniture() const noexcept { return furniture_; }
    [[nodiscard]] std::uint64_t turns() const noexcept { return turns_; }
    [[nodiscard]] Monotonic begun_at() const noexcept { return begun_at_; }

private:
    struct Deed {
        Monotonic when{};
        std::uint64_t turns = 0;
        std::function<void()> act;
    };
    struct Watched {  // a mailbox's phase and since when
        retriever::Phase phase = retriever::Phase::starting;
        std::optional<WallTime> last_proof, next_attempt;
        Monotonic since{};
    };

    bool poll(std::size_t actor);
    [[nodiscard]] std::size_t actors() const;
    void do_deeds();
    bool jump();
    void look();
    void look_at_mailboxes();
    /// What is gone from an inbox, and nobody removed, was acknowledged, and is where it should be.
    void look_at_inboxes();
    void check_folders(std::uint32_t number);
    /// Of another product's mailbox: nothing is changed, and what is reported is what happened.
    void check_shadow(std::uint32_t number);
    void check_report(std::uint32_t number, const ShadowView& view);
    [[nodiscard]] std::set<std::uint32_t> numbers_in(std::uint32_t number) const;
    void learn(const std::map<std::string, LedgerState>& found);
    void audit(Audit::Depth depth, const Audit::Tell& then);

    Furniture furniture_;
    config::RunFlags flags_;
    std::unique_ptr<LogIntoEvents> log_;
    std::unique_ptr<queue::Inbox> probe_inbox_;
    std::unique_ptr<Process> process_;
    std::uint64_t processes_ = 0;
    std::list<Deed> deeds_;
    Monotonic committer_free_at_{};
    Monotonic begun_at_{};
    bool unwinding_ = false;
    std::uint64_t turns_ = 0;
    std::map<std::string, LedgerState> known_;  // durable, as the store said last
    std::map<std::string, Watched> watched_;
    struct Vanished {
        std::string mailbox;
        std::uint32_t uid = 0;
        store::Seq seq = 0;
    };
    std::vector<Vanished> vanished_;  // removed by the daemon; the store is to confirm that they were acknowledged
    std::map<std::string, std::set<std::uint32_t>> seen_to_vanish_;
    bool probing_ = false;
    bool auditing_ = false;
    bool dirty_start_ = false;  // an earlier process left bytes that only the machine has to sync
};

}  // namespace simulation

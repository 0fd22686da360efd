#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "engine/doctor/probes.hpp"
#include "engine/runtime/scope.hpp"
#include "protocols/wait/parking.hpp"

namespace doctor {

/// One check of a plan's mailboxes, from the configuration to their folders. Each host, page and credential is looked
/// at once, whatever the number of mailboxes; a mailbox is logged in to when all that it depends on is well. One shard;
/// its coroutines share it, and end with the scope they were spawned in.
class Examination : public std::enable_shared_from_this<Examination> {
public:
    struct Options {
        std::size_t hosts_at_once = 16, credentials_at_once = 32, logins_at_once = 16;
        std::chrono::milliseconds token_within = std::chrono::seconds(45);
        std::chrono::milliseconds all_within = std::chrono::minutes(10);
    };
    Examination(Surroundings here, Grants& grants, runtime::Scope& scope, Plan plan, Options options);

    awaitable<void> run();

    [[nodiscard]] std::size_t steps_done() const noexcept { return done_; }
    [[nodiscard]] std::size_t steps() const noexcept;
    /// nullptr until the end.
    [[nodiscard]] std::shared_ptr<const Report> report() const noexcept { return report_; }
    /// Until it has ended, or that time is over. Any number of coroutines.
    awaitable<void> wait(std::chrono::milliseconds within);

private:
    struct Host {
        Place place;
        std::string provider;  // the first that has it
        Maker maker = Maker::other;
        bool mail = false;  // speaks IMAP
        bool tokens = false, passwords = false;
        bool passable = false;
    };
    struct PageAt {
        Page page;
        Place place;
        bool passable = false;
    };
    struct Account {
        GrantFacts facts;
        bool passable = false;
    };
    using Work = awaitable<void> (Examination::*)(std::size_t);
    struct Stage;

    void gather();
    Host& host_at(const Place& place, const config::Provider& provider);
    awaitable<void> each(std::string name, std::size_t count, std::size_t at_once, Work work);
    static awaitable<void> work_on(std::shared_ptr<Examination> self, std::shared_ptr<Stage> stage);
    awaitable<void> look_at_way(std::size_t at);
    awaitable<void> look_at_greeting(std::size_t at);
    awaitable<void> look_at_page(std::size_t at);
    awaitable<void> look_at_account(std::size_t at);
    awaitable<void> look_at_mailbox(std::size_t at);
    void take(Judged judged);
    [[nodiscard]] std::shared_ptr<const net::TlsClient> tls_of(const std::string& ca_file);
    [[nodiscard]] const config::Provider* provider_of(const Patient& patient) const;
    [[nodiscard]] bool is_late() const { return here_.seams.timers.now() >= until_; }
    [[nodiscard]] WallTime wall() const { return here_.seams.timers.clock().wall(); }
    using BySubject = std::map<std::pair<Subject::Kind, std::string>, std::vector<const Finding*>>;
    [[nodiscard]] Outcome outcome_of(const Patient& patient, const BySubject& findings) const;
    void explain_away();
    void conclude();

    Surroundings here_;
    Grants& grants_;
    runtime::Scope& scope_;
    const Plan plan_;
    const Options options_;
    Monotonic began_, until_;
    WallTime began_at_;
    std::vector<Host> hosts_;
    std::vector<PageAt> pages_;
    std::map<std::string, Account> accounts_;  // by the id of their credential
    std::map<std::string, std::shared_ptr<const net::TlsClient>> tls_;
    std::vector<Finding> findings_;
    std::size_t done_ = 0;
    std::shared_ptr<const Report> report_;
    std::vector<std::shared_ptr<Parking>> waiting_;
};

}  // namespace doctor

#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/alarming/condition.hpp"
#include "engine/config/flags.hpp"
#include "engine/hand_offs.hpp"
#include "engine/retriever/retriever.hpp"
#include "engine/roster.hpp"
#include "engine/runtime/metrics.hpp"
#include "engine/runtime/scope.hpp"
#include "engine/runtime/shard.hpp"
#include "engine/secrets/keyring.hpp"
#include "engine/start_error.hpp"
#include "queue/store/open.hpp"

namespace control {
struct Surroundings;
}

/// Sizes that are no flags.
struct EngineSizes {
    store::OpenOptions store;
    retriever::Intake::Sizes intake;
};

/// The daemon: opens the store, builds shards and roles, serves until it is told to stop, drains. The one class that
/// knows all roles. One per process; made and run on the main thread.
class Engine {
public:
    /// Opens the store and builds everything on it. Throws StartError.
    Engine(config::RunFlags flags, Outside& outside, const EngineSizes& sizes = {});
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Serves until SIGTERM, SIGINT, stop(), a broken store, or, with --exit-when-idle, until nothing is left to do.
    /// The exit code: 0; 75 when mailboxes could not be reached before everything else was done; 74 for a broken store.
    /// Throws StartError when what it listens on cannot be opened.
    int run();
    /// Any thread: drains and ends run().
    void stop();
    /// Any thread: reads the configuration again.
    void reload();

    /// Instead of run(), for a world that drives everything by hand: begins to serve, without threads, signals and
    /// listeners. The caller polls the shards, advances their timers and steps the committer until ended().
    void begin();
    [[nodiscard]] bool ended() const noexcept { return ended_; }
    [[nodiscard]] int exit_code() const noexcept { return exit_code_; }
    [[nodiscard]] std::vector<runtime::Shard*> shards() const;
    [[nodiscard]] store::Committer& committer() noexcept { return *committer_; }
    [[nodiscard]] std::vector<retriever::MailboxState> mailboxes() const;
    /// What the API's commands work on; the main shard's, shards().front().
    [[nodiscard]] control::Surroundings& surroundings() noexcept;

    [[nodiscard]] const runtime::Counters& counters() const noexcept { return counters_; }
    [[nodiscard]] store::Committer::Stats committed() const { return committer_->stats(); }

private:
    struct Roles;  // what is built once the store is open

    void open();
    void keep_api_token(store::Store& rows);
    void listen();
    void listen_to_network();
    void listen_to_applications();
    void reload_certificate();
    awaitable<void> live();
    awaitable<void> serve_until_told();
    awaitable<void> serve_roster();
    [[nodiscard]] retriever::Share all_sessions() const;
    static awaitable<void> serve_on(retriever::Retriever& retriever, std::vector<retriever::Served> mailboxes);
    awaitable<void> drain_one(std::size_t shard);
    awaitable<void> drain_smtp();
    awaitable<void> drain();
    awaitable<void> watch_reload();
    awaitable<void> watch_signals();
    awaitable<void> watch_store();
    [[nodiscard]] alarming::Condition store_failed(const std::string& reason) const;
    [[nodiscard]] bool something_left_at_servers() const;
    awaitable<void> watch_idleness();

    config::RunFlags flags_;
    Outside& outside_;
    EngineSizes sizes_;
    std::size_t sessions_max_ = flags_.max_sessions;  // or fewer when the system allows too few descriptors
    runtime::Counters counters_;
    std::unique_ptr<store::File> lock_;
    const store::Bodies* bodies_ = nullptr;
    std::unique_ptr<store::Committer> committer_;
    std::unique_ptr<secrets::Keyring> keyring_;
    std::string api_token_kept_;            // what the store keeps of it
    std::optional<Secret> api_token_made_;  // at this start, to be shown once
    std::unique_ptr<Roles> roles_;
    std::exception_ptr failed_;
    bool ended_ = false;
    int exit_code_ = 0;
};

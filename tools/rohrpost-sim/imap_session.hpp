#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tools/rohrpost-sim/connection.hpp"
#include "tools/rohrpost-sim/imap_command.hpp"
#include "tools/rohrpost-sim/style.hpp"
#include "tools/rohrpost-sim/world.hpp"

namespace sim {

/// One IMAP client's dialogue with the provider. Runs on the provider's thread until the client leaves, the token
/// expires or a fault strikes.
class ImapSession final : public Watcher, public std::enable_shared_from_this<ImapSession> {
public:
    ImapSession(World& world, const Style& style, std::shared_ptr<Connection> connection);
    ~ImapSession() override;

    static awaitable<void> serve(std::shared_ptr<ImapSession> self);

    const std::string& user() const override { return user_; }
    void told(const std::string& line) override;
    void dismissed(const std::string& words) override;
    void cut() override { connection_->cut(); }

private:
    struct Mechanism;

    awaitable<std::optional<std::string>> read_whole_command();
    awaitable<void> handle(Command command);
    awaitable<void> handle_opened(Command command);
    /// True when a fault took the place of the answer.
    awaitable<bool> misbehave(const Command& command);

    awaitable<void> authenticate(Command command);
    void log_in(const Command& command, std::optional<Credentials> given, bool with_token);
    void expire_at(Monotonic when);

    void capability(const Command& command);
    void list(const Command& command);
    void status(const Command& command);
    void open(const Command& command);
    void leave_folder();
    void search(const Command& command);
    void store(const Command& command);
    void expunge(const Command& command);
    void create(const Command& command);
    void copy(const Command& command);
    /// Whether a fault takes the place of a command that changes mail.
    bool refuse_change(const Command& command);
    /// A command that changed mail is over: with its answer, unless a fault keeps it back.
    void changed(const Command& command, std::string_view text = {});
    awaitable<void> fetch(Command command);
    awaitable<bool> fetch_one(std::uint32_t uid, const Wanted& wanted);
    awaitable<void> idle(Command command);

    /// The messages a set names, as UIDs.
    [[nodiscard]] std::optional<std::vector<Range>> uids_of(const Command& command) const;
    void tell_news();
    void say(std::string_view line);
    void ok(const Command& command, std::string_view text = {});
    void no(const Command& command, std::string_view text);
    void bad(const Command& command, std::string_view text = "Command Argument Error. 12");
    [[nodiscard]] std::string capabilities() const;

    World& world_;
    const Style& style_;
    std::shared_ptr<Connection> connection_;
    std::string user_;     // of the token or password
    std::string mailbox_;  // whose mail it is; empty before login
    Folder* folder_ = nullptr;
    bool read_only_ = false;
    bool idling_ = false;
    std::vector<std::string> news_;  // waiting for the next command
};

}  // namespace sim

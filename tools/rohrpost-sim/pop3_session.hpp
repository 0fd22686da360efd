#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/rohrpost-sim/connection.hpp"
#include "tools/rohrpost-sim/imap_command.hpp"
#include "tools/rohrpost-sim/style.hpp"
#include "tools/rohrpost-sim/world.hpp"

namespace sim {

/// A POP3 session with the inbox of one mailbox: what is there when it logs in. UIDLs are UIDVALIDITY and UID. One
/// thread; lives as long as its connection.
class Pop3Session final : public Watcher, public std::enable_shared_from_this<Pop3Session> {
public:
    Pop3Session(World& world, const Style& style, std::shared_ptr<Connection> connection);
    ~Pop3Session() override;

    static awaitable<void> serve(std::shared_ptr<Pop3Session> self);

    const std::string& user() const override { return user_; }
    void told(const std::string&) override {}
    void dismissed(const std::string& words) override;
    void cut() override { connection_->cut(); }

private:
    struct Listed {
        Entry entry;
        bool removed = false;
    };
    awaitable<void> handle(std::string line);
    awaitable<void> authenticate(std::string mechanism, std::string initial);
    void log_in(std::optional<Credentials> given, bool with_token);
    bool misbehave();
    void handle_opened(const std::string& verb, std::optional<std::size_t> number);
    void capabilities();
    void list(const std::string& verb, std::optional<std::size_t> number);
    void retrieve(const Listed& listed, bool head_alone);
    void quit();
    [[nodiscard]] Listed* at(std::optional<std::size_t> number);
    [[nodiscard]] std::string uidl_of(const Entry& entry) const;
    void say(std::string_view line);
    void no(std::string_view text) { say("-ERR " + std::string(text)); }

    World& world_;
    const Style& style_;
    std::shared_ptr<Connection> connection_;
    std::string user_;     // of the token or password
    std::string mailbox_;  // whose mail it is; empty before login
    std::string named_;    // by USER
    Folder* folder_ = nullptr;
    std::vector<Listed> listed_;
};

}  // namespace sim

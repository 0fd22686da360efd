#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/clock.hpp"
#include "protocols/base/random.hpp"
#include "tools/rohrpost-sim/faults.hpp"
#include "tools/rohrpost-sim/identity.hpp"
#include "tools/rohrpost-sim/message.hpp"
#include "tools/rohrpost-sim/tokens.hpp"

namespace sim {

/// A session, as the world sees it.
class Watcher {
public:
    virtual ~Watcher() = default;
    /// Whose token or password it logged in with; empty before login.
    [[nodiscard]] virtual const std::string& user() const = 0;
    /// An untagged line without CRLF: "* 5 EXISTS", "* 3 EXPUNGE".
    virtual void told(const std::string& line) = 0;
    /// The session is over, with these words.
    virtual void dismissed(const std::string& words) = 0;
    /// The connection breaks at once.
    virtual void cut() = 0;
};

enum Flag : std::uint8_t { seen = 1, deleted = 2, flagged = 4, answered = 8, draft = 16 };

/// What is remembered of a message: its bytes follow from its number.
struct Entry {
    std::uint32_t uid = 0;
    std::uint32_t number = 0;    // outlives a change of UIDVALIDITY
    std::uint32_t received = 0;  // seconds since 1970
    std::uint64_t email_id = 0;  // of its content, in whatever folder it is
    std::uint8_t flags = 0;
    bool hidden = false;  // counted in EXISTS, but not to be found yet (Exchange X4)
};

/// A folder and who watches it. One thread.
class Folder {
public:
    std::string mailbox;
    std::string name;
    std::uint32_t uid_validity = 1;
    std::uint32_t uid_next = 1;
    std::uint32_t number_next = 1;
    std::vector<Entry> entries;                  // by uid
    std::map<std::uint32_t, std::string> given;  // bytes of messages that were not generated, by number

    [[nodiscard]] std::size_t index_from(std::uint32_t uid) const;  // of the first entry not below uid
    [[nodiscard]] std::size_t size_of(const Entry& entry, const Sizes& sizes) const;
    [[nodiscard]] std::string bytes_of(const Entry& entry, const Sizes& sizes) const;
    /// `source` is somebody who need not be told.
    void remove(std::uint32_t uid, const Watcher* source = nullptr);
    /// Somebody has moved it out and back: the same message under a new UID, which is returned. 0: it is not there.
    std::uint32_t bring_back(std::uint32_t uid);
    /// New UIDVALIDITY and new UIDs for the same messages: higher ones, or again from 1, as after a lost index.
    /// Everybody who has it open is sent away.
    enum class NewUids { higher, from_one };
    void renumber(NewUids uids = NewUids::higher);
    void reveal(std::uint32_t number);

    void watch(Watcher& watcher) { watchers_.push_back(&watcher); }
    void unwatch(const Watcher& watcher) { std::erase(watchers_, &watcher); }
    void tell(const std::string& line, const Watcher* source = nullptr);

private:
    std::vector<Watcher*> watchers_;
};

/// A mail that the submission server has accepted.
struct SentMail {
    std::string login;   // whose mailbox was named at AUTH
    std::string sender;  // of the envelope, as the recipients are
    std::vector<std::string> recipients;
    std::string message;
    std::vector<std::string> parameters;  // of MAIL, then of each recipient, as they came
};

struct Counters {
    std::uint64_t sessions_most = 0, sessions = 0;
    std::uint64_t logins = 0, logins_refused = 0;
    std::uint64_t commands = 0, searches = 0, idles = 0;
    std::uint64_t bodies_fetched = 0, body_bytes_fetched = 0;
    std::uint64_t arrivals = 0;
    std::uint64_t smtp_logins = 0;
    std::uint64_t token_requests = 0, introspections = 0;
};

struct Population {
    std::uint32_t mailboxes = 1;
    std::uint32_t messages = 0;  // in each at the start
    Sizes sizes;
    std::string shared_user = "svc@sim.test";  // has full access to every mailbox
    std::string password = "sim-password";     // everybody's, for PLAIN, LOGIN and sign-in
};

/// Everything the provider keeps: mailboxes, tokens, faults, counters. One thread.
class World {
public:
    World(Population population, TokenRules rules, const Clock& clock, Random& random, IdentityRules identity = {});

    /// "box0001@sim.test" for 1.
    static std::string address_of(std::uint32_t number);
    [[nodiscard]] const Population& population() const noexcept { return population_; }
    /// nullptr: no such mailbox or folder. INBOX in any case of letters.
    [[nodiscard]] Folder* folder(std::string_view address, std::string_view name);
    [[nodiscard]] std::vector<Folder*> folders(std::string_view address);
    [[nodiscard]] bool may_open(std::string_view user, std::string_view address) const;
    /// The user may open the mailbox, too, as after Add-MailboxPermission.
    void share(std::string_view user, std::string_view address);
    /// Who signs in under this name: a mailbox's user, the shared one, or one of identity.people.
    [[nodiscard]] std::optional<Account> account(std::string_view name) const;
    /// Ends whatever came of one consent.
    void end_family(std::uint64_t family);

    /// A generated message arrives; returns its UID. It can be found only after `hidden_for`.
    std::uint32_t arrive(Folder& folder, std::chrono::milliseconds hidden_for = {});
    std::uint32_t arrive(Folder& folder, std::string bytes, std::chrono::milliseconds hidden_for = {});
    /// The same bytes and flags in another folder; returns its UID there.
    std::uint32_t copy(const Folder& from, const Entry& entry, Folder& to);
    /// False: there is one by that name.
    bool make_folder(std::string_view address, std::string_view name);
    /// A generated message in an inbox picked by chance.
    void arrive_anywhere();
    /// Records a mail and files it into the sender's Sent Items; its number, from 1.
    std::size_t take(SentMail mail);
    [[nodiscard]] const std::vector<SentMail>& sent() const noexcept { return sent_; }
    /// Shows the hidden messages whose time has come.
    void reveal_due();
    /// Ends the access tokens of a user (empty: all) and the sessions that live by them.
    void expire_tokens(const std::string& user, std::string_view words);

    void enter(Watcher& session);
    void leave(Watcher& session);
    [[nodiscard]] const std::vector<Watcher*>& sessions() const noexcept { return sessions_; }

    Counters counters;
    /// What IMAP clients said since they logged in, as long as somebody listens.
    std::optional<std::vector<std::string>> heard;
    Faults faults;
    TokenBook tokens;
    IdentityProvider identity;

private:
    Entry& enter(Folder& folder, std::chrono::milliseconds hidden_for);
    [[nodiscard]] bool shared_with(std::string_view user, std::string_view address) const;

    std::uint64_t last_email_id_ = 1'278'455'344'230'334'864;
    Population population_;
    const Clock& clock_;
    Random& random_;
    std::map<std::string, std::vector<std::unique_ptr<Folder>>, std::less<>> mailboxes_;
    std::vector<Folder*> inboxes_;
    std::map<std::string, std::set<std::string>, std::less<>> shares_;  // mailboxes by user
    std::vector<Watcher*> sessions_;                                    // in the order of their coming
    struct Hidden {
        Folder* folder = nullptr;
        std::uint32_t number = 0;
        Monotonic until{};
    };
    std::vector<Hidden> hidden_;
    std::vector<SentMail> sent_;
};

/// The usual people without a mailbox: operator@sim.test, guest@other.test (a guest of ours) and alien@other.test, each
/// with the population's password; and the application rohrpost-sim, public, with its loopback redirect.
void furnish(World& world);

}  // namespace sim

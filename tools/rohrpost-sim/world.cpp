#include "tools/rohrpost-sim/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "protocols/base/text.hpp"

namespace sim {

namespace {

constexpr std::uint32_t first_uid_validity = 170'535;
constexpr std::uint32_t first_received = 1'767'225'600;  // 2026-01-01

}  // namespace

std::size_t Folder::index_from(std::uint32_t uid) const {
    const auto at = std::lower_bound(entries.begin(), entries.end(), uid,
                                     [](const Entry& entry, std::uint32_t wanted) { return entry.uid < wanted; });
    return static_cast<std::size_t>(at - entries.begin());
}

std::size_t Folder::size_of(const Entry& entry, const Sizes& sizes) const {
    const auto own = given.find(entry.number);
    return own == given.end() ? sizes.of(mailbox, entry.number) : own->second.size();
}

std::string Folder::bytes_of(const Entry& entry, const Sizes& sizes) const {
    const auto own = given.find(entry.number);
    return own == given.end() ? message_of(mailbox, entry.number, sizes.of(mailbox, entry.number)) : own->second;
}

void Folder::remove(std::uint32_t uid, const Watcher* source) {
    const std::size_t at = index_from(uid);
    if (at == entries.size() || entries[at].uid != uid) return;
    given.erase(entries[at].number);
    entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(at));
    tell(fmt::format("* {} EXPUNGE", at + 1), source);
}

std::uint32_t Folder::bring_back(std::uint32_t uid) {
    const std::size_t at = index_from(uid);
    if (at == entries.size() || entries[at].uid != uid) return 0;
    Entry entry = entries[at];
    std::optional<std::string> bytes;
    if (const auto found = given.find(entry.number); found != given.end()) bytes = found->second;
    remove(uid);
    entry.uid = uid_next++;
    entries.push_back(entry);
    if (bytes) given[entry.number] = std::move(*bytes);
    tell(fmt::format("* {} EXISTS", entries.size()));
    return entry.uid;
}

void Folder::renumber(NewUids uids) {
    ++uid_validity;
    std::uint32_t next = 1;
    for (Entry& entry : entries) entry.uid = uids == NewUids::higher ? entry.uid + 1000 : next++;
    uid_next = uids == NewUids::higher ? uid_next + 1000 : next;
    for (Watcher* watcher : std::vector<Watcher*>(watchers_)) watcher->dismissed("Mailbox was rebuilt");
}

void Folder::reveal(std::uint32_t number) {
    for (Entry& entry : entries)
        if (entry.number == number) entry.hidden = false;
}

void Folder::tell(const std::string& line, const Watcher* source) {
    for (Watcher* watcher : std::vector<Watcher*>(watchers_))
        if (watcher != source) watcher->told(line);
}

World::World(Population population, TokenRules rules, const Clock& clock, Random& random,
             IdentityRules rules_of_identity)
    : tokens(rules, clock, random),
      identity(std::move(rules_of_identity), clock, random),
      population_(std::move(population)),
      clock_(clock),
      random_(random) {
    for (std::uint32_t number = 1; number <= population_.mailboxes; ++number) {
        auto& folders = mailboxes_[address_of(number)];
        for (const char* name : {"INBOX", "Sent Items", "Deleted Items", "Archive"}) {
            folders.push_back(std::make_unique<Folder>());
            Folder& folder = *folders.back();
            folder.mailbox = address_of(number);
            folder.name = name;
            folder.uid_validity = first_uid_validity;
        }
        Folder& inbox = *folders.front();
        inboxes_.push_back(&inbox);
        inbox.entries.reserve(population_.messages);
        for (std::uint32_t uid = 1; uid <= population_.messages; ++uid)
            inbox.entries.push_back(
                {.uid = uid, .number = uid, .received = first_received + uid * 60, .email_id = ++last_email_id_});
        inbox.uid_next = population_.messages + 1;
        inbox.number_next = inbox.uid_next;
    }
}

std::string World::address_of(std::uint32_t number) { return fmt::format("box{:04}@sim.test", number); }

Folder* World::folder(std::string_view address, std::string_view name) {
    const auto mailbox = mailboxes_.find(text::lowered(address));
    if (mailbox == mailboxes_.end()) return nullptr;
    for (const auto& folder : mailbox->second)
        if (text::same(folder->name, name)) return folder.get();
    return nullptr;
}

std::vector<Folder*> World::folders(std::string_view address) {
    std::vector<Folder*> found;
    const auto mailbox = mailboxes_.find(text::lowered(address));
    if (mailbox == mailboxes_.end()) return found;
    for (const auto& folder : mailbox->second) found.push_back(folder.get());
    return found;
}

bool World::may_open(std::string_view user, std::string_view address) const {
    return mailboxes_.contains(text::lowered(address)) &&
           (text::same(user, address) || text::same(user, population_.shared_user) || shared_with(user, address));
}

bool World::shared_with(std::string_view user, std::string_view address) const {
    const auto shared = shares_.find(text::lowered(user));
    return shared != shares_.end() && shared->second.contains(text::lowered(address));
}

void World::share(std::string_view user, std::string_view address) {
    shares_[text::lowered(user)].insert(text::lowered(address));
}

std::optional<Account> World::account(std::string_view name) const {
    const std::string lowered = text::lowered(name);
    if (const auto known = identity.people.find(lowered); known != identity.people.end()) return known->second;
    const bool ours = mailboxes_.contains(lowered) || lowered == text::lowered(population_.shared_user);
    if (!ours) return std::nullopt;
    return Account{.name = lowered,
                   .upn = lowered,
                   .email = lowered,
                   .display = lowered.substr(0, lowered.find('@')),
                   .password = population_.password,
                   .oid = uuid_of("oid " + lowered),
                   .tenant = identity.rules.tenant};
}

void World::end_family(std::uint64_t family) {
    for (const std::string& token : identity.end_family(family)) tokens.end(token);
    for (const auto& [refresh_token, grant] : identity.grants)
        if (grant.family == family) tokens.end(refresh_token);
}

Entry& World::enter(Folder& folder, std::chrono::milliseconds hidden_for) {
    const auto received = std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch()).count();
    folder.entries.push_back(
        {.uid = folder.uid_next, .number = folder.number_next, .received = static_cast<std::uint32_t>(received)});
    ++folder.uid_next;
    ++folder.number_next;
    ++counters.arrivals;
    Entry& entry = folder.entries.back();
    entry.email_id = ++last_email_id_;
    entry.hidden = hidden_for.count() > 0;
    if (entry.hidden) hidden_.push_back({&folder, entry.number, clock_.now() + hidden_for});
    return entry;
}

std::uint32_t World::arrive(Folder& folder, std::chrono::milliseconds hidden_for) {
    enter(folder, hidden_for);
    folder.tell(fmt::format("* {} EXISTS", folder.entries.size()));
    return folder.uid_next - 1;
}

std::uint32_t World::arrive(Folder& folder, std::string bytes, std::chrono::milliseconds hidden_for) {
    const Entry& entry = enter(folder, hidden_for);
    folder.given[entry.number] = std::move(bytes);
    folder.tell(fmt::format("* {} EXISTS", folder.entries.size()));
    return folder.uid_next - 1;
}

std::uint32_t World::copy(const Folder& from, const Entry& entry, Folder& to) {
    std::string bytes = from.bytes_of(entry, population_.sizes);
    Entry& made = enter(to, {});
    --counters.arrivals;
    made.received = entry.received;
    made.flags = entry.flags;
    made.email_id = entry.email_id;
    to.given[made.number] = std::move(bytes);
    const auto uid = made.uid;
    to.tell(fmt::format("* {} EXISTS", to.entries.size()));
    return uid;
}

bool World::make_folder(std::string_view address, std::string_view name) {
    const auto mailbox = mailboxes_.find(text::lowered(address));
    if (mailbox == mailboxes_.end() || folder(address, name) != nullptr) return false;
    mailbox->second.push_back(std::make_unique<Folder>());
    Folder& made = *mailbox->second.back();
    made.mailbox = text::lowered(address);
    made.name = name;
    made.uid_validity = first_uid_validity + static_cast<std::uint32_t>(mailbox->second.size());
    return true;
}

std::size_t World::take(SentMail mail) {
    Folder* folder = this->folder(mail.sender, "Sent Items");
    if (folder == nullptr) folder = this->folder(mail.login, "Sent Items");
    std::chrono::milliseconds hidden_for{0};
    if (const auto late = faults.strike(FaultKind::sent_late, mail.sender))
        hidden_for = std::chrono::milliseconds(late->value == 0 ? 5000 : late->value);
    if (folder != nullptr) arrive(*folder, mail.message, hidden_for);
    sent_.push_back(std::move(mail));
    return sent_.size();
}

void World::enter(Watcher& session) {
    sessions_.push_back(&session);
    ++counters.sessions;
    counters.sessions_most = std::max<std::uint64_t>(counters.sessions_most, sessions_.size());
}

void World::leave(Watcher& session) { std::erase(sessions_, &session); }

void World::arrive_anywhere() { arrive(*inboxes_[random_.next() % inboxes_.size()]); }

void World::reveal_due() {
    const Monotonic now = clock_.now();
    std::erase_if(hidden_, [now](const Hidden& one) {
        if (one.until <= now) one.folder->reveal(one.number);
        return one.until <= now;
    });
}

void furnish(World& world) {
    const auto& rules = world.identity.rules;
    const auto add = [&](const std::string& name, const std::string& upn, const std::string& tenant, bool guest) {
        world.identity.people[name] = Account{.name = name,
                                              .upn = upn,
                                              .email = name,
                                              .display = name.substr(0, name.find('@')),
                                              .password = world.population().password,
                                              .oid = uuid_of("oid " + name),
                                              .tenant = tenant,
                                              .guest = guest};
    };
    add("operator@" + rules.domain, "operator@" + rules.domain, rules.tenant, false);
    add("guest@other.test", "guest_other.test#EXT#@" + rules.domain, rules.other_tenant, true);
    add("alien@other.test", "alien@other.test", rules.other_tenant, false);
    world.identity.clients["rohrpost-sim"] = Client{
        .id = "rohrpost-sim", .redirect_uris = {"http://localhost/oauth/callback", "http://127.0.0.1/oauth/callback"}};
}

void World::expire_tokens(const std::string& user, std::string_view words) {
    tokens.expire(user);
    for (Watcher* session : std::vector<Watcher*>(sessions_)) {
        const bool ends = !session->user().empty() && (user.empty() || text::same(user, session->user()));
        if (ends) session->dismissed(std::string(words));
    }
}

}  // namespace sim

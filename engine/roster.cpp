#include "engine/roster.hpp"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <limits>
#include <set>

#include "engine/config/documents.hpp"
#include "engine/config/presets.hpp"
#include "engine/submission/switches.hpp"
#include "protocols/base/text.hpp"

namespace {

constexpr std::size_t page_mailboxes = 1000;

struct Rows {
    std::vector<store::Mailbox> mailboxes;
    std::vector<store::Object> providers, credentials, consumers, webhooks, alarms;
    submission::Suspensions suspensions;
    std::map<std::string, std::string> proofs;  // by credential: as they lie in the store, sealed
};

Result<Rows> read_objects(store::Workbench bench) {
    Rows rows;
    auto providers = bench.store.objects(config::provider_kind);
    if (!providers) return providers.error();
    auto credentials = bench.store.objects(config::credential_kind);
    if (!credentials) return credentials.error();
    auto consumers = bench.store.objects(config::consumer_kind);
    if (!consumers) return consumers.error();
    auto webhooks = bench.store.objects(config::webhook_kind);
    if (!webhooks) return webhooks.error();
    auto alarms = bench.store.objects(config::alarm_kind);
    if (!alarms) return alarms.error();
    auto suspensions = submission::suspensions(bench.store);
    if (!suspensions) return suspensions.error();
    rows.suspensions = std::move(*suspensions);
    rows.providers = std::move(*providers);
    rows.credentials = std::move(*credentials);
    rows.consumers = std::move(*consumers);
    rows.webhooks = std::move(*webhooks);
    rows.alarms = std::move(*alarms);
    const auto secrets = bench.store.secrets();
    if (!secrets) return secrets.error();
    for (const auto& secret : *secrets) rows.proofs[secret.owner] += secret.sealed;
    const auto grants = bench.store.grants();
    if (!grants) return grants.error();
    for (const auto& grant : *grants)
        rows.proofs[grant.credential] += grant.state;  // not its tokens, which come and go
    return rows;
}

template <class T>
Result<std::map<std::string, T>> read_all(const std::vector<store::Object>& objects) {
    std::map<std::string, T> all;
    for (const auto& object : objects) {
        auto read = config::from_document<T>(object.document);
        if (!read) return read.error();
        all.insert_or_assign(object.id, std::move(*read));
    }
    return all;
}

template <class T>
std::vector<T> values_of(const std::map<std::string, T>& all) {
    std::vector<T> values;
    for (const auto& [id, value] : all) values.push_back(value);
    return values;
}

/// Why a mailbox cannot be served by this program as it is configured, in words; empty when it can.
std::string fault_of(const config::Mailbox& mailbox, const config::Provider& provider,
                     const config::Consumer* consumer) {
    if (mailbox.protocol == config::Protocol::pop3) {
        if (!provider.pop3) return fmt::format("provider {} has no pop3 host", provider.id);
        if (mailbox.after != config::After::keep && mailbox.after != config::After::remove) {
            return R"(POP3 can neither flag nor move mail; set "after": "keep" or "delete")";
        }
    } else {
        if (!provider.imap) return fmt::format("provider {} has no imap host", provider.id);
        if (provider.imap->tls != config::Tls::implicit) {
            return fmt::format("provider {}: this version speaks IMAP over implicit TLS only (port 993)", provider.id);
        }
    }
    if (mailbox.shadow) return {};
    if (consumer == nullptr) return fmt::format("consumer {} is gone; import it again", mailbox.consumer);
    return {};
}

/// What Exchange Online and Gmail allow a day; others say it when it is too much.
std::uint32_t recipients_per_day(const config::Provider& provider) {
    return provider.preset == "microsoft365" || provider.preset == "gmail" ? 10'000 : 0;
}

/// Who shares a provider's limits: the provider's tenant, or else the user's domain.
dispatcher::Tenant tenant_of(const config::Provider& provider, const config::Credential& credential) {
    const auto& limits = provider.limits;
    dispatcher::Tenant tenant{provider.id, {limits.mails_per_minute, limits.recipients_per_day}};
    const auto at = credential.user.rfind('@');
    if (provider.tenant.empty() && at != std::string::npos)
        tenant.id += "/" + text::lowered(credential.user.substr(at + 1));
    return tenant;
}

/// What the sessions of mailboxes count for. Equal ones are one object.
class Shares {
public:
    explicit Shares(retriever::Share all) : all_(std::move(all)) {}

    std::shared_ptr<const std::vector<retriever::Share>> of(const config::Provider& provider,
                                                            const config::Credential& credential,
                                                            const config::Mailbox& mailbox) {
        // An application by itself has the limits of each mailbox it opens, not those of a person.
        const bool by_itself =
            credential.flow == config::Flow::client_credentials || credential.flow == config::Flow::service_account;
        std::string user = by_itself ? fmt::format("user {} with credential {}", mailbox.login, credential.id)
                                     : fmt::format("credential {}", credential.id);
        const auto& host = mailbox.protocol == config::Protocol::pop3 ? provider.pop3 : provider.imap;
        auto& known = known_[user + (host ? "@" + host->host : "")];
        if (known) return known;
        const auto most = [](std::uint32_t limit) { return limit == 0 ? no_limit : limit; };
        std::vector<retriever::Share> shares{{std::move(user), most(provider.sessions.per_credential)}};
        if (provider.sessions.per_tenant > 0) {
            shares.push_back(
                {fmt::format("tenant {}", tenant_of(provider, credential).id), provider.sessions.per_tenant});
        }
        if (provider.sessions.per_host > 0 && host)
            shares.push_back({fmt::format("host {}", host->host), provider.sessions.per_host});
        shares.push_back(all_);
        known = std::make_shared<const std::vector<retriever::Share>>(std::move(shares));
        return known;
    }

private:
    static constexpr auto no_limit = std::numeric_limits<std::uint32_t>::max();  // it counts all the same
    retriever::Share all_;
    std::map<std::string, std::shared_ptr<const std::vector<retriever::Share>>> known_;
};

/// `credential` and `place`: nullptr when they are gone.
dispatcher::Sender sender_of(const store::Mailbox& row, const config::Mailbox& mailbox,
                             const config::Credential* credential, std::shared_ptr<const dispatcher::Place> place) {
    dispatcher::Sender sender;
    sender.number = row.number;
    sender.id = mailbox.id;
    sender.address = mailbox.address;
    sender.credential = mailbox.credential;
    sender.imap_login = mailbox.login;
    sender.pace = {.mails_per_minute = mailbox.submit->per_minute, .recipients_per_day = 0};
    sender.out_of_sight = mailbox.submit->in_doubt == config::InDoubt::retry ? dispatcher::OutOfSight::retry
                                                                             : dispatcher::OutOfSight::hold;
    sender.connections = mailbox.submit->connections;
    sender.paused = row.paused;
    if (credential == nullptr) {
        sender.fault = fmt::format("credential {} is gone; import it again", mailbox.credential);
        return sender;
    }
    sender.login = mailbox.submit->login.empty() ? credential->user : mailbox.submit->login;
    sender.password = credential->flow == config::Flow::password;
    if (place == nullptr) {
        sender.fault =
            fmt::format("provider {} cannot be used: it is gone, or its ca_file cannot be read", credential->provider);
        return sender;
    }
    sender.place = std::move(place);
    sender.tenant = tenant_of(sender.place->provider, *credential);
    sender.pace.recipients_per_day =
        mailbox.submit->recipients_per_day.value_or(recipients_per_day(sender.place->provider));
    if (!sender.place->provider.smtp) sender.fault = fmt::format("provider {} has no smtp host", credential->provider);
    return sender;
}

store::Digest digest_of(const std::string& text) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> whole{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), whole.data());
    store::Digest digest{};
    std::copy_n(whole.begin(), digest.size(), digest.begin());
    return digest;
}

/// Of a file that was read a moment ago; empty: none is named.
std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

Result<std::shared_ptr<const net::TlsClient>> TlsClients::of(const std::string& ca_file) {
    const auto found = clients_.find(ca_file);
    if (found != clients_.end()) return found->second;
    auto made = net::TlsClient::make({ca_file});
    if (made) clients_.insert_or_assign(ca_file, *made);
    return made;
}

awaitable<Result<Roster>> read_roster(store::Committer& committer, queue::Inbox& inbox, TlsClients& tls,
                                      retriever::Share all) {
    auto rows = co_await committer.run(inbox, read_objects);
    if (!rows) co_return rows.error();
    for (;;) {
        const auto after = rows->mailboxes.empty() ? std::string() : rows->mailboxes.back().id;
        auto read_page = [after](store::Workbench bench) { return bench.store.mailboxes(after, page_mailboxes); };
        auto page = co_await committer.run(inbox, std::move(read_page));
        if (!page) co_return page.error();
        const bool last = page->size() < page_mailboxes;
        for (auto& row : *page) rows->mailboxes.push_back(std::move(row));
        if (last) break;
    }
    auto providers = read_all<config::Provider>(rows->providers);
    if (!providers) co_return providers.error();
    auto credentials = read_all<config::Credential>(rows->credentials);
    if (!credentials) co_return credentials.error();
    auto consumers = read_all<config::Consumer>(rows->consumers);
    if (!consumers) co_return consumers.error();
    auto webhooks = read_all<config::Webhook>(rows->webhooks);
    if (!webhooks) co_return webhooks.error();
    auto alarms = read_all<config::AlarmMail>(rows->alarms);
    if (!alarms) co_return alarms.error();

    Roster roster;
    Shares shares(std::move(all));
    std::map<std::string, std::shared_ptr<const retriever::Place>> places;
    std::map<std::string, std::shared_ptr<const dispatcher::Place>> ways_out;
    std::map<std::string, std::string> faults;
    for (const auto& [id, provider] : *providers) {
        auto client = tls.of(provider.ca_file);
        if (client) {
            places[id] = std::make_shared<const retriever::Place>(retriever::Place{provider, *client});
            const auto version = digest_of(config::to_document(provider) + bytes_of(provider.ca_file));
            ways_out[id] = std::make_shared<const dispatcher::Place>(dispatcher::Place{provider, *client, version});
        } else {
            faults[id] = fmt::format("provider {}: ca_file {}: {}", id, provider.ca_file, client.error().message());
        }
    }
    for (auto& row : rows->mailboxes) {
        auto mailbox = config::from_document<config::Mailbox>(row.document);
        if (!mailbox) co_return mailbox.error();
        const auto credential = credentials->find(mailbox->credential);
        if (mailbox->submit) {
            const auto* known = credential == credentials->end() ? nullptr : &credential->second;
            const auto way = known == nullptr ? ways_out.end() : ways_out.find(known->provider);
            auto sender = sender_of(row, *mailbox, known, way == ways_out.end() ? nullptr : way->second);
            const auto suspension = rows->suspensions.find(row.id);
            if (sender.paused.empty() && suspension != rows->suspensions.end()) sender.paused = suspension->second;
            std::string documents = row.document + rows->proofs[mailbox->credential];
            if (known != nullptr) documents += config::to_document(*known);
            if (way != ways_out.end()) documents.append(way->second->version.begin(), way->second->version.end());
            sender.documents = digest_of(documents);
            roster.senders.push_back(std::move(sender));
        }
        if (mailbox->consumer.empty() && !mailbox->shadow) continue;  // for submission only
        retriever::Served served;
        served.number = row.number;
        served.paused = std::move(row.paused);
        if (credential == credentials->end()) {
            served.fault = fmt::format("credential {} is gone; import it again", mailbox->credential);
        } else if (const auto place = places.find(credential->second.provider); place == places.end()) {
            const auto why = faults.find(credential->second.provider);
            served.fault = why != faults.end()
                               ? why->second
                               : fmt::format("provider {} is gone; import it again", credential->second.provider);
        } else {
            served.password = credential->second.flow == config::Flow::password;
            served.place = place->second;
            served.shares = shares.of(place->second->provider, credential->second, *mailbox);
            const auto consumer = consumers->find(mailbox->consumer);
            served.fault =
                fault_of(*mailbox, place->second->provider, consumer == consumers->end() ? nullptr : &consumer->second);
            // A change of any of these makes the session start again.
            served.documents = digest_of(row.document + config::to_document(credential->second) +
                                         config::to_document(place->second->provider));
        }
        served.mailbox = std::make_shared<const config::Mailbox>(std::move(*mailbox));
        roster.mailboxes.push_back(std::move(served));
    }
    roster.consumers = values_of(*consumers);
    roster.providers = values_of(*providers);
    roster.credentials = values_of(*credentials);
    roster.webhooks = values_of(*webhooks);
    roster.alarms = values_of(*alarms);
    co_return roster;
}

std::vector<tokens::Account> accounts_of(const Roster& roster, TlsClients& tls) {
    std::map<std::string, std::shared_ptr<const config::Provider>> providers;  // thousands of credentials share one
    for (const auto& one : roster.providers) providers[one.id] = std::make_shared<const config::Provider>(one);
    std::set<std::string> sends, visits, stays;  // credentials used for SMTP, POP3, IMAP
    for (const auto& sender : roster.senders) sends.insert(sender.credential);
    for (const auto& served : roster.mailboxes) {
        const bool pop3 = served.mailbox->protocol == config::Protocol::pop3;
        (pop3 ? visits : stays).insert(served.mailbox->credential);
    }
    std::vector<tokens::Account> accounts;
    for (const auto& credential : roster.credentials) {
        const auto found = providers.find(credential.provider);
        if (found == providers.end()) continue;  // check() keeps references whole
        const auto& provider = found->second;
        tokens::Account account;
        account.credential = credential;
        account.token_url = provider->token_url;
        account.provider = provider;
        auto client = tls.of(provider->ca_file);
        if (client) account.tls = std::move(*client);
        config::Uses uses;
        uses.pop3 = visits.contains(credential.id);
        uses.imap = !uses.pop3 || stays.contains(credential.id) || sends.contains(credential.id);
        uses.smtp = sends.contains(credential.id);
        account.scopes = config::scopes_of(*provider, credential.flow, uses);
        accounts.push_back(std::move(account));
    }
    return accounts;
}

#include <fmt/format.h>

#include <map>

#include "engine/config/import.hpp"
#include "engine/config/words.hpp"
#include "protocols/base/text.hpp"
#include "protocols/jose/errc.hpp"
#include "protocols/jose/private_key.hpp"
#include "protocols/oauth2/assertion.hpp"

namespace config {
namespace {

/// An object after the merge and where an operator finds it.
template <class T>
struct Placed {
    const T* object = nullptr;
    std::string path;
};

template <class T>
using ById = std::map<std::string_view, Placed<T>>;

/// The document's objects in front of those that are there already.
template <class T>
ById<T> merged(const std::vector<T>& given, std::string_view list, const std::vector<T>& there, std::string_view kind) {
    ById<T> all;
    for (std::size_t i = 0; i < given.size(); ++i) {
        if (!given[i].id.empty()) all.try_emplace(given[i].id, Placed<T>{&given[i], fmt::format("{}[{}]", list, i)});
    }
    for (const T& object : there) {
        all.try_emplace(object.id, Placed<T>{&object, fmt::format("{} \"{}\" imported earlier", kind, object.id)});
    }
    return all;
}

/// The object that `id` refers to; a fault when there is none.
template <class T>
const T* referred(const ById<T>& all, const std::string& id, const std::string& path, std::string_view kind,
                  Faults& faults) {
    if (id.empty()) return nullptr;  // said already
    const auto found = all.find(id);
    if (found != all.end()) return found->second.object;
    std::vector<std::string_view> known;
    for (const auto& entry : all) known.push_back(entry.first);
    faults.add(path, fmt::format("there is no {} \"{}\", neither in this document nor imported earlier{}", kind,
                                 text::printable(id, 60), suggestion(id, known)));
    return nullptr;
}

enum class Origin { store, document };
using SecretNames = std::map<std::pair<std::string_view, std::string_view>, Origin>;  // by owner and name

class CredentialCheck {
public:
    CredentialCheck(const Credential& credential, const std::string& path, const SecretNames& secrets, Faults& faults)
        : credential_(credential), path_(path), secrets_(secrets), faults_(faults) {}

    void flow_alone() const {
        for (const std::string_view name : credential_secrets) {
            const auto found = secrets_.find({credential_.id, name});
            const Need need = need_of(credential_.flow, name);
            if (need == Need::needed && found == secrets_.end()) lacks(name);
            if (need == Need::none && found != secrets_.end() && found->second == Origin::document) excess(name);
        }
        client_proof();
        const bool is_client = credential_.flow != Flow::password && credential_.flow != Flow::service_account;
        if (is_client && credential_.client_id.empty()) lacks("client_id");
        if (credential_.flow == Flow::password && !credential_.client_id.empty()) excess("client_id");
    }

    /// What the flow needs from the provider.
    void flow_at(const Provider& provider) const {
        const bool microsoft = provider.preset == "microsoft365";
        if (credential_.flow == Flow::password) {
            if (microsoft) {
                fault("flow",
                      "Microsoft has retired logins with a password (basic authentication); expected "
                      "\"authorization_code\", \"device_code\", \"client_credentials\" or \"refresh_token\"");
            }
            return;
        }
        if (provider.token_url.empty()) lacks(provider, "token_url");
        if (credential_.flow == Flow::authorization_code && provider.authorize_url.empty())
            lacks(provider, "authorize_url");
        if (credential_.flow == Flow::device_code && provider.preset == "gmail") {
            fault("flow", "Google does not offer mail to device codes; expected \"authorization_code\"");
        } else if (credential_.flow == Flow::device_code && provider.device_url.empty()) {
            lacks(provider, "device_url");
        }
        if (credential_.flow == Flow::service_account && microsoft) {
            fault("flow", "service accounts are Google's; Microsoft's equivalent is \"client_credentials\"");
        }
        if (credential_.flow == Flow::client_credentials && provider.preset == "gmail") {
            fault("flow", "Google's equivalent of client credentials is \"service_account\"");
        }
        const std::string_view tenant = provider.tenant;
        if (credential_.flow == Flow::client_credentials && microsoft &&
            (tenant.empty() || tenant == "common" || tenant == "organizations" || tenant == "consumers")) {
            fault("flow", fmt::format("client_credentials needs one tenant; name it in \"tenant\" of provider \"{}\"",
                                      provider.id));
        }
    }

private:
    /// A client secret, or a private key with its certificate; a secret that is sealed gives way to a new certificate,
    /// and the other way round.
    void client_proof() const {
        if (credential_.flow == Flow::password || credential_.flow == Flow::service_account) return;
        const auto origin = [this](std::string_view name) {
            const auto found = secrets_.find({credential_.id, name});
            return found == secrets_.end() ? std::nullopt : std::optional(found->second);
        };
        const auto secret = origin("client_secret"), key = origin("private_key"), certificate = origin("certificate");
        if (secret == Origin::document && (key == Origin::document || certificate == Origin::document)) {
            fault("client_secret", "a client proves itself with a secret or with a certificate; leave one of them out");
        } else if (key && !certificate) {
            fault("certificate", "missing, \"private_key\" needs it: the certificate that the provider knows, in PEM");
        } else if (certificate && !key) {
            fault("private_key", "missing, \"certificate\" needs it: its private key, in PEM");
        } else if (credential_.flow == Flow::client_credentials && !secret && !key) {
            fault("client_secret",
                  fmt::format("missing, flow \"{}\" needs it, or \"private_key\" and \"certificate\"", flow()));
        }
    }
    [[nodiscard]] std::string_view flow() const { return word_of(flow_words, credential_.flow); }
    void fault(std::string_view key, std::string what) const {
        faults_.add(fmt::format("{}.{}", path_, key), std::move(what));
    }
    void lacks(std::string_view key) const { fault(key, fmt::format("missing, flow \"{}\" needs it", flow())); }
    void excess(std::string_view key) const {
        fault(key, fmt::format("flow \"{}\" has no use for it; leave it out", flow()));
    }
    void lacks(const Provider& provider, std::string_view key) const {
        fault("flow",
              fmt::format("flow \"{}\" needs \"{}\", which provider \"{}\" does not have", flow(), key, provider.id));
    }

    const Credential& credential_;
    const std::string& path_;
    const SecretNames& secrets_;
    Faults& faults_;
};

void check_hosts(const Mailbox& mailbox, const std::string& path, const Provider& provider, Faults& faults) {
    const bool imap = mailbox.protocol == Protocol::imap;
    const std::string_view word = word_of(protocol_words, mailbox.protocol);
    if ((!mailbox.consumer.empty() || mailbox.shadow) && !(imap ? provider.imap : provider.pop3)) {
        faults.add(path + ".protocol",
                   fmt::format("\"{}\" needs \"{}\" at provider \"{}\", which has none", word, word, provider.id));
    }
    if (mailbox.submit && !provider.smtp) {
        faults.add(path + ".submit", fmt::format("needs \"smtp\" at provider \"{}\", which has none", provider.id));
    }
}

/// Keys and certificates that are given here must be such.
class KeyCheck {
public:
    explicit KeyCheck(const Document& document) : document_(document) {}

    void judge(Faults& faults) const {
        for (const auto& given : document_.secrets) {
            if (given.keep || given.value.empty()) continue;
            error_code wrong;
            if (given.name == "private_key") wrong = error_of(jose::read_private_key(given.value));
            if (given.name == "certificate") wrong = flaw_of_certificate(given);
            if (given.name == "service_account") wrong = error_of(oauth2::read_service_account(given.value));
            if (wrong) faults.add(given.path, wrong.message());
        }
    }

private:
    template <class T>
    static error_code error_of(const Result<T>& result) {
        return result ? error_code() : result.error();
    }
    [[nodiscard]] error_code flaw_of_certificate(const GivenSecret& given) const {
        const auto certificate = jose::read_certificate(given.value.reveal());
        if (!certificate) return certificate.error();
        for (const auto& other : document_.secrets) {
            if (other.owner != given.owner || other.name != "private_key" || other.keep) continue;
            const auto key = jose::read_private_key(other.value);
            if (key && !belongs(*certificate, *key)) return jose::errc::certificate_mismatch;
        }
        return {};
    }

    const Document& document_;
};

/// The names of all secrets after the import; {"sealed": true} counts only where something is sealed.
SecretNames secret_names(const Document& document, const Document& there, Faults& faults) {
    SecretNames names;
    for (const auto& secret : there.secrets) names.try_emplace({secret.owner, secret.name}, Origin::store);
    for (const auto& secret : document.secrets) {
        if (secret.keep && !names.contains({secret.owner, secret.name})) {
            faults.add(
                secret.path,
                "nothing is sealed here yet that could be kept; give it as {\"file\"}, {\"env\"} or {\"value\"}");
        }
    }
    for (const auto& secret : document.secrets) names.insert_or_assign({secret.owner, secret.name}, Origin::document);
    return names;
}

/// Alarms leave through mailboxes that send.
void check_alarm(const AlarmMail& alarm, const std::string& path, const ById<Mailbox>& mailboxes, Faults& faults) {
    for (std::size_t i = 0; i < alarm.from.size(); ++i) {
        const auto at = fmt::format("{}.from[{}]", path, i);
        const auto* mailbox = referred(mailboxes, alarm.from[i], at, "mailbox", faults);
        if (mailbox != nullptr && !mailbox->submit) {
            faults.add(at, fmt::format("mailbox \"{}\" does not send; give it \"submit\"", mailbox->id));
        }
    }
}

}  // namespace

void check(const Document& document, const Document& there, Faults& faults) {
    const auto providers = merged(document.providers, "providers", there.providers, "provider");
    const auto credentials = merged(document.credentials, "credentials", there.credentials, "credential");
    const auto mailboxes = merged(document.mailboxes, "mailboxes", there.mailboxes, "mailbox");
    const auto consumers = merged(document.consumers, "consumers", there.consumers, "consumer");
    const SecretNames secrets = secret_names(document, there, faults);
    KeyCheck(document).judge(faults);
    for (const auto& [id, placed] : credentials) {
        const bool flow_known = !faults.concern(placed.path + ".flow");
        const CredentialCheck credential(*placed.object, placed.path, secrets, faults);
        if (flow_known) credential.flow_alone();
        const auto* provider =
            referred(providers, placed.object->provider, placed.path + ".provider", "provider", faults);
        if (provider != nullptr && flow_known) credential.flow_at(*provider);
    }
    for (std::size_t i = 0; i < document.alarms.size(); ++i)
        check_alarm(document.alarms[i], fmt::format("alarms[{}]", i), mailboxes, faults);
    for (const auto& [id, placed] : mailboxes) {
        const Mailbox& mailbox = *placed.object;
        referred(consumers, mailbox.consumer, placed.path + ".consumer", "consumer", faults);
        const auto* credential =
            referred(credentials, mailbox.credential, placed.path + ".credential", "credential", faults);
        if (credential == nullptr) continue;
        const auto provider = providers.find(credential->provider);
        if (provider == providers.end() || faults.concern(provider->second.path + ".preset")) continue;
        check_hosts(mailbox, placed.path, *provider->second.object, faults);
    }
}

}  // namespace config

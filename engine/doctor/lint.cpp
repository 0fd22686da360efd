#include "engine/doctor/lint.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "engine/config/presets.hpp"
#include "engine/config/words.hpp"
#include "engine/doctor/grant.hpp"
#include "engine/doctor/knowledge.hpp"
#include "engine/doctor/times.hpp"
#include "protocols/base/text.hpp"

namespace doctor {
namespace {

bool holds(std::string_view text, std::string_view part) {
    return text::find_same(text, part) != std::string_view::npos;
}

/// `credential "desk" imported earlier.flow`: whom a fault of config::check() is about.
std::optional<Subject> subject_of(std::string_view path) {
    using enum Subject::Kind;
    for (const auto kind : {mailbox, credential, provider}) {
        const auto begins = fmt::format("{} \"", word_of(kind));
        if (!path.starts_with(begins)) continue;
        path.remove_prefix(begins.size());
        return Subject{kind, std::string(path.substr(0, path.find('"')))};
    }
    return std::nullopt;
}

/// The resource that an Entra scope is of; empty: of none (openid and the like).
std::string resource_of(std::string_view scope) {
    constexpr std::string_view https = "https://";
    if (!scope.starts_with(https)) return {};
    return std::string(scope.substr(0, scope.find('/', https.size())));
}

class Lint {
public:
    explicit Lint(const Plan& plan) : plan_(plan) {}

    std::vector<Finding> findings() && {
        for (const auto& patient : plan_.patients) {
            const auto credential = plan_.credentials.find(patient.mailbox.credential);
            if (credential == plan_.credentials.end()) continue;
            const auto provider = plan_.providers.find(credential->second.provider);
            if (provider == plan_.providers.end()) continue;
            if (credentials_.insert(credential->first).second) look_at(credential->second, provider->second);
            if (providers_.insert(provider->first).second) look_at(provider->second);
        }
        for (const auto& patient : plan_.patients) look_at(patient);
        for (const auto& fault : plan_.faults.list()) look_at(fault);
        if (plan_.stray) look_at(*plan_.stray);
        return std::move(findings_);
    }

private:
    void look_at(const config::Fault& fault) {
        auto subject = subject_of(fault.path);
        if (!subject || !concerns(*subject)) return;
        findings_.push_back(found("configuration", std::move(*subject), "read the configuration", text_of(fault)));
    }
    [[nodiscard]] bool concerns(const Subject& subject) const {
        if (subject.kind == Subject::Kind::credential) return credentials_.contains(subject.name);
        if (subject.kind == Subject::Kind::provider) return providers_.contains(subject.name);
        return std::any_of(plan_.patients.begin(), plan_.patients.end(),
                           [&](const Patient& patient) { return patient.mailbox.id == subject.name; });
    }

    void look_at(const config::Provider& provider) {
        const Subject subject{Subject::Kind::provider, provider.id};
        if (!provider.imap) return;
        const auto& imap = *provider.imap;
        Names names;
        names.provider = provider.id;
        names.host = fmt::format("{}:{}", imap.host, imap.port);
        const auto add = [&](std::string_view id) {
            findings_.push_back(found(id, subject, "read the configuration", names.host, names));
        };
        if (holds(imap.host, "-legacy.office365.com")) add("host-legacy");
        if (is_retired(imap.host)) add("host-retired");
        const bool known_maker = maker_of(provider) != Maker::other;
        if (imap.tls != config::Tls::implicit || (known_maker && imap.port != 993)) add("port-wrong");
    }
    /// imap-emea.outlook.com, pod51019.outlook.com and the like.
    static bool is_retired(std::string_view host) {
        constexpr std::array<std::string_view, 3> alive{"imap-mail.outlook.com", "partner.outlook.cn", "outlook.com"};
        const bool outlook = host.ends_with(".outlook.com");
        return outlook && std::none_of(alive.begin(), alive.end(), [host](auto one) { return text::same(host, one); });
    }

    void look_at(const config::Credential& credential, const config::Provider& provider) {
        if (credential.flow == config::Flow::password) return;
        const Subject subject{Subject::Kind::credential, credential.id};
        if (!plan_.redirect_uri.empty() && credential.flow == config::Flow::authorization_code) {
            findings_.push_back(fine("redirect", subject, "compared external URL and redirect URL",
                                     fmt::format("{} is what must be registered, byte for byte", plan_.redirect_uri)));
        }
        config::Uses uses;
        uses.imap = true;
        const auto scopes = config::scopes_of(provider, credential.flow, uses);
        const auto got = fmt::format("scopes: {}", fmt::join(scopes, " "));
        const auto names = names_of(credential, provider, std::nullopt);
        const auto add = [&](std::string_view id) {
            findings_.push_back(found(id, subject, "read the scopes that are asked for", got, names));
        };
        const auto has = [&scopes](std::string_view part) {
            return std::any_of(scopes.begin(), scopes.end(), [part](const auto& scope) { return holds(scope, part); });
        };
        const auto maker = maker_of(provider);
        if (maker == Maker::other) return;
        const bool own_behalf =
            credential.flow == config::Flow::client_credentials || credential.flow == config::Flow::service_account;
        std::set<std::string> resources;
        for (const auto& scope : scopes) resources.insert(resource_of(scope));
        resources.erase("");
        if (maker == Maker::google) {
            if (!has("https://mail.google.com/") && !has("gmail.imap_admin")) add("scope-mail");
            return;
        }
        if (has("graph.microsoft.com")) {
            add(resources.size() > 1 ? "scope-mixed" : "scope-resource");
        } else if (resources.size() > 1) {
            add("scope-mixed");
        } else if (!own_behalf && !has("IMAP.AccessAsUser.All") && !has("POP.AccessAsUser.All") && !has("/.default")) {
            add("scope-mail");
        }
        if (!own_behalf && !has("offline_access")) add("scope-offline");
    }

    void look_at(const Patient& patient) {
        const Subject subject{Subject::Kind::mailbox, patient.mailbox.id};
        Names names;
        names.id = patient.mailbox.id;
        names.mailbox = patient.mailbox.login;
        const auto add = [&](std::string_view id, std::string did, std::string got) {
            findings_.push_back(found(id, subject, std::move(did), std::move(got), names));
        };
        if (!patient.paused.empty()) {
            add("paused", "asked for its state", patient.paused);
        } else if (!patient.reason.empty()) {
            add("not-served", "asked the daemon", fmt::format("{}: {}", patient.state, patient.reason));
        }
        for (const auto& folder : patient.folders) {
            if (!folder.frozen.empty()) {
                add("folder-frozen", "read the ledger", fmt::format("{}: {}", folder.name, folder.frozen));
            }
            if (folder.stuck > 0) {
                add("messages-stuck", "read the ledger",
                    fmt::format("{}: {} messages; {}", folder.name, folder.stuck, folder.stuck_reason));
            }
        }
    }

    void look_at(const StrayCallback& stray) {
        const bool other_name = stray.address != plan_.redirect_uri;
        Names names;
        names.redirect_uri = plan_.redirect_uri;
        auto got = fmt::format("at {} one came to {}", time_text(stray.at), stray.address);
        got += other_name ? fmt::format("; the redirect URL is {}", plan_.redirect_uri) : ", and no sign-in waited";
        findings_.push_back(found(other_name ? "callback-astray" : "sign-in-unknown",
                                  {Subject::Kind::host, authority_of(plan_.redirect_uri)},
                                  "looked where browsers came back to", std::move(got), names));
    }

    const Plan& plan_;
    std::set<std::string> credentials_, providers_;
    std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> lint(const Plan& plan) { return Lint(plan).findings(); }

}  // namespace doctor

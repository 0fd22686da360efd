#include "engine/doctor/examination.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "engine/doctor/knowledge.hpp"
#include "engine/doctor/lint.hpp"
#include "protocols/http/url.hpp"
#include "protocols/wait/timers.hpp"

namespace doctor {
namespace {

using namespace std::chrono_literals;

/// A token that is there is handed out at once; one that must be asked for from a host that cannot be reached never
/// comes.
constexpr auto token_within_unreachable = 5s;

std::optional<Place> place_of(const std::string& url, const std::string& ca_file) {
    auto read = http::read_https_url(url);
    if (!read) return std::nullopt;
    return Place{std::move(read->host), read->port, ca_file};
}

Place place_of(const config::Host& host, const std::string& ca_file) { return {host.host, host.port, ca_file}; }

/// The host that a mailbox's mail is fetched from; nullptr: none, or not with TLS from the first byte.
const config::Host* mail_host(const config::Mailbox& mailbox, const config::Provider& provider) {
    const auto& host = mailbox.protocol == config::Protocol::imap ? provider.imap : provider.pop3;
    return host && host->tls == config::Tls::implicit ? &*host : nullptr;
}

}  // namespace

/// Things to do, and those who do them.
struct Examination::Stage {
    Work work = nullptr;
    std::size_t next = 0, count = 0, workers = 0;
    Parking ended;
};

Examination::Examination(Surroundings here, Grants& grants, runtime::Scope& scope, Plan plan, Options options)
    : here_(here),
      grants_(grants),
      scope_(scope),
      plan_(std::move(plan)),
      options_(options),
      began_(here.seams.timers.now()),
      until_(began_ + options.all_within),
      began_at_(here.seams.timers.clock().wall()) {
    gather();
}

std::size_t Examination::steps() const noexcept {
    return 2 * hosts_.size() + pages_.size() + accounts_.size() + plan_.patients.size();
}

awaitable<void> Examination::run() {
    findings_ = lint(plan_);
    co_await each("ways", hosts_.size(), options_.hosts_at_once, &Examination::look_at_way);
    co_await each("greetings", hosts_.size(), options_.hosts_at_once, &Examination::look_at_greeting);
    co_await each("pages", pages_.size(), options_.hosts_at_once, &Examination::look_at_page);
    co_await each("credentials", accounts_.size(), options_.credentials_at_once, &Examination::look_at_account);
    co_await each("mailboxes", plan_.patients.size(), options_.logins_at_once, &Examination::look_at_mailbox);
    conclude();
    for (const auto& parking : waiting_) parking->wake();
}

awaitable<void> Examination::wait(std::chrono::milliseconds within) {
    if (report_) co_return;
    const auto parking = std::make_shared<Parking>();
    waiting_.push_back(parking);
    Timer timer(
        here_.seams.timers, [](void* place) { static_cast<Parking*>(place)->wake(); }, parking.get());
    timer.arm(here_.seams.timers.now() + within);
    co_await parking->wait();
    std::erase(waiting_, parking);
}

/// What the mailboxes depend on, each once.
void Examination::gather() {
    std::set<std::string> providers;
    for (const auto& patient : plan_.patients) {
        const auto* provider = provider_of(patient);
        if (provider == nullptr) continue;
        const auto& credential = plan_.credentials.at(patient.mailbox.credential);
        accounts_.try_emplace(credential.id);
        if (const auto* host = mail_host(patient.mailbox, *provider)) {
            auto& place = host_at(place_of(*host, provider->ca_file), *provider);
            place.mail = place.mail || patient.mailbox.protocol == config::Protocol::imap;
            (credential.flow == config::Flow::password ? place.passwords : place.tokens) = true;
        }
        if (credential.flow == config::Flow::password || !providers.insert(provider->id).second) continue;
        for (auto& page : pages_of(*provider)) {
            auto place = place_of(page.url, provider->ca_file);
            if (!place) continue;  // the configuration says so
            host_at(*place, *provider);
            pages_.push_back({std::move(page), std::move(*place)});
        }
    }
}

Examination::Host& Examination::host_at(const Place& place, const config::Provider& provider) {
    const auto known =
        std::find_if(hosts_.begin(), hosts_.end(), [&place](const Host& host) { return host.place == place; });
    if (known != hosts_.end()) return *known;
    Host host;
    host.place = place;
    host.provider = provider.id;
    host.maker = maker_of(provider);
    return hosts_.emplace_back(std::move(host));
}

const config::Provider* Examination::provider_of(const Patient& patient) const {
    const auto credential = plan_.credentials.find(patient.mailbox.credential);
    if (credential == plan_.credentials.end()) return nullptr;
    const auto provider = plan_.providers.find(credential->second.provider);
    return provider == plan_.providers.end() ? nullptr : &provider->second;
}

/// Does `work` for each number below `count`, so many at a time.
awaitable<void> Examination::each(std::string name, std::size_t count, std::size_t at_once, Work work) {
    const auto stage = std::make_shared<Stage>();
    stage->work = work;
    stage->count = count;
    stage->workers = std::min(count, at_once);
    if (count == 0) co_return;
    for (std::size_t i = std::min(count, at_once); i > 0; --i) {
        scope_.spawn(name, work_on(shared_from_this(), stage));
    }
    co_await stage->ended.wait();
}

awaitable<void> Examination::work_on(std::shared_ptr<Examination> self, std::shared_ptr<Stage> stage) {
    struct Leave {
        std::shared_ptr<Stage> stage;
        explicit Leave(std::shared_ptr<Stage> of) : stage(std::move(of)) {}
        Leave(const Leave&) = delete;
        Leave& operator=(const Leave&) = delete;
        ~Leave() {
            if (--stage->workers == 0) stage->ended.wake();
        }
    };
    const Leave leave(stage);
    while (stage->next < stage->count) {
        const auto at = stage->next++;
        co_await ((*self).*(stage->work))(at);
        ++self->done_;
    }
}

awaitable<void> Examination::look_at_way(std::size_t at) {
    if (is_late()) co_return;
    auto& host = hosts_[at];
    const auto facts = co_await probe_way(here_, host.place);
    WayExpected expected;
    expected.maker = host.maker;
    expected.provider = host.provider;
    expected.now = wall();
    auto judged = judge(facts, expected);
    host.passable = judged.passable;
    take(std::move(judged));
}

awaitable<void> Examination::look_at_greeting(std::size_t at) {
    auto& host = hosts_[at];
    auto tls = tls_of(host.place.ca_file);
    if (is_late() || !host.mail || !host.passable || !tls) co_return;
    const auto facts = co_await probe_greeting(here_, host.place, std::move(tls));
    GreetingExpected expected;
    expected.maker = host.maker;
    expected.tokens = host.tokens;
    expected.passwords = host.passwords;
    auto judged = judge(facts, expected);
    host.passable = judged.passable;
    take(std::move(judged));
}

awaitable<void> Examination::look_at_page(std::size_t at) {
    auto& page = pages_[at];
    const auto& host = host_at(page.place, plan_.providers.at(page.page.provider));
    auto tls = tls_of(page.place.ca_file);
    if (is_late() || !host.passable || !tls) co_return;
    const auto facts = co_await probe_page(here_, page.page, page.place, std::move(tls));
    auto judged = judge(page.page, facts);
    page.passable = judged.passable;
    take(std::move(judged));
}

awaitable<void> Examination::look_at_account(std::size_t at) {
    if (is_late()) co_return;
    auto& [id, account] = *std::next(accounts_.begin(), static_cast<std::ptrdiff_t>(at));
    GrantExpected expected;
    expected.credential = plan_.credentials.at(id);
    expected.provider = plan_.providers.at(expected.credential.provider);
    expected.redirect_uri = plan_.redirect_uri;
    expected.over_pop3 = std::all_of(plan_.patients.begin(), plan_.patients.end(), [name = id](const Patient& patient) {
        return patient.mailbox.credential != name || patient.mailbox.protocol == config::Protocol::pop3;
    });
    const bool unreachable = std::any_of(pages_.begin(), pages_.end(), [&expected](const PageAt& page) {
        return page.page.provider == expected.provider.id && !page.passable;
    });
    const auto within = unreachable ? std::chrono::milliseconds(token_within_unreachable) : options_.token_within;
    account.facts = co_await grants_.of(id, within);
    expected.now = wall();
    auto judged = judge(account.facts, expected);
    account.passable = judged.passable;
    take(std::move(judged));
}

awaitable<void> Examination::look_at_mailbox(std::size_t at) {
    const auto& patient = plan_.patients[at];
    const auto* provider = provider_of(patient);
    if (provider == nullptr) co_return;
    if (is_late()) {
        findings_.push_back(found("not-checked", {Subject::Kind::mailbox, patient.mailbox.id}, "nothing yet", ""));
        co_return;
    }
    const auto* mail = mail_host(patient.mailbox, *provider);
    if (mail == nullptr) co_return;
    const auto place = place_of(*mail, provider->ca_file);
    auto tls = tls_of(place.ca_file);
    const auto& account = accounts_.at(patient.mailbox.credential);
    if (!host_at(place, *provider).passable || !account.passable || !tls) co_return;
    auto mailbox = patient.mailbox;
    auto token = *account.facts.token;
    LoginFacts facts;
    if (mailbox.protocol == config::Protocol::pop3) {
        facts = co_await probe_pop3_login(here_, place, std::move(tls), std::move(mailbox), std::move(token));
    } else {
        facts = co_await probe_login(here_, place, std::move(tls), std::move(mailbox), std::move(token));
    }
    const auto& credential = plan_.credentials.at(patient.mailbox.credential);
    const LoginExpected expected{patient, credential, *provider, account.facts.claims, wall()};
    take(judge(facts, expected));
}

void Examination::take(Judged judged) {
    for (auto& finding : judged.findings) findings_.push_back(std::move(finding));
}

/// nullptr when its file cannot be read, which the way to the host tells.
std::shared_ptr<const net::TlsClient> Examination::tls_of(const std::string& ca_file) {
    const auto known = tls_.find(ca_file);
    if (known != tls_.end()) return known->second;
    auto made = net::TlsClient::make({ca_file});
    return tls_[ca_file] = made ? std::move(*made) : nullptr;
}

Outcome Examination::outcome_of(const Patient& patient, const BySubject& findings) const {
    Outcome outcome;
    outcome.mailbox = patient.mailbox.id;
    outcome.address = patient.mailbox.address;
    outcome.credential = patient.mailbox.credential;
    using enum Subject::Kind;
    std::vector<std::pair<Subject::Kind, std::string>> subjects{{mailbox, outcome.mailbox},
                                                                {credential, outcome.credential}};
    if (const auto* serves = provider_of(patient)) {
        outcome.provider = serves->id;
        subjects.emplace_back(provider, serves->id);
        if (const auto* host = mail_host(patient.mailbox, *serves))
            outcome.hosts.push_back(name_of(place_of(*host, serves->ca_file)));
        for (const auto& page : pages_) {
            if (page.page.provider == serves->id) outcome.hosts.push_back(name_of(page.place));
        }
    }
    for (const auto& name : outcome.hosts) subjects.emplace_back(host, name);
    std::vector<std::string> ids;
    for (const auto& subject : subjects) {
        const auto about = findings.find(subject);
        if (about == findings.end()) continue;
        for (const auto* finding : about->second) {
            if (finding->id == "mailbox") outcome.summary = finding->got;
            if (finding->severity < Severity::warning) continue;
            if (finding->severity > outcome.worst) ids.clear();
            outcome.worst = std::max(outcome.worst, finding->severity);
            const bool said = std::find(ids.begin(), ids.end(), finding->id) != ids.end();
            if (finding->severity == outcome.worst && !said) ids.push_back(finding->id);
        }
    }
    if (ids.empty()) return outcome;
    outcome.summary = fmt::format("{}{}{}", fmt::join(ids, ", "), outcome.summary.empty() ? "" : "; ", outcome.summary);
    return outcome;
}

/// Why the daemon does not serve a mailbox needs no words of its own where a fault says it.
void Examination::explain_away() {
    BySubject by_subject;
    for (const auto& finding : findings_) by_subject[{finding.subject.kind, finding.subject.name}].push_back(&finding);
    std::set<std::string> faulty;
    for (const auto& patient : plan_.patients) {
        if (outcome_of(patient, by_subject).worst == Severity::fault) faulty.insert(patient.mailbox.id);
    }
    for (auto& finding : findings_) {
        if (finding.id == "not-served" && faulty.contains(finding.subject.name)) finding.severity = Severity::note;
    }
}

void Examination::conclude() {
    explain_away();
    std::stable_sort(findings_.begin(), findings_.end(),
                     [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
    BySubject by_subject;
    for (const auto& finding : findings_) by_subject[{finding.subject.kind, finding.subject.name}].push_back(&finding);
    auto report = std::make_shared<Report>();
    report->begun_at = began_at_;
    report->took = std::chrono::duration_cast<std::chrono::milliseconds>(here_.seams.timers.now() - began_);
    for (const auto& patient : plan_.patients) report->mailboxes.push_back(outcome_of(patient, by_subject));
    report->findings = std::move(findings_);
    if (!report->findings.empty()) report->worst = report->findings.front().severity;
    report_ = std::move(report);
}

}  // namespace doctor

#include "engine/tokens/sign_ins.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/config/presets.hpp"
#include "engine/runtime/log.hpp"
#include "engine/tokens/advice.hpp"
#include "protocols/base/text.hpp"
#include "protocols/oauth2/authorization.hpp"
#include "protocols/oauth2/issuer.hpp"
#include "protocols/oauth2/pkce.hpp"

namespace tokens {

namespace {

constexpr auto ends_kept_for = std::chrono::hours(1);
constexpr auto stray_kept_for = std::chrono::hours(24);

using Is = SignInResult::Is;

bool by_people(config::Flow flow) {
    return flow == config::Flow::authorization_code || flow == config::Flow::device_code ||
           flow == config::Flow::refresh_token;
}

/// OpenID Connect Core §11: without prompt=consent the scope offline_access is ignored. Presets know better.
bool consent_brings_refresh(const Account& account) {
    const auto& scopes = account.scopes;
    return account.provider->preset.empty() &&
           std::find(scopes.begin(), scopes.end(), "offline_access") != scopes.end();
}

SignIns::End ended(std::string credential, Is is, std::string says) {
    SignIns::End end;
    end.credential = std::move(credential);
    end.result.is = is;
    end.result.says = std::move(says);
    return end;
}

}  // namespace

SignIns::SignIns(Uses uses)
    : uses_(std::move(uses)), scope_(uses_.shard, [](const auto& name, const auto& what) {
          spdlog::error("coroutine={} failed={}", runtime::value(name), runtime::value(what));
      }) {}

awaitable<void> SignIns::close() {
    scope_.cancel();
    co_await scope_.join();
}

void SignIns::forget_old() {
    const auto now = uses_.timers.now();
    std::erase_if(waiting_, [this, now](const auto& one) {
        const Waiting& waiting = one.second;
        if (waiting.until > now) return false;
        keep(waiting.id, ended(waiting.credential, Is::unknown, "nobody has signed in within ten minutes"));
        return true;
    });
    std::erase_if(ends_, [now](const auto& one) { return one.second.until <= now; });
}

void SignIns::keep(const std::string& id, End end) {
    if (end.result.is == Is::stored) {
        stray_.reset();
        if (uses_.stored) uses_.stored(end.credential);
    }
    ends_[id] = {.end = std::move(end), .until = uses_.timers.now() + ends_kept_for};
}

SignIns::Refused SignIns::hindrance(const std::string& credential) const {
    const auto account = uses_.tokens.account(credential);
    if (!account || !account->provider) return fmt::format("there is no credential \"{}\"", credential);
    if (!by_people(account->credential.flow))
        return fmt::format("nobody signs in for credential {}: its flow needs no person", credential);
    if (waiting_.size() >= sign_ins_max) return "too many sign-ins are under way: try again in some minutes";
    return {};
}

std::variant<SignIns::Begun, SignIns::Refused> SignIns::begin(const std::string& credential,
                                                              const std::string& browser) {
    forget_old();
    if (auto refused = hindrance(credential); !refused.empty()) return refused;
    const auto account = *uses_.tokens.account(credential);
    const auto& provider = *account.provider;
    if (provider.authorize_url.empty()) return fmt::format("provider {} has no authorize_url", provider.id);
    oauth2::Entropy entropy;
    uses_.random.fill(entropy);
    Waiting waiting{.id = oauth2::fresh_token(uses_.random),
                    .credential = credential,
                    .browser = browser,
                    .code_verifier = oauth2::code_verifier_of(entropy),
                    .nonce = oauth2::fresh_token(uses_.random),
                    .until = uses_.timers.now() + lasts};
    const std::string state = oauth2::fresh_token(uses_.random);
    const bool google = provider.preset == "gmail";
    oauth2::Authorization authorization;
    authorization.client_id = account.credential.client_id;
    authorization.redirect_uri = redirect_uri_;
    authorization.scope = account.scope();
    authorization.state = state;
    authorization.nonce = waiting.nonce;
    authorization.code_challenge = oauth2::code_challenge_of(waiting.code_verifier);
    authorization.login_hint = account.credential.user;
    using Prompt = oauth2::Authorization::Prompt;
    authorization.prompt =
        google || consent_brings_refresh(account) ? Prompt::select_account_and_consent : Prompt::select_account;
    if (google) authorization.access = oauth2::Authorization::Access::offline;
    Begun begun{.id = waiting.id,
                .url = oauth2::url_of(provider.authorize_url, authorization),
                .user = account.credential.user,
                .until = uses_.timers.clock().wall() + lasts};
    auto pending = ended(credential, Is::pending, "nobody has come back yet");
    pending.way = Way{.user = begun.user,
                      .until = begun.until,
                      .url = begun.url,
                      .verification_uri = {},
                      .user_code = {},
                      .message = {}};
    keep(waiting.id, std::move(pending));
    waiting_.emplace(state, std::move(waiting));
    return begun;
}

awaitable<SignIns::End> SignIns::finish(oauth2::Callback callback, std::string browser) {
    forget_old();
    const auto waits = waiting_.find(callback.state);
    if (waits != waiting_.end() && !waits->second.browser.empty() && waits->second.browser != browser) {
        co_return ended(waits->second.credential, Is::other_browser, "this sign-in was begun in another browser");
    }
    auto found = waiting_.extract(callback.state);
    if (found.empty()) {
        came_astray(redirect_uri_);
        co_return ended({}, Is::unknown,
                        "this sign-in was not begun here, has been finished before, or is more than ten minutes old");
    }
    const Waiting waiting = std::move(found.mapped());
    const auto account = uses_.tokens.account(waiting.credential);
    End end = ended(waiting.credential, Is::unknown, fmt::format("credential {} is gone", waiting.credential));
    const auto issuers = account ? config::issuers_of(*account->provider) : std::vector<std::string>();
    const auto from = oauth2::check_issuer(callback, issuers);
    if (const auto* refusal = std::get_if<oauth2::Refusal>(&callback.code)) {
        end.result.is = Is::refused;
        end.result.says = fmt::format("{}: {}", refusal->error, oauth2::said_in(*refusal));
        end.result.refusal = *refusal;
    } else if (account && !from) {
        end.result.is = Is::unproven;
        end.result.says = from.error().message();
    } else if (account) {
        oauth2::Redemption redemption;
        redemption.code = std::move(std::get<Secret>(callback.code));
        redemption.redirect_uri = redirect_uri_;
        redemption.code_verifier = waiting.code_verifier;
        SignedIn signed_in{.what = std::move(redemption), .nonce = waiting.nonce};
        end.result = co_await uses_.tokens.sign_in(waiting.credential, std::move(signed_in));
    }
    keep(waiting.id, end);
    co_return end;
}

void SignIns::came_astray(std::string address) {
    stray_ = Stray{.address = std::move(address), .at = uses_.timers.clock().wall()};
}

std::optional<SignIns::Stray> SignIns::stray() const {
    const bool old = stray_ && uses_.timers.clock().wall() - stray_->at > stray_kept_for;
    return old ? std::nullopt : stray_;
}

std::optional<SignIns::End> SignIns::end_of(const std::string& id) {
    forget_old();
    const auto found = ends_.find(id);
    if (found == ends_.end()) return std::nullopt;
    return found->second.end;
}

awaitable<std::variant<SignIns::BegunDevice, SignIns::Refused>> SignIns::begin_device(std::string credential) {
    using Reply = std::variant<BegunDevice, Refused>;
    forget_old();
    if (auto refused = hindrance(credential); !refused.empty()) co_return Reply(std::move(refused));
    const auto account = *uses_.tokens.account(credential);
    if (account.provider->device_url.empty())
        co_return Reply(fmt::format("provider {} has no device_url", account.provider->id));
    auto asked = co_await uses_.tokens.device_code_for(credential);
    if (auto* why = std::get_if<std::string>(&asked)) co_return Reply(std::move(*why));
    auto& code = std::get<oauth2::DeviceCode>(asked);
    BegunDevice begun{.id = oauth2::fresh_token(uses_.random),
                      .user = account.credential.user,
                      .code = code,
                      .until = uses_.timers.clock().wall() + code.expires_in};
    auto pending = ended(credential, Is::pending, "nobody has signed in yet");
    pending.way = Way{.user = begun.user,
                      .until = begun.until,
                      .url = {},
                      .verification_uri = code.verification_uri,
                      .user_code = code.user_code,
                      .message = code.message};
    keep(begun.id, std::move(pending));
    scope_.spawn("device sign-in", poll(begun.id, credential, std::move(code)));
    co_return Reply(std::move(begun));
}

/// Asks until the person has signed in, has refused, or the code has expired. RFC 8628 §3.5.
awaitable<void> SignIns::poll(std::string id, std::string credential, oauth2::DeviceCode code) {
    using What = oauth2::PollStep::What;
    const auto until = uses_.timers.now() + code.expires_in;
    auto interval = code.interval;
    auto wait = interval;
    for (;;) {
        co_await uses_.timers.sleep_for(wait);
        oauth2::DevicePoll ask;
        ask.device_code = code.device_code;
        SignedIn signed_in{.what = std::move(ask), .nonce = {}};
        auto result = co_await uses_.tokens.sign_in(credential, std::move(signed_in));
        const auto left = std::chrono::floor<std::chrono::seconds>(until - uses_.timers.now());
        const bool open = result.is == Is::pending || result.is == Is::refused || result.is == Is::no_answer;
        oauth2::PollStep step;
        if (open) {
            step = result.refusal ? oauth2::after_poll(oauth2::Answer(*result.refusal), interval, left)
                                  : oauth2::after_no_answer(interval, left);
        }
        if (!open || step.what != What::ask_again) {
            if (step.what == What::expired && open) {
                result.is = Is::refused;
                result.says = "the code has expired before anybody signed in";
            }
            End end;
            end.credential = credential;
            end.result = std::move(result);
            keep(id, std::move(end));
            co_return;
        }
        interval = step.interval;
        wait = step.wait;
    }
}

SignInWords words_of(const SignIns::End& end) {
    const auto& result = end.result;
    SignInWords words;
    switch (result.is) {
        case Is::stored:
            words.headline = result.verdict.who.empty() ? fmt::format("{} is authorized", end.credential)
                                                        : fmt::format("{} is authorized: {} has signed in",
                                                                      end.credential, result.verdict.who);
            words.remedy = result.says;
            break;
        case Is::pending:
            words.headline = result.says;
            break;
        case Is::wrong_person:
            words.headline = fmt::format("The wrong person has signed in: {} instead of {}. Nothing was changed.",
                                         result.verdict.who, result.verdict.expected);
            words.remedy = fmt::format("{}. Begin again, and choose \"Use another account\" at the provider.",
                                       result.verdict.help);
            break;
        case Is::unproven:
            words.headline = "Who has signed in could not be proved. Nothing was changed.";
            words.remedy = result.says;
            break;
        case Is::refused: {
            words.headline = fmt::format("The sign-in was refused: {}", result.says);
            if (result.refusal) {
                const auto advice = advice_on(*result.refusal);
                words.remedy = sentences_of(advice);
            }
            break;
        }
        case Is::no_answer: {
            words.headline = fmt::format("The provider did not answer: {}", result.says);
            const auto advice = advice_on_no_answer();
            words.remedy = sentences_of(advice);
            break;
        }
        case Is::no_refresh:
        case Is::not_stored:
            words.headline = fmt::format("Nothing was changed: {}", result.says);
            break;
        case Is::other_browser:
            words.headline =
                "This sign-in was begun in another browser, or in another window that keeps its own "
                "cookies. Nothing was changed.";
            words.remedy =
                "Copy the whole address that this browser shows, and paste it on the console's page that "
                "waits for this sign-in; or begin again, and stay in one window from beginning to end.";
            break;
        case Is::unknown:
            words.headline = result.says;
            words.remedy = "Begin again.";
            break;
    }
    if (!words.remedy.empty()) words.remedy.front() = text::upper(words.remedy.front());
    return words;
}

}  // namespace tokens

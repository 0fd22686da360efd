#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <iterator>
#include <map>

#include "engine/config/import.hpp"
#include "engine/control/commands.hpp"
#include "engine/control/json.hpp"
#include "engine/tokens/grant_record.hpp"

namespace control {
namespace {

Response refused(const config::Faults& faults) {
    return faulty("the document has faults; nothing was imported", faults);
}

/// A refresh token that was rotated or came with a sign-in takes the place of the imported one, which works no more.
Result<void> take_current(config::Document& there, store::Store& store, const secrets::Keyring& keyring,
                          std::string& at) {
    std::map<std::string, Secret*> imported;  // by credential
    for (auto& secret : there.secrets) {
        if (secret.name == "refresh_token") imported.emplace(secret.owner, &secret.value);
    }
    std::vector<config::GivenSecret> granted;
    for (const auto& credential : there.credentials) {
        if (config::need_of(credential.flow, "refresh_token") == config::Need::none) continue;
        const auto row = store.grant(credential.id);
        if (!row) return row.error();
        if (!*row) continue;
        const auto bytes = keyring.unseal(credential.id, secrets::grant_name, (*row)->sealed);
        const auto grant = bytes ? tokens::decoded(*bytes) : std::nullopt;
        if (!grant) {
            at = credential.id + ": grant";
            return bytes ? secrets::errc::malformed : bytes.error();
        }
        const auto found = imported.find(credential.id);
        const bool given = found != imported.end();
        if (grant->refresh_token.empty() || !tokens::goes_on(*grant, given ? *found->second : Secret())) continue;
        if (given) {
            *found->second = grant->refresh_token;
        } else {
            granted.push_back({.owner = credential.id, .name = "refresh_token", .value = grant->refresh_token});
        }
    }
    std::move(granted.begin(), granted.end(), std::back_inserter(there.secrets));
    return {};
}

Result<Response> without_secrets(store::Store& store) {
    const auto there = config::stored(store);
    if (!there) return there.error();
    Response response;
    response.body = config::exported(*there);
    return response;
}

Result<Response> with_secrets(store::Store& store, const secrets::Keyring& keyring) {
    auto there = config::stored(store);
    if (!there) return there.error();
    std::string at;
    auto opened = config::open_secrets(*there, store, keyring, at);
    if (opened) opened = take_current(*there, store, keyring, at);
    if (!opened && at.empty()) return opened.error();
    if (!opened) return refusal(500, fmt::format("{}: {}", at, opened.error().message()));
    Response response;
    response.body = config::with_secrets(*there).reveal();
    return response;
}

}  // namespace

awaitable<Response> import_document(Surroundings& here, std::string text) {
    if (here.keyring == nullptr) co_return refusal(500, "there is no key to seal secrets with");
    auto reading = config::read_document(text, config::NoSources());
    if (!reading.faults.empty()) {
        auto work = [given = std::move(reading)](store::Workbench bench) mutable -> Result<Response> {
            const auto there = config::stored(bench.store);
            if (!there) return there.error();
            config::check(given.document, *there, given.faults);
            return refused(given.faults);
        };
        auto response = co_await here.committer.run(here.home, std::move(work));
        if (!response) co_return failure(response.error());
        co_return std::move(*response);
    }
    auto work = [keyring = here.keyring, document = std::move(reading.document)](store::Workbench bench) {
        return config::import_into(bench.store, *keyring, document);
    };
    auto imported = co_await here.committer.run(here.home, std::move(work));
    if (!imported) co_return failure(imported.error());
    if (!imported->faults.empty()) co_return refused(imported->faults);
    here.senders->forget();
    if (here.live != nullptr) here.live->changed();
    co_return answer(boost::json::object{{"changed", boost::json::object{{"providers", imported->providers},
                                                                         {"credentials", imported->credentials},
                                                                         {"mailboxes", imported->mailboxes},
                                                                         {"consumers", imported->consumers},
                                                                         {"webhooks", imported->webhooks},
                                                                         {"alarms", imported->alarms}}}});
}

awaitable<Response> export_document(Surroundings& here, Secrets secrets) {
    if (secrets == Secrets::open && here.keyring == nullptr) co_return refusal(500, "there is no key to open secrets");
    auto work = [keyring = here.keyring, secrets](store::Workbench bench) {
        return secrets == Secrets::open ? with_secrets(bench.store, *keyring) : without_secrets(bench.store);
    };
    auto response = co_await here.committer.run(here.home, std::move(work));
    if (!response) co_return failure(response.error());
    co_return std::move(*response);
}

}  // namespace control

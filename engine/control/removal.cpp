#include "engine/control/removal.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "engine/config/documents.hpp"
#include "engine/config/import.hpp"
#include "engine/control/events.hpp"

namespace control {
namespace {

struct Kind {
    Thing thing;
    std::string_view word;
    std::string_view stored_as;
};
constexpr std::array kinds{
    Kind{Thing::provider, "provider", config::provider_kind},
    Kind{Thing::credential, "credential", config::credential_kind},
    Kind{Thing::consumer, "consumer", config::consumer_kind},
    Kind{Thing::webhook, "webhook", config::webhook_kind},
    Kind{Thing::alarm, "alarm", config::alarm_kind},
};
constexpr std::size_t users_named_max = 5;

const Kind& kind_of(Thing thing) {
    return *std::find_if(kinds.begin(), kinds.end(), [thing](const Kind& kind) { return kind.thing == thing; });
}

template <class T>
const T* found(const std::vector<T>& all, const std::string& id) {
    const auto place = std::find_if(all.begin(), all.end(), [&](const T& one) { return one.id == id; });
    return place == all.end() ? nullptr : &*place;
}

/// What belongs to it beside its document; nullopt: there is no such thing.
std::optional<std::string> secrets_of(const config::Document& there, Thing thing, const std::string& id) {
    const auto* credential = thing == Thing::credential ? found(there.credentials, id) : nullptr;
    if (credential != nullptr) return config::secret_owner(*credential);
    const auto* consumer = thing == Thing::consumer ? found(there.consumers, id) : nullptr;
    if (consumer != nullptr) return config::secret_owner(*consumer);
    const auto* webhook = thing == Thing::webhook ? found(there.webhooks, id) : nullptr;
    if (webhook != nullptr) return config::secret_owner(*webhook);
    const bool has_none = (thing == Thing::provider && found(there.providers, id) != nullptr) ||
                          (thing == Thing::alarm && found(there.alarms, id) != nullptr);
    return has_none ? std::optional<std::string>("") : std::nullopt;
}

/// Ids of those that refer to it.
std::vector<std::string> users_of(const config::Document& there, Thing thing, const std::string& id) {
    std::vector<std::string> users;
    if (thing == Thing::provider) {
        for (const auto& one : there.credentials)
            if (one.provider == id) users.push_back("credential " + one.id);
    }
    for (const auto& one : there.mailboxes) {
        if ((thing == Thing::credential && one.credential == id) || (thing == Thing::consumer && one.consumer == id))
            users.push_back("mailbox " + one.id);
    }
    return users;
}

Response still_used(const Kind& kind, const std::string& id, std::vector<std::string> users) {
    const auto others = users.size() > users_named_max ? users.size() - users_named_max : 0;
    users.resize(users.size() - others);
    auto list = fmt::format("{}", fmt::join(users, ", "));
    if (others > 0) list += fmt::format(" and {} more", others);
    return refusal(409, fmt::format("{} \"{}\" is used by {}; remove these first, or import them with another one",
                                    kind.word, id, list));
}

struct RemoveWork {
    Thing thing{};
    std::string id;

    Result<Response> operator()(store::Workbench bench) const {
        auto& store = bench.store;
        const Kind& kind = kind_of(thing);
        const auto there = config::stored(store);
        if (!there) return there.error();
        const auto owner = secrets_of(*there, thing, id);
        if (!owner) return refusal(404, fmt::format("there is no {} \"{}\"", kind.word, id));
        auto users = users_of(*there, thing, id);
        if (!users.empty()) return still_used(kind, id, std::move(users));
        if (thing == Thing::consumer) {
            const auto waiting = store.hand_offs(id, store::Store::Which::waiting, 0, 1);
            if (!waiting) return waiting.error();
            if (!waiting->empty())
                return refusal(409, fmt::format("consumer \"{}\" has not taken all mail of mailboxes that are removed: "
                                                "let it acknowledge that first (rohrpost inbox list --consumer {})",
                                                id, id));
        }
        auto done = store.remove_object(kind.stored_as, id);
        if (done && !owner->empty()) done = store.remove_secrets(*owner);
        if (done && thing == Thing::credential) done = store.remove_grant(id);
        if (done && thing == Thing::webhook) done = store.remove_meta(cursor_row(id));
        if (!done) return done.error();
        return answer({{"id", id}, {"removed", true}});
    }
};

}  // namespace

std::optional<Thing> thing_of(std::string_view word) {
    for (const auto& kind : kinds)
        if (word == kind.word ||
            (word.size() == kind.word.size() + 1 && word.ends_with('s') && word.starts_with(kind.word)))
            return kind.thing;
    return std::nullopt;
}

awaitable<Response> remove_thing(Surroundings& here, Thing thing, std::string id) {
    RemoveWork work{thing, std::move(id)};
    auto response = co_await here.committer.run(here.home, std::move(work));
    if (!response) co_return failure(response.error());
    if (response->status == 200 && here.live != nullptr) here.live->changed();
    co_return std::move(*response);
}

}  // namespace control

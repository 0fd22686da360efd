#include "engine/control/credentials.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "engine/config/documents.hpp"
#include "engine/control/credential_json.hpp"
#include "engine/tokens/sign_ins.hpp"

namespace control {
namespace {

/// The grant behind a row of the store. Errors: it cannot be opened.
Result<tokens::GrantRecord> opened(const store::Grant& row, const secrets::Keyring& keyring) {
    const auto bytes = keyring.unseal(row.credential, secrets::grant_name, row.sealed);
    if (!bytes) return bytes.error();
    auto record = tokens::decoded(*bytes);
    if (!record) return secrets::errc::malformed;
    return std::move(*record);
}

/// Empty when none was imported, or it cannot be opened.
Secret imported_token(const std::optional<std::string>& sealed, const std::string& id,
                      const secrets::Keyring& keyring) {
    if (!sealed) return {};
    auto refresh_token = keyring.unseal(id, "refresh_token", *sealed);
    return refresh_token ? std::move(*refresh_token) : Secret();
}

std::optional<CredentialFacts::Kept> kept_of(const store::Grant& row, const secrets::Keyring* keyring,
                                             const std::optional<std::string>& refresh_token) {
    CredentialFacts::Kept kept;
    kept.state = row.state;
    kept.reason = row.reason;
    kept.access_token_ends = WallTime(row.access_expires_at.time_since_epoch());
    if (keyring == nullptr) return kept;
    auto record = opened(row, *keyring);
    if (!record) {
        kept.state = tokens::words_of(tokens::Meaning::operator_must_act);
        kept.reason = fmt::format("its grant in the store cannot be opened: {}", record.error().message());
        return kept;
    }
    if (!tokens::goes_on(*record, imported_token(refresh_token, row.credential, *keyring))) return std::nullopt;
    kept.record = std::move(*record);
    return kept;
}

Result<CredentialFacts> facts_of(store::Store& store, const store::Object& object, const secrets::Keyring* keyring) {
    CredentialFacts facts;
    auto credential = config::from_document<config::Credential>(object.document);
    if (!credential) return credential.error();
    facts.credential = std::move(*credential);
    const auto refresh_token = store.secret(object.id, "refresh_token");
    if (!refresh_token) return refresh_token.error();
    facts.imported = refresh_token->has_value();
    const auto row = store.grant(object.id);
    if (!row) return row.error();
    if (*row) facts.kept = kept_of(**row, keyring, *refresh_token);
    return facts;
}

/// How many mailboxes are read with each credential. In pages, so that commits go on in between.
awaitable<Result<std::map<std::string, std::uint64_t>>> mailboxes_by_credential(Surroundings& here) {
    std::map<std::string, std::uint64_t> counts;
    std::string after;
    for (;;) {
        auto work = [after](store::Workbench bench) { return bench.store.mailboxes(after, page_rows_max); };
        auto rows = co_await here.committer.run(here.home, std::move(work));
        if (!rows) co_return rows.error();
        for (const auto& row : *rows) {
            const auto mailbox = config::from_document<config::Mailbox>(row.document);
            if (mailbox) ++counts[mailbox->credential];
        }
        if (rows->size() < page_rows_max) co_return counts;
        after = rows->back().id;
    }
}

std::vector<Live::Expiring> all_expiring(const Surroundings& here) {
    return here.live == nullptr ? std::vector<Live::Expiring>() : here.live->summary().expiring;
}

void complete(CredentialFacts& facts, const Surroundings& here, const std::map<std::string, std::uint64_t>& counts,
              const std::vector<Live::Expiring>& expiring) {
    if (here.live != nullptr) facts.live = here.live->credential(facts.credential.id);
    std::copy_if(expiring.begin(), expiring.end(), std::back_inserter(facts.expiring),
                 [&](const auto& one) { return one.credential == facts.credential.id; });
    const auto found = counts.find(facts.credential.id);
    if (found != counts.end()) facts.mailboxes = found->second;
}

}  // namespace

awaitable<Response> list_credentials(Surroundings& here, std::string after, std::size_t limit) {
    limit = std::clamp<std::size_t>(limit, 1, page_rows_max);
    auto work = [after = std::move(after), limit,
                 keyring = here.keyring](store::Workbench bench) -> Result<std::vector<CredentialFacts>> {
        auto objects = bench.store.objects(config::credential_kind);
        if (!objects) return objects.error();
        std::erase_if(*objects, [&](const auto& object) { return object.id <= after; });
        std::sort(objects->begin(), objects->end(), [](const auto& a, const auto& b) { return a.id < b.id; });
        objects->resize(std::min(objects->size(), limit + 1));
        std::vector<CredentialFacts> all;
        for (const auto& object : *objects) {
            auto facts = facts_of(bench.store, object, keyring);
            if (!facts) return facts.error();
            all.push_back(std::move(*facts));
        }
        return all;
    };
    auto all = co_await here.committer.run(here.home, std::move(work));
    if (!all) co_return failure(all.error());
    const auto counts = co_await mailboxes_by_credential(here);
    if (!counts) co_return failure(counts.error());
    boost::json::object page;
    if (all->size() > limit) {
        all->pop_back();
        page["next"] = all->back().credential.id;
    }
    const auto expiring = all_expiring(here);
    boost::json::array list;
    for (auto& facts : *all) {
        complete(facts, here, *counts, expiring);
        list.push_back(to_json(facts));
    }
    page["credentials"] = std::move(list);
    co_return answer(page);
}

awaitable<Response> show_credential(Surroundings& here, std::string id) {
    auto work = [id, keyring = here.keyring](store::Workbench bench) -> Result<CredentialFacts> {
        const auto objects = bench.store.objects(config::credential_kind);
        if (!objects) return objects.error();
        for (const auto& object : *objects)
            if (object.id == id) return facts_of(bench.store, object, keyring);
        return store::errc::unknown_id;
    };
    auto facts = co_await here.committer.run(here.home, std::move(work));
    if (!facts && facts.error() == store::errc::unknown_id) {
        co_return refusal(404, fmt::format("there is no credential \"{}\"; rohrpost credential list shows all", id));
    }
    if (!facts) co_return failure(facts.error());
    const auto counts = co_await mailboxes_by_credential(here);
    if (!counts) co_return failure(counts.error());
    complete(*facts, here, *counts, all_expiring(here));
    auto object = to_json(*facts);
    if (here.sign_ins != nullptr) object["redirect_uri"] = here.sign_ins->redirect_uri();
    co_return answer(object);
}

}  // namespace control

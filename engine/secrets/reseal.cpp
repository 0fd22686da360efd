#include "engine/secrets/reseal.hpp"

namespace secrets {
namespace {

Result<std::string> anew(const Keyring& from, const Keyring& to, const std::string& owner, std::string_view name,
                         std::string_view sealed, std::string& at) {
    const auto plain = from.unseal(owner, name, sealed);
    if (plain) return to.seal(owner, name, *plain);
    at = owner + ": " + std::string(name);
    return plain.error();
}

}  // namespace

Result<Resealed> reseal(store::Store& store, const Keyring& from, const Keyring& to, std::string& at) {
    Resealed count;
    const auto secrets = store.secrets();
    if (!secrets) return secrets.error();
    for (const auto& secret : *secrets) {
        const auto sealed = anew(from, to, secret.owner, secret.name, secret.sealed, at);
        if (!sealed) return sealed.error();
        const auto put = store.put_secret(secret.owner, secret.name, *sealed);
        if (!put) return put.error();
        ++count.secrets;
    }
    auto grants = store.grants();
    if (!grants) return grants.error();
    for (auto& grant : *grants) {
        auto sealed = anew(from, to, grant.credential, grant_name, grant.sealed, at);
        if (!sealed) return sealed.error();
        grant.sealed = std::move(*sealed);
        const auto put = store.put_grant(grant);
        if (!put) return put.error();
        ++count.grants;
    }
    const auto owned = to.own(store);
    return owned ? Result<Resealed>(count) : Result<Resealed>(owned.error());
}

}  // namespace secrets

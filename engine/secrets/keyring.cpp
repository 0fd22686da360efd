#include "engine/secrets/keyring.hpp"

#include "engine/secrets/key_file.hpp"

namespace secrets {
namespace {

constexpr std::string_view check_name = "key_check";
constexpr std::string_view check_words = "this store is sealed with this key";

/// The length before the owner keeps ("ab", "c") and ("a", "bc") apart.
std::string place_of(std::string_view owner, std::string_view name) {
    return std::to_string(owner.size()) + ':' + std::string(owner) + ':' + std::string(name);
}

}  // namespace

Result<Keyring> Keyring::open(const KeySource& source, store::Store& store, Random& random) {
    const auto check = store.meta(check_name);
    if (!check) return check.error();
    const bool is_file = source.kind == KeySource::Kind::file;
    auto key = read_key(source);
    if (!key && key.error() == errc::key_missing && is_file && !*check) key = create_key(source.file, random);
    if (key && !*check) {
        Keyring keyring(std::move(*key), random);
        auto put = keyring.own(store);
        return put ? Result<Keyring>(std::move(keyring)) : Result<Keyring>(put.error());
    }
    if (key) {
        Keyring keyring(std::move(*key), random);
        if (keyring.opens(**check)) return keyring;
    }
    // A rotation that was interrupted when the store had gone over to the next key: it is finished.
    if (auto next = is_file && *check ? read_key(next_of(source.file)) : Result<Key>(errc::key_missing)) {
        Keyring keyring(std::move(*next), random);
        if (keyring.opens(**check)) {
            const auto replaced = replace_key(source.file);
            return replaced ? Result<Keyring>(std::move(keyring)) : Result<Keyring>(replaced.error());
        }
    }
    return key ? Result<Keyring>(errc::key_foreign) : Result<Keyring>(key.error());
}

Result<void> Keyring::own(store::Store& store) const {
    return store.put_meta(check_name, seal("meta", check_name, Secret(std::string(check_words))));
}

bool Keyring::opens(std::string_view check) const {
    const auto opened = unseal("meta", check_name, check);
    return opened && opened->reveal() == check_words;
}

std::string Keyring::seal(std::string_view owner, std::string_view name, const Secret& plain) const {
    return secrets::seal(key_, place_of(owner, name), plain, *random_);
}

Result<Secret> Keyring::unseal(std::string_view owner, std::string_view name, std::string_view sealed) const {
    return secrets::unseal(key_, place_of(owner, name), sealed);
}

}  // namespace secrets

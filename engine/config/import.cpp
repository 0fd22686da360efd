#include "engine/config/import.hpp"

#include <map>

namespace config {
namespace {

constexpr std::size_t page_rows = 1000;

template <class T>
Result<void> read_objects(store::Store& store, std::string_view kind, std::span<const std::string_view> secret_names,
                          std::vector<T>& into, std::vector<GivenSecret>& secrets) {
    auto objects = store.objects(kind);
    if (!objects) return objects.error();
    for (const auto& object : *objects) {
        auto value = from_document<T>(object.document);
        if (!value) return value.error();
        into.push_back(std::move(*value));
        if constexpr (requires { secret_owner(into.back()); }) {
            const std::string owner = secret_owner(into.back());
            for (const std::string_view name : secret_names) {
                auto sealed = store.secret(owner, name);
                if (!sealed) return sealed.error();
                if (*sealed)
                    secrets.push_back(
                        {.owner = owner, .name = std::string(name), .value = {}, .keep = true, .path = {}});
            }
        }
    }
    return {};
}

Result<void> read_mailboxes(store::Store& store, std::vector<Mailbox>& into) {
    std::string after;
    for (;;) {
        auto page = store.mailboxes(after, page_rows);
        if (!page) return page.error();
        for (const auto& row : *page) {
            auto mailbox = from_document<Mailbox>(row.document);
            if (!mailbox) return mailbox.error();
            into.push_back(std::move(*mailbox));
        }
        if (page->size() < page_rows) return {};
        after = page->back().id;
    }
}

Result<void> put_secrets(store::Store& store, const secrets::Keyring& keyring,
                         const std::vector<GivenSecret>& secrets) {
    for (const auto& secret : secrets) {
        if (secret.keep) continue;
        auto there = store.secret(secret.owner, secret.name);
        if (!there) return there.error();
        if (*there) {
            const auto opened = keyring.unseal(secret.owner, secret.name, **there);
            if (opened && *opened == secret.value) continue;  // the same again
        }
        auto put = store.put_secret(secret.owner, secret.name, keyring.seal(secret.owner, secret.name, secret.value));
        if (!put) return put;
    }
    return {};
}

/// What the credential's flow or the consumer's kind has no use for any more.
bool is_stale(const Credential& credential, std::string_view name) {
    return need_of(credential.flow, name) == Need::none;
}
bool is_stale(const Webhook&, std::string_view) { return false; }
bool is_stale(const Consumer& consumer, std::string_view) { return consumer.kind != Consumer::Kind::webhook; }

/// Removes those of an owner's secrets that `stale` names.
template <class Stale>
Result<void> drop_secrets(store::Store& store, const std::string& owner, std::span<const std::string_view> names,
                          const Stale& is_stale) {
    std::map<std::string_view, std::string> kept;
    bool stale = false;
    for (const std::string_view name : names) {
        auto sealed = store.secret(owner, name);
        if (!sealed) return sealed.error();
        if (!*sealed) continue;
        stale = stale || is_stale(name);
        if (!is_stale(name)) kept.emplace(name, std::move(**sealed));
    }
    if (!stale) return {};
    auto done = store.remove_secrets(owner);
    for (const auto& [name, sealed] : kept) {
        if (done) done = store.put_secret(owner, name, sealed);
    }
    return done;
}

template <class T>
Result<void> drop_stale_secrets(store::Store& store, const T& object, std::span<const std::string_view> names) {
    return drop_secrets(store, secret_owner(object), names,
                        [&object](std::string_view name) { return is_stale(object, name); });
}

/// A client's new proof takes the place of the one before, if that was of the other kind.
Result<void> drop_other_proofs(store::Store& store, const std::vector<GivenSecret>& secrets) {
    for (const auto& given : secrets) {
        const bool is_secret = given.name == "client_secret";
        if (!is_secret && given.name != "private_key") continue;
        auto dropped = drop_secrets(store, given.owner, credential_secrets, [is_secret](std::string_view name) {
            return is_secret ? name == "private_key" || name == "certificate" : name == "client_secret";
        });
        if (!dropped) return dropped;
    }
    return {};
}

template <class T>
std::map<std::string_view, const T*> by_id(const std::vector<T>& list) {
    std::map<std::string_view, const T*> index;
    for (const T& object : list) index.emplace(object.id, &object);
    return index;
}

/// Puts what is new or differs; the number of those.
template <class T>
Result<std::size_t> put_objects(store::Store& store, std::string_view kind,
                                [[maybe_unused]] std::span<const std::string_view> secret_names,
                                const std::vector<T>& given, const std::vector<T>& there) {
    const auto known = by_id(there);
    std::size_t changed = 0;
    for (const T& object : given) {
        const auto before = known.find(object.id);
        const std::string document = to_document(object);
        if (before != known.end() && to_document(*before->second) == document) continue;
        auto put = store.put_object({.kind = std::string(kind), .id = object.id, .document = document});
        if (!put) return put.error();
        if constexpr (requires { secret_owner(object); }) {
            auto dropped = drop_stale_secrets(store, object, secret_names);
            if (!dropped) return dropped.error();
        }
        ++changed;
    }
    return changed;
}

/// A mailbox's consumer subscribes to it; a consumer that lost it does no longer.
Result<std::size_t> put_mailboxes(store::Store& store, const std::vector<Mailbox>& given,
                                  const std::vector<Mailbox>& there) {
    const auto known = by_id(there);
    std::size_t changed = 0;
    for (const Mailbox& mailbox : given) {
        const auto before = known.find(mailbox.id);
        const std::string document = to_document(mailbox);
        if (before != known.end() && to_document(*before->second) == document) continue;
        auto number = store.put_mailbox(mailbox.id, document);
        if (!number) return number.error();
        const std::string_view consumer_before =
            before == known.end() ? "" : std::string_view(before->second->consumer);
        if (consumer_before != mailbox.consumer) {
            if (!mailbox.consumer.empty()) {
                auto subscribed = store.subscribe(mailbox.consumer, *number);
                if (!subscribed) return subscribed.error();
            }
            if (!consumer_before.empty()) {
                auto unsubscribed = store.unsubscribe(consumer_before, *number);
                if (!unsubscribed) return unsubscribed.error();
            }
        }
        ++changed;
    }
    return changed;
}

}  // namespace

Result<Document> stored(store::Store& store) {
    Document there;
    auto read = read_objects(store, provider_kind, {}, there.providers, there.secrets);
    if (read) read = read_objects(store, credential_kind, credential_secrets, there.credentials, there.secrets);
    if (read) read = read_objects(store, consumer_kind, consumer_secrets, there.consumers, there.secrets);
    if (read) read = read_objects(store, webhook_kind, webhook_secrets, there.webhooks, there.secrets);
    if (read) read = read_objects(store, alarm_kind, {}, there.alarms, there.secrets);
    if (read) read = read_mailboxes(store, there.mailboxes);
    if (!read) return read.error();
    return there;
}

Result<Imported> import_into(store::Store& store, const secrets::Keyring& keyring, const Document& document) {
    const auto there = stored(store);
    if (!there) return there.error();
    Imported imported;
    check(document, *there, imported.faults);
    if (!imported.faults.empty()) return imported;

    const auto providers = put_objects(store, provider_kind, {}, document.providers, there->providers);
    if (!providers) return providers.error();
    const auto credentials =
        put_objects(store, credential_kind, credential_secrets, document.credentials, there->credentials);
    if (!credentials) return credentials.error();
    const auto consumers = put_objects(store, consumer_kind, consumer_secrets, document.consumers, there->consumers);
    if (!consumers) return consumers.error();
    const auto mailboxes = put_mailboxes(store, document.mailboxes, there->mailboxes);
    if (!mailboxes) return mailboxes.error();
    const auto webhooks = put_objects(store, webhook_kind, webhook_secrets, document.webhooks, there->webhooks);
    if (!webhooks) return webhooks.error();
    const auto alarms = put_objects(store, alarm_kind, {}, document.alarms, there->alarms);
    if (!alarms) return alarms.error();
    const auto replaced = drop_other_proofs(store, document.secrets);
    if (!replaced) return replaced.error();
    const auto sealed = put_secrets(store, keyring, document.secrets);
    if (!sealed) return sealed.error();
    imported.providers = *providers;
    imported.credentials = *credentials;
    imported.mailboxes = *mailboxes;
    imported.consumers = *consumers;
    imported.webhooks = *webhooks;
    imported.alarms = *alarms;
    return imported;
}

}  // namespace config

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <map>

#include "engine/config/import.hpp"

namespace config {
namespace {

using SecretsByOwner = std::multimap<std::string_view, const GivenSecret*>;
enum class Secrets { sealed, value };

template <class T>
boost::json::array list_of(const std::vector<T>& objects, const SecretsByOwner& secrets, Secrets show) {
    boost::json::array list;
    for (const T& object : objects) {
        boost::json::object json = to_json(object);
        if constexpr (requires { secret_owner(object); }) {
            const std::string owner = secret_owner(object);
            const auto [begin, end] = secrets.equal_range(owner);
            for (auto entry = begin; entry != end; ++entry) {
                const GivenSecret& secret = *entry->second;
                if (show == Secrets::value && !secret.keep) {
                    json[secret.name] = boost::json::object{{"value", secret.value.reveal()}};
                } else {
                    json[secret.name] = boost::json::object{{"sealed", true}};
                }
            }
        }
        list.push_back(std::move(json));
    }
    return list;
}

/// One object a line.
void append_list(std::string& text, std::string_view name, const boost::json::array& list) {
    text += "  \"" + std::string(name) + "\": [";
    for (std::size_t i = 0; i < list.size(); ++i) {
        text += i == 0 ? "\n    " : ",\n    ";
        text += boost::json::serialize(list[i]);
    }
    text += list.empty() ? "]" : "\n  ]";
}

std::string written(const Document& document, Secrets show) {
    SecretsByOwner secrets;
    for (const auto& secret : document.secrets) secrets.emplace(secret.owner, &secret);
    std::string text = "{\n";
    append_list(text, "providers", list_of(document.providers, secrets, show));
    text += ",\n";
    append_list(text, "credentials", list_of(document.credentials, secrets, show));
    text += ",\n";
    append_list(text, "mailboxes", list_of(document.mailboxes, secrets, show));
    text += ",\n";
    append_list(text, "consumers", list_of(document.consumers, secrets, show));
    // Installations have none of these for a long time.
    if (!document.webhooks.empty()) append_list(text += ",\n", "webhooks", list_of(document.webhooks, secrets, show));
    if (!document.alarms.empty()) append_list(text += ",\n", "alarms", list_of(document.alarms, secrets, show));
    return text + "\n}\n";
}

}  // namespace

std::string exported(const Document& there) { return written(there, Secrets::sealed); }

Secret with_secrets(const Document& document) { return Secret(written(document, Secrets::value)); }

Result<void> open_secrets(Document& there, store::Store& store, const secrets::Keyring& keyring, std::string& at) {
    for (GivenSecret& secret : there.secrets) {
        const auto sealed = store.secret(secret.owner, secret.name);
        if (!sealed) return sealed.error();
        if (!*sealed) continue;
        auto opened = keyring.unseal(secret.owner, secret.name, **sealed);
        if (!opened) {
            at = secret.owner + ": " + secret.name;
            return opened.error();
        }
        secret.value = std::move(*opened);
        secret.keep = false;
    }
    return {};
}

}  // namespace config

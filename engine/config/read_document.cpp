#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "engine/config/fields.hpp"
#include "engine/config/import.hpp"
#include "engine/config/json_text.hpp"
#include "protocols/base/text.hpp"

namespace config {
namespace {

constexpr std::size_t depth_max = 8;
constexpr std::string_view secret_forms = R"({"file": PATH}, {"env": NAME}, {"value": TEXT} or {"sealed": true})";

/// Reads one secret. What was written is never shown: it may be the secret itself.
void read_secret(const boost::json::value& value, GivenSecret secret, const Sources& sources, Document& into,
                 Faults& faults) {
    const auto* object = value.if_object();
    if (object == nullptr || object->size() != 1) {
        faults.add(secret.path,
                   fmt::format("found {}, expected {}",
                               value.is_string()   ? "a bare text"
                               : object != nullptr ? "an object of " + std::to_string(object->size()) + " keys"
                                                   : described(value),
                               secret_forms));
        return;
    }
    const std::string_view form = object->begin()->key();
    const auto& given = object->begin()->value();
    const std::string where = secret.path + '.' + text::printable(form, 60);
    if (form == "sealed") {
        if (given.is_bool() && given.get_bool()) {
            secret.keep = true;
            into.secrets.push_back(std::move(secret));
        } else {
            faults.add(where, "expected true");
        }
        return;
    }
    constexpr std::string_view forms[] = {"file", "env", "value", "sealed"};
    if (std::find(std::begin(forms), std::end(forms), form) == std::end(forms)) {
        faults.add(where, fmt::format("unknown key{}; expected {}", suggestion(form, forms), secret_forms));
        return;
    }
    const auto* text = given.if_string();
    if (text == nullptr || text->empty()) {
        faults.add(where, "expected a text that is not empty");
        return;
    }
    auto found = form == "value"  ? Sources::Found{Secret(std::string(*text)), {}}
                 : form == "file" ? sources.file(std::string(*text))
                                  : sources.variable(std::string(*text));
    if (!found.wrong.empty()) {
        faults.add(where, std::move(found.wrong));
        found.value = {};
    }
    secret.value = std::move(found.value);
    into.secrets.push_back(std::move(secret));
}

template <class T>
void read_secrets(const boost::json::object& object, const std::string& path, const T& owner,
                  std::span<const std::string_view> names, const Sources& sources, Document& into, Faults& faults) {
    for (const std::string_view name : names) {
        const auto* value = object.if_contains(name);
        if (value == nullptr) continue;
        GivenSecret secret{
            .owner = secret_owner(owner), .name = std::string(name), .path = fmt::format("{}.{}", path, name)};
        read_secret(*value, std::move(secret), sources, into, faults);
    }
}

/// Reads the list `key` of the document, object by object.
template <class T>
void read_list(const boost::json::object& root, std::string_view key, std::span<const std::string_view> secret_names,
               const Sources& sources, std::vector<T>& list, Reading& reading) {
    const auto* value = root.if_contains(key);
    if (value == nullptr) return;
    if (!value->is_array()) {
        reading.faults.add(std::string(key), fmt::format("found {}, expected a list of objects", described(*value)));
        return;
    }
    std::map<std::string, std::size_t> first_by_id;
    const auto& items = value->get_array();
    list.reserve(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
        const std::string path = fmt::format("{}[{}]", key, i);
        T& item = list.emplace_back();
        if (!items[i].is_object()) {
            reading.faults.add(path, fmt::format("found {}, expected an object", described(items[i])));
            continue;
        }
        read_object(items[i].get_object(), path, &sources, reading.faults, item);
        if constexpr (requires { secret_owner(item); }) {
            read_secrets(items[i].get_object(), path, item, secret_names, sources, reading.document, reading.faults);
        }
        if (item.id.empty()) continue;
        const auto [known, is_new] = first_by_id.try_emplace(item.id, i);
        if (!is_new) {
            reading.faults.add(
                path + ".id", fmt::format("\"{}\" is the id of {}[{}] too; ids stand for one object each", item.id, key,
                                          known->second));
        }
    }
}

}  // namespace

Reading read_document(std::string_view text, const Sources& sources) {
    Reading reading;
    if (text.size() > document_bytes_max) {
        reading.faults.add(
            {}, fmt::format("the document has {} bytes, at most {} are read", text.size(), document_bytes_max));
        return reading;
    }
    const auto root = json_of(text, depth_max, reading.faults);
    if (!root) return reading;
    if (!root->is_object()) {
        reading.faults.add({}, fmt::format("found {}, expected an object with \"providers\", \"credentials\", "
                                           "\"mailboxes\", \"consumers\", \"webhooks\" and \"alarms\"",
                                           described(*root)));
        return reading;
    }
    const auto& object = root->get_object();
    const Fields known(object, {}, {"providers", "credentials", "mailboxes", "consumers", "webhooks", "alarms"},
                       reading.faults);
    read_list(object, "providers", {}, sources, reading.document.providers, reading);
    read_list(object, "credentials", credential_secrets, sources, reading.document.credentials, reading);
    read_list(object, "mailboxes", {}, sources, reading.document.mailboxes, reading);
    read_list(object, "consumers", consumer_secrets, sources, reading.document.consumers, reading);
    read_list(object, "webhooks", webhook_secrets, sources, reading.document.webhooks, reading);
    read_list(object, "alarms", {}, sources, reading.document.alarms, reading);
    return reading;
}

}  // namespace config

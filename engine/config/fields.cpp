#include "engine/config/fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "protocols/base/result.hpp"
#include "protocols/base/text.hpp"

namespace config {
namespace {

constexpr std::size_t shown_bytes_max = 60;

}  // namespace

std::string described(const boost::json::value& value) {
    switch (value.kind()) {
        case boost::json::kind::null:
            return "null";
        case boost::json::kind::bool_:
            return value.get_bool() ? "true" : "false";
        case boost::json::kind::string:
            return '"' + text::printable(value.get_string(), shown_bytes_max) + '"';
        case boost::json::kind::array:
            return value.get_array().empty() ? "an empty list" : "a list";
        case boost::json::kind::object:
            return "an object";
        default:
            return "the number " + boost::json::serialize(value);
    }
}

Fields::Fields(const boost::json::object& object, std::string path, std::initializer_list<std::string_view> known,
               Faults& faults)
    : object_(object), path_(std::move(path)), faults_(faults) {
    for (const auto& entry : object) {
        const std::string_view key = entry.key();
        if (std::find(known.begin(), known.end(), key) != known.end()) continue;
        const std::span<const std::string_view> words(known.begin(), known.size());
        std::string hint = suggestion(key, words);
        if (hint.empty()) hint = "; expected " + either_of(words);
        faults_.add(this->path(text::printable(key, shown_bytes_max)), "unknown key" + hint);
    }
}

std::string Fields::path(std::string_view key) const {
    return path_.empty() ? std::string(key) : path_ + '.' + std::string(key);
}

std::string Fields::plain_text(const boost::json::value& value, std::string where, std::string_view expected) const {
    const auto* text = value.if_string();
    const bool plain = text != nullptr && !text->empty() && text->size() <= text_bytes_max &&
                       std::all_of(text->begin(), text->end(),
                                   [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
    if (plain) return std::string(*text);
    faults_.add(std::move(where), fmt::format("found {}, expected {}", described(value), expected));
    return {};
}

std::string Fields::text(std::string_view key, std::string_view expected) const {
    const auto* value = object_.if_contains(key);
    return value == nullptr ? std::string() : plain_text(*value, path(key), expected);
}

std::string Fields::needed_text(std::string_view key, std::string_view expected) const {
    if (!has(key)) fault(key, fmt::format("missing, expected {}", expected));
    return text(key, expected);
}

std::vector<std::string> Fields::texts(std::string_view key, std::string_view expected) const {
    const auto* value = object_.if_contains(key);
    if (value == nullptr) return {};
    const auto* list = value->if_array();
    if (list == nullptr || list->empty()) {
        fault(key, fmt::format("found {}, expected {}", described(*value), expected));
        return {};
    }
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const std::string where = fmt::format("{}[{}]", path(key), i);
        std::string text = plain_text((*list)[i], where, "a text");
        if (text.empty()) continue;
        if (std::find(texts.begin(), texts.end(), text) != texts.end()) {
            faults_.add(where, fmt::format("{} stands here twice", described((*list)[i])));
        }
        texts.push_back(std::move(text));
    }
    return texts;
}

std::optional<std::uint32_t> Fields::number(std::string_view key, std::uint32_t least, std::uint32_t most) const {
    const auto* value = object_.if_contains(key);
    if (value == nullptr) return std::nullopt;
    error_code wrong;
    if (value->is_int64() || value->is_uint64()) {
        const auto number = value->to_number<std::uint32_t>(wrong);
        if (!wrong && number >= least && number <= most) return number;
    }
    fault(key, fmt::format("found {}, expected a whole number from {} to {}", described(*value), least, most));
    return std::nullopt;
}

const boost::json::object* Fields::object(std::string_view key, std::string_view expected) const {
    const auto* value = object_.if_contains(key);
    if (value == nullptr) return nullptr;
    if (!value->is_object()) fault(key, fmt::format("found {}, expected {}", described(*value), expected));
    return value->if_object();
}

std::optional<std::size_t> Fields::word(std::string_view key, std::span<const std::string_view> words) const {
    const auto* value = object_.if_contains(key);
    if (value == nullptr) return std::nullopt;
    if (const auto* text = value->if_string()) {
        const auto found = std::find(words.begin(), words.end(), std::string_view(*text));
        if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
        fault(key,
              fmt::format("found {}, expected {}{}", described(*value), either_of(words), suggestion(*text, words)));
        return std::nullopt;
    }
    fault(key, fmt::format("found {}, expected {}", described(*value), either_of(words)));
    return std::nullopt;
}

std::optional<std::chrono::sys_days> date_of(std::string_view written) {
    if (written.size() != 10 || written[4] != '-' || written[7] != '-') return std::nullopt;
    const auto year = text::number<int>(written.substr(0, 4));
    const auto month = text::number<unsigned>(written.substr(5, 2));
    const auto day = text::number<unsigned>(written.substr(8, 2));
    if (!year || !month || !day) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(*month),
                                           std::chrono::day(*day)};
    return date.ok() ? std::optional(std::chrono::sys_days(date)) : std::nullopt;
}

}  // namespace config

#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config/faults.hpp"
#include "engine/config/words.hpp"

namespace config {

/// What a JSON value is, in words: `the number 7`, `the text "x"`, `a list`. Long texts are cut.
std::string described(const boost::json::value& value);

/// The keys of one JSON object, read by name. What is missing, of the wrong type or unknown becomes a fault that names
/// the path. References are to what the caller keeps; lives as long as the reading of one object.
class Fields {
public:
    /// `known` are all keys that may stand here; others are faults.
    Fields(const boost::json::object& object, std::string path, std::initializer_list<std::string_view> known,
           Faults& faults);

    [[nodiscard]] std::string path(std::string_view key) const;
    [[nodiscard]] bool has(std::string_view key) const { return object_.contains(key); }
    [[nodiscard]] const boost::json::value* find(std::string_view key) const { return object_.if_contains(key); }
    void fault(std::string_view key, std::string what) const { faults_.add(path(key), std::move(what)); }

    /// A text of 1 to text_bytes_max bytes without control characters; empty when absent or wrong.
    [[nodiscard]] std::string text(std::string_view key, std::string_view expected) const;
    /// The same, and a fault when it is absent.
    [[nodiscard]] std::string needed_text(std::string_view key, std::string_view expected) const;
    /// A list of such texts, none twice, at least one; empty when absent or wrong.
    [[nodiscard]] std::vector<std::string> texts(std::string_view key, std::string_view expected) const;
    /// A whole number from `least` to `most`; nullopt when absent or wrong.
    [[nodiscard]] std::optional<std::uint32_t> number(std::string_view key, std::uint32_t least,
                                                      std::uint32_t most) const;
    /// An object; nullptr when absent or wrong.
    [[nodiscard]] const boost::json::object* object(std::string_view key, std::string_view expected) const;
    /// One of the words; nullopt when absent or wrong.
    template <class Choice, std::size_t count>
    [[nodiscard]] std::optional<Choice> choice(std::string_view key, const Words<Choice, count>& words) const {
        std::vector<std::string_view> spelled;
        for (const auto& entry : words) spelled.push_back(entry.first);
        const auto index = word(key, spelled);
        return index ? std::optional(words[*index].second) : std::nullopt;
    }

    static constexpr std::size_t text_bytes_max = 2048;

private:
    [[nodiscard]] std::optional<std::size_t> word(std::string_view key, std::span<const std::string_view> words) const;
    [[nodiscard]] std::string plain_text(const boost::json::value& value, std::string where,
                                         std::string_view expected) const;

    const boost::json::object& object_;
    std::string path_;
    Faults& faults_;
};

/// The day of "2026-01-31".
std::optional<std::chrono::sys_days> date_of(std::string_view written);

}  // namespace config

#include "engine/config/faults.hpp"

#include <algorithm>
#include <numeric>

#include "protocols/base/text.hpp"

namespace config {
namespace {

constexpr std::size_t compared_bytes_max = 64;

/// Insertions, deletions and replacements that lead from one word to the other (Levenshtein).
std::size_t edits(std::string_view from, std::string_view to) {
    std::vector<std::size_t> row(to.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= from.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= to.size(); ++j) {
            const std::size_t replaced = diagonal + (text::lower(from[i - 1]) == text::lower(to[j - 1]) ? 0U : 1U);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row.back();
}

}  // namespace

std::string text_of(const Fault& fault) { return fault.path.empty() ? fault.what : fault.path + ": " + fault.what; }

void Faults::add(std::string path, std::string what) {
    if (list_.size() == faults_max) {
        ++left_out_;
        return;
    }
    list_.push_back({std::move(path), std::move(what)});
}

bool Faults::concern(std::string_view path) const {
    return std::any_of(list_.begin(), list_.end(), [&](const Fault& fault) { return fault.path == path; });
}

std::string suggestion(std::string_view written, std::span<const std::string_view> known) {
    if (written.size() > compared_bytes_max) return {};
    std::string_view nearest;
    std::size_t least = std::max<std::size_t>(1, written.size() / 3) + 1;
    for (const std::string_view word : known) {
        const std::size_t distance = edits(written, word.substr(0, compared_bytes_max));
        if (distance < least) {
            least = distance;
            nearest = word;
        }
    }
    if (nearest.empty()) return {};
    return "; did you mean \"" + std::string(nearest) + "\"?";
}

std::string either_of(std::span<const std::string_view> words) {
    std::string list;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) list += i + 1 == words.size() ? " or " : ", ";
        list += '"' + std::string(words[i]) + '"';
    }
    return list;
}

}  // namespace config

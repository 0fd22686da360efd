#include "protocols/imap/folder_choice.hpp"

#include <algorithm>

#include "protocols/base/text.hpp"

namespace imap {

namespace {

constexpr std::string_view inbox = "INBOX";

bool has_wildcard(std::string_view text) { return text.find_first_of("*%") != std::string_view::npos; }

bool has(const ListEntry& entry, std::string_view attribute) {
    return std::any_of(entry.attributes.begin(), entry.attributes.end(),
                       [attribute](const std::string& one) { return text::same(one, attribute); });
}

bool can_be_opened(const ListEntry& entry) { return !has(entry, "\\Noselect") && !has(entry, "\\NonExistent"); }

/// What people did not get as new mail, or get twice.
bool has_to_be_named(const ListEntry& entry) {
    const auto& uses = special_uses();
    return std::any_of(uses.begin(), uses.end(),
                       [&entry](std::string_view use) { return use != "\\Archive" && has(entry, use); });
}

bool same_name(std::string_view a, std::string_view b) {
    return a == b || (text::same(a, inbox) && text::same(b, inbox));
}

/// `entry` without its "!".
bool stands_for(std::string_view entry, const ListEntry& folder) {
    if (entry.starts_with('\\')) return has(folder, entry);
    if (!has_wildcard(entry)) return same_name(entry, folder.name);
    return matches(entry, folder.name, folder.delimiter);
}

}  // namespace

bool matches(std::string_view pattern, std::string_view name, char delimiter) {
    if (text::same(name, inbox)) name = inbox;
    const bool of_inbox = pattern.size() == inbox.size() && text::same(pattern, inbox);
    if (of_inbox) pattern = inbox;
    // Where the last wildcard began, to give it one more character when what follows does not fit. A * forgets what
    // was before it; a % may fail, and then an earlier * takes more.
    struct Mark {
        std::size_t pattern = std::string_view::npos, name = 0;
    } star, percent;
    std::size_t at = 0, in = 0;
    while (in < name.size()) {
        if (at < pattern.size() && pattern[at] == '*') {
            star = {++at, in};
            percent = {};
        } else if (at < pattern.size() && pattern[at] == '%') {
            percent = {++at, in};
        } else if (at < pattern.size() && pattern[at] == name[in]) {
            ++at;
            ++in;
        } else if (percent.pattern != std::string_view::npos && name[percent.name] != delimiter) {
            at = percent.pattern;
            in = ++percent.name;
        } else if (star.pattern != std::string_view::npos) {
            at = star.pattern;
            in = ++star.name;
            percent = {};
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of("*%", at) == std::string_view::npos;
}

const std::vector<std::string_view>& special_uses() {
    static const std::vector<std::string_view> uses{"\\All",       "\\Archive", "\\Drafts", "\\Flagged",
                                                    "\\Important", "\\Junk",    "\\Sent",   "\\Trash"};
    return uses;
}

bool is_looked_up(std::string_view entry) {
    return entry.starts_with('!') || entry.starts_with('\\') || has_wildcard(entry);
}

std::vector<std::string> choose_folders(const std::vector<std::string>& wanted, const std::vector<ListEntry>& there,
                                        std::string_view except) {
    std::vector<std::string> chosen;
    const auto add = [&chosen](const std::string& name) {
        const bool known = std::any_of(chosen.begin(), chosen.end(),
                                       [&name](const std::string& other) { return same_name(name, other); });
        if (!known) chosen.push_back(name);
    };
    const auto left_out = [&](const ListEntry& folder) {
        return !can_be_opened(folder) || (!except.empty() && stands_for(except, folder)) ||
               std::any_of(wanted.begin(), wanted.end(), [&folder](std::string_view entry) {
                   return entry.starts_with('!') && stands_for(entry.substr(1), folder);
               });
    };
    for (const auto& entry : wanted) {
        if (entry.starts_with('!')) continue;
        if (!is_looked_up(entry)) {
            add(entry);
            continue;
        }
        const bool by_use = entry.starts_with('\\');
        for (const auto& folder : there) {
            if (!stands_for(entry, folder) || left_out(folder)) continue;
            if (by_use || !has_to_be_named(folder)) add(folder.name);
        }
    }
    return chosen;
}

}  // namespace imap

#include <catch2/catch.hpp>
#include <random>

#include "protocols/imap/folder_choice.hpp"

using imap::choose_folders;
using imap::ListEntry;
using imap::matches;
using Names = std::vector<std::string>;

namespace {

ListEntry folder(std::string name, std::vector<std::string> attributes = {}) {
    ListEntry entry;
    entry.wire_name = name;
    entry.name = std::move(name);
    entry.delimiter = '/';
    entry.attributes = std::move(attributes);
    return entry;
}

const std::vector<ListEntry> house{folder("INBOX"),
                                   folder("Archive", {"\\HasChildren", "\\Archive"}),
                                   folder("Archive/2026"),
                                   folder("Deleted Items", {"\\Trash"}),
                                   folder("Junk Email", {"\\JUNK"}),
                                   folder("Sent Items", {"\\Sent"}),
                                   folder("Team", {"\\Noselect"}),
                                   folder("Team/Berlin"),
                                   folder("Team/Berlin/Old"),
                                   folder("Team/Bonn")};

/// The same by trying everything.
bool matches_slowly(std::string_view pattern, std::string_view name, char delimiter) {
    if (pattern.empty()) return name.empty();
    if (pattern[0] != '*' && pattern[0] != '%') {
        return !name.empty() && name[0] == pattern[0] && matches_slowly(pattern.substr(1), name.substr(1), delimiter);
    }
    for (std::size_t taken = 0;; ++taken) {
        if (matches_slowly(pattern.substr(1), name.substr(taken), delimiter)) return true;
        if (taken == name.size() || (pattern[0] == '%' && name[taken] == delimiter)) return false;
    }
}

}  // namespace

TEST_CASE("folder patterns: * takes everything, % one level, INBOX has no case", "[imap]") {
    CHECK(matches("*", "Team/Berlin", '/'));
    CHECK(matches("Team/*", "Team/Berlin/Old", '/'));
    CHECK_FALSE(matches("Team/*", "Team", '/'));
    CHECK(matches("Team/%", "Team/Berlin", '/'));
    CHECK_FALSE(matches("Team/%", "Team/Berlin/Old", '/'));
    CHECK(matches("Team.%", "Team.Berlin/Old", '.'));
    CHECK(matches("inbox", "INBOX", '/'));
    CHECK(matches("INB%", "inbox", '/'));
    CHECK_FALSE(matches("team", "Team", '/'));
    CHECK(matches("%/%", "a/b", '/'));
    CHECK(matches("%", "", '/'));
    CHECK_FALSE(matches("%", "x/y", '/'));
    CHECK(matches("%", "x/y", '\0'));  // a flat server
}

TEST_CASE("folder patterns: the same as by trying everything, in time that a hostile pattern cannot stretch",
          "[imap]") {
    std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same each time
    const auto text = [&random](std::string_view letters, std::size_t longest) {
        std::string made(random() % (longest + 1), ' ');
        for (auto& letter : made) letter = letters[random() % letters.size()];
        return made;
    };
    for (int i = 0; i < 200'000; ++i) {
        const auto pattern = text("ab/*%", 7), name = text("ab/", 8);
        CAPTURE(pattern, name);
        REQUIRE(matches(pattern, name, '/') == matches_slowly(pattern, name, '/'));
    }
    std::string stars;
    for (int i = 0; i < 500; ++i) stars += "*a";
    CHECK_FALSE(matches(stars, std::string(5'000, 'a') + "b", '/'));
}

TEST_CASE("folder choice: names, patterns, uses, and what is left out", "[imap]") {
    CHECK(choose_folders({"INBOX"}, house, "") == Names{"INBOX"});
    CHECK(choose_folders({"Sales", "INBOX"}, house, "") == Names{"Sales", "INBOX"});  // whoever opens it says why not
    CHECK(choose_folders({"inbox", "*"}, house, "") ==
          Names{"inbox", "Archive", "Archive/2026", "Team/Berlin", "Team/Berlin/Old", "Team/Bonn"});
    CHECK(choose_folders({"Team/%"}, house, "") == Names{"Team/Berlin", "Team/Bonn"});
    CHECK(choose_folders({"INBOX", "\\junk"}, house, "") == Names{"INBOX", "Junk Email"});
    CHECK(choose_folders({"Sent Items"}, house, "") == Names{"Sent Items"});
    CHECK(choose_folders({"*", "!Team/Berlin*", "!\\Archive"}, house, "") ==
          Names{"INBOX", "Archive/2026", "Team/Bonn"});
    CHECK(choose_folders({"*", "!inbox"}, house, "").front() == "Archive");
    CHECK(choose_folders({"Archive*"}, house, "Archive") == Names{"Archive/2026"});
    CHECK(choose_folders({"\\Flagged"}, house, "").empty());
}

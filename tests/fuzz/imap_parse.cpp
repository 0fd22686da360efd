/// One IMAP response, taken apart in every way a client does: what was read prints and reads to the same again.

#include <algorithm>

#include "protocols/imap/command.hpp"
#include "protocols/imap/parse.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

constexpr std::size_t ranges_max = 50;
constexpr std::size_t words_max = 40;
constexpr std::size_t words_bytes_max = 4 * 1000 + 3;  // 1000 bytes, each as \xNN, and dots

std::string literal(std::string_view text) { return '{' + std::to_string(text.size()) + "}\r\n" + std::string(text); }

std::string printed(const imap::ListEntry& entry) {
    std::string text = "(";
    for (const auto& attribute : entry.attributes) text += (text.size() > 1 ? " " : "") + attribute;
    text += ") ";
    text += entry.delimiter == 0 ? "NIL" : literal(std::string_view(&entry.delimiter, 1));
    return text + ' ' + literal(entry.wire_name);
}

void list_entry(std::string_view rest, imap::NameCoding coding) {
    const auto entry = imap::read_list_entry(rest, coding);
    if (!entry) return;
    fuzz::expect(entry->wire_name.size() <= rest.size(), "a name is no longer than what it was read from");
    const std::string text = printed(*entry);
    const auto again = imap::read_list_entry(text, coding);
    fuzz::expect(again.has_value(), "a printed list entry reads");
    fuzz::expect(again->name == entry->name && again->wire_name == entry->wire_name &&
                     again->delimiter == entry->delimiter && again->attributes == entry->attributes,
                 "a list entry prints and reads to the same");
}

void uid_set(std::string_view text) {
    imap::UidSet found;
    const auto read = imap::read_uid_set(text, ranges_max, found);
    fuzz::expect(found.ranges().size() <= ranges_max + 1, "a set has a limit");
    if (!read) return;
    imap::UidSet again;
    fuzz::expect(imap::read_uid_set(found.text(), ranges_max, again).has_value(), "a printed set reads");
    fuzz::expect(again == found, "a set prints and reads to the same");
}

void esearch(std::string_view rest) {
    imap::UidSet found;
    const auto read = imap::read_esearch(rest, ranges_max, found);
    fuzz::expect(found.ranges().size() <= ranges_max + 1, "ESEARCH has a limit");
    if (!read || found.empty()) return;
    imap::UidSet again;
    const std::string text = "(TAG \"A1\") UID ALL " + found.text();
    fuzz::expect(imap::read_esearch(text, ranges_max, again).has_value() && again == found,
                 "ESEARCH prints and reads to the same");
}

void status(std::string_view rest) {
    const auto read = imap::read_status(rest);
    if (!read) return;
    const std::string text = "x (MESSAGES " + std::to_string(read->exists) + " UIDNEXT " +
                             std::to_string(read->uid_next) + " UIDVALIDITY " + std::to_string(read->uid_validity) +
                             ')';
    const auto again = imap::read_status(text);
    fuzz::expect(again && again->exists == read->exists && again->uid_next == read->uid_next &&
                     again->uid_validity == read->uid_validity,
                 "STATUS prints and reads to the same");
}

bool printable(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

void words(std::string_view rest) {
    const auto text = imap::read_status_text(rest);
    fuzz::expect(printable(text.code) && printable(text.text), "words for people are printable");
    fuzz::expect(text.code.size() <= words_bytes_max && text.text.size() <= words_bytes_max, "words have a limit");
    fuzz::expect(fuzz::within(imap::code_in(rest), rest), "a code is part of its response");
    imap::number_in(imap::code_in(rest), "UIDNEXT");
    imap::hint_of(rest);
    imap::Answer answer;
    answer.code = text.code;
    answer.text = text.text;
    imap::hint_of(answer);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto input = fuzz::text_of(bytes, size);
    const auto response = imap::read_response(input);
    fuzz::expect(
        fuzz::within(response.tag, input) && fuzz::within(response.name, input) && fuzz::within(response.rest, input),
        "a response is made of its bytes");
    for (const auto rest : {input, response.rest}) {
        list_entry(rest, imap::NameCoding::utf7);
        list_entry(rest, imap::NameCoding::utf8);
        uid_set(rest);
        esearch(rest);
        status(rest);
        words(rest);
        fuzz::expect(imap::read_capabilities(rest, words_max).size() <= words_max, "capabilities have a limit");
        imap::read_internal_date(rest);
    }
    return 0;
}

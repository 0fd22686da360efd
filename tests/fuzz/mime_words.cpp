/// Values of header fields: whatever they are, what is read of them is UTF-8 on one line; what is plain stays.

#include "protocols/mime/charsets.hpp"
#include "protocols/mime/dates.hpp"
#include "protocols/mime/encoded_words.hpp"
#include "protocols/mime/headers.hpp"
#include "protocols/mime/parameters.hpp"
#include "protocols/mime/parties.hpp"
#include "protocols/mime/words.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

void expect_line(std::string_view text) {
    fuzz::expect(mime::is_utf8(text), "what is read is UTF-8");
    fuzz::expect(text.find_first_of("\r\n") == std::string_view::npos, "what is read is one line");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    auto value = fuzz::text_of(bytes, size);
    const auto likely = fuzz::take_line(value).substr(0, 50);
    const auto words = mime::decoded_words(value, likely);
    expect_line(words);
    if (mime::is_plain(value) && value.find("=?") == std::string_view::npos)
        fuzz::expect(words.size() <= value.size(), "plain text stays");
    if (words.find("=?") == std::string::npos)
        fuzz::expect(mime::decoded_words(mime::unstructured(words, 10)) == words ||
                         words.find_first_of("\t") != std::string::npos || words.starts_with(' ') ||
                         words.ends_with(' ') || words.empty(),
                     "what is written is read back");
    const auto parameters = mime::read_parameters(value, likely);
    expect_line(parameters.value);
    for (const auto& [name, text] : parameters.named) expect_line(text);
    for (const auto& party : mime::parties_in(value, likely)) {
        expect_line(party.name);
        expect_line(party.address);
        expect_line(party.group);
    }
    for (const auto& id : mime::message_ids_in(value)) expect_line(id);
    if (const auto date = mime::read_date(value)) {
        const auto again = mime::read_date(mime::date_text(*date));
        fuzz::expect(again && *again == *date, "a date prints and reads to the same");
    }
    const auto text = mime::decoded_text(value, likely);
    fuzz::expect(mime::is_utf8(text.utf8), "text is UTF-8");
    return 0;
}

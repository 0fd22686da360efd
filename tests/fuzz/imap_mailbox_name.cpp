/// Mailbox names between UTF-8 and modified UTF-7: what goes over the wire is ASCII, and comes back as it was.

#include <algorithm>

#include "protocols/imap/mailbox_name.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto input = fuzz::text_of(bytes, size);
    const std::string name = imap::mailbox_name_from_utf7(input);
    fuzz::expect(name.size() <= 2 * input.size(), "a decoded name is no flood");
    const std::string wire = imap::mailbox_name_to_utf7(input);
    fuzz::expect(is_ascii(wire), "what goes over the wire is ASCII");
    fuzz::expect(wire.size() <= 5 * input.size(), "an encoded name is no flood");
    // What is no UTF-8 was replaced the first time; from then on nothing changes.
    const std::string utf8 = imap::mailbox_name_from_utf7(wire);
    fuzz::expect(imap::mailbox_name_to_utf7(utf8) == wire, "a name comes back as it was");
    fuzz::expect(imap::mailbox_name_from_utf7(imap::mailbox_name_to_utf7(utf8)) == utf8, "in both directions");
    if (is_ascii(input)) fuzz::expect(utf8 == input, "ASCII survives");
    return 0;
}

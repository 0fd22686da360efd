/// The header section of a message: facts are part of it, more bytes only add to them, and they read again.

#include "protocols/mime/headers.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

bool kept(std::string_view before, std::string_view now) { return before.empty() || before == now; }

std::string printed(const mime::HeaderFacts& facts) {
    std::string text;
    const auto put = [&](std::string_view name, std::string_view value) {
        if (!value.empty()) text.append(name).append(": ").append(value).append("\r\n");
    };
    put("Message-ID", facts.message_id);
    put("date", facts.date);
    put("FROM", facts.from);
    put("Subject", facts.subject);
    put("Received", facts.oldest_received);
    return text + "\r\n";
}

bool same(const mime::HeaderFacts& a, const mime::HeaderFacts& b) {
    return a.message_id == b.message_id && a.date == b.date && a.from == b.from && a.subject == b.subject &&
           a.oldest_received == b.oldest_received;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto message = fuzz::text_of(bytes, size);
    const auto facts = mime::scan_headers(message);
    for (const auto fact : {facts.message_id, facts.date, facts.from, facts.subject, facts.oldest_received}) {
        fuzz::expect(fuzz::within(fact, message), "a fact is part of the message");
        const std::string line = mime::unfolded(fact);
        fuzz::expect(line.find_first_of("\r\n") == std::string::npos, "an unfolded value is one line");
        fuzz::expect(line.size() <= fact.size() && mime::unfolded(line) == line, "unfolding ends");
    }
    fuzz::Chance chance(message);
    const auto front = mime::scan_headers(message.substr(0, chance.up_to(message.size())));
    fuzz::expect(kept(front.message_id, facts.message_id) && kept(front.date, facts.date) &&
                     kept(front.from, facts.from) && kept(front.subject, facts.subject) &&
                     (!front.complete || same(front, facts)),
                 "more bytes only add facts");
    const std::string text = printed(facts);
    const auto again = mime::scan_headers(text);
    fuzz::expect(again.complete || text.size() > mime::header_bytes_max, "a printed header section is complete");
    if (again.complete) fuzz::expect(same(again, facts), "facts print and read to the same");
    return 0;
}

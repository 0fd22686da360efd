/// The bytes of an SMTP server, as replies: any split gives the same, nothing grows beyond its limit, text is safe, and
/// what was read is read back the same.

#include "protocols/smtp/reply.hpp"

#include "protocols/base/utf8.hpp"
#include "protocols/smtp/capabilities.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

// Small, so that small inputs reach them.
const smtp::ReplyLimits limits{.line_bytes_max = 100, .lines_max = 8, .reply_bytes_max = 400};

void check_text(std::string_view line) {
    while (!line.empty()) {
        const auto point = text::first_code_point(line);
        fuzz::expect(point && text::is_printable(point->value), "text of a reply is printable UTF-8");
        line.remove_prefix(point->bytes);
    }
}

std::string printed(const smtp::Reply& reply) {
    std::string bytes;
    for (const std::string& line : reply.lines) {
        bytes += std::to_string(reply.code) + (&line == &reply.lines.back() ? ' ' : '-');
        if (reply.enhanced) bytes += reply.enhanced->text() + ' ';
        bytes += line + "\r\n";
    }
    return bytes;
}

void check(const smtp::Reply& reply) {
    fuzz::expect(reply.code >= 200 && reply.code <= 599, "a code is one of SMTP");
    fuzz::expect(!reply.lines.empty() && reply.lines.size() <= limits.lines_max, "lines are bounded");
    for (const std::string& line : reply.lines) check_text(line);
    check_text(reply.text());
    const auto again = smtp::read_reply(printed(reply), smtp::ReplyLimits{});
    fuzz::expect(again && *again && (*again)->reply == reply, "a reply is read back as it was");
    const auto offered = smtp::read_capabilities(reply);
    fuzz::expect(offered.auth.size() <= smtp::auth_mechanisms_max, "mechanisms are bounded");
}

std::string said_in(std::string_view bytes, fuzz::Arrival arrival) {
    smtp::ReplyReader reader(limits);
    std::string said, unread;
    for (const std::string_view piece : fuzz::split(bytes, arrival)) {
        unread += piece;
        for (;;) {
            const auto read = reader.read(unread);
            if (!read) return said + read.error().message();
            fuzz::expect(read->used_bytes <= unread.size(), "no more is used than there is");
            unread.erase(0, read->used_bytes);
            if (!read->reply) break;
            check(*read->reply);
            said += read->reply->text() + '\n';
        }
        fuzz::expect(unread.size() <= limits.line_bytes_max + 2, "what is kept unread has a limit");
    }
    return said + unread + (reader.midway() ? " midway" : "");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto input = fuzz::text_of(bytes, size);
    const std::string whole = said_in(input, fuzz::Arrival::whole);
    fuzz::expect(said_in(input, fuzz::Arrival::bytes) == whole, "byte by byte the replies are the same");
    fuzz::expect(said_in(input, fuzz::Arrival::pieces) == whole, "in any pieces the replies are the same");
    return 0;
}

/// The bytes of an IMAP server, as responses: any split gives the same, and nothing grows beyond its limit.

#include "protocols/imap/response_reader.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using imap::ResponseReader;
using Kind = ResponseReader::Event::Kind;

// Small, so that small inputs reach them.
const imap::Limits limits{.line_bytes_max = 700,
                          .small_literal_bytes_max = 300,
                          .body_bytes_max = 3000,
                          .nesting_max = 5,
                          .untagged_per_command_max = 100,
                          .ranges_max = 20,
                          .list_entries_max = 10,
                          .list_bytes_max = 1000};

void note(const imap::FetchItem& item, std::string& into) {
    into += "uid " + std::to_string(item.uid) + " sequence " + std::to_string(item.sequence) + " date " +
            item.internal_date + " size " + std::to_string(item.size) + (item.has_body ? " body " : " no body ") +
            std::to_string(item.body_bytes);
    for (const auto& flag : item.flags) into += " flag " + flag;
    into += '\n';
}

/// Everything the reader says of a server's bytes, in words.
class Listener {
public:
    /// False after an error.
    bool take_in(std::string_view piece) {
        unread_ += piece;
        std::size_t idle = 0;
        for (;;) {
            const auto event = reader_.read(unread_);
            if (!event) {
                said += "error " + event.error().message() + (reader_.in_fetch() ? " in a FETCH\n" : "\n");
                return false;
            }
            fuzz::expect(event->used_bytes <= unread_.size(), "no more is used than there is");
            idle = event->used_bytes == 0 ? idle + 1 : 0;
            fuzz::expect(idle < 4, "a reader that uses nothing asks for more");
            take(*event);
            unread_.erase(0, event->used_bytes);
            if (event->kind == Kind::more) break;
        }
        fuzz::expect(unread_.size() <= limits.line_bytes_max, "what is kept unread has a limit");
        return true;
    }

    std::string said;

private:
    void take(const ResponseReader::Event& event) {
        switch (event.kind) {
            case Kind::more:
                break;
            case Kind::response:
                fuzz::expect(event.text.size() <= limits.line_bytes_max + limits.small_literal_bytes_max,
                             "a response has a limit");
                said.append("response ").append(event.text).append("\n");
                break;
            case Kind::body_begins:
                fuzz::expect(body_left_ == 0, "a body begins when the one before is complete");
                body_left_ = reader_.item().body_bytes;
                fuzz::expect(body_left_ > 0 && body_left_ <= limits.body_bytes_max, "a body has a size and a limit");
                said += "body of " + std::to_string(body_left_);
                if (reader_.body_is_head()) said += " of the header";
                if (const auto origin = reader_.body_origin()) said += " from " + std::to_string(*origin);
                said += "\n";
                break;
            case Kind::body_bytes:
                fuzz::expect(!event.text.empty() && event.text.size() <= body_left_, "bytes are those of the body");
                body_left_ -= event.text.size();
                said += event.text;
                break;
            case Kind::fetched:
                fuzz::expect(body_left_ == 0, "a FETCH answer ends behind its body");
                note(reader_.item(), said);
                break;
            case Kind::found: {
                const auto found = reader_.take_found();
                fuzz::expect(found.ranges().size() <= limits.ranges_max, "what SEARCH found has a limit");
                said += "found " + found.text() + "\n";
                break;
            }
        }
    }

    ResponseReader reader_{limits};
    std::string unread_;
    std::uint64_t body_left_ = 0;
};

std::string said_of(std::string_view input, fuzz::Arrival arrival) {
    Listener listener;
    for (const auto piece : fuzz::split(input, arrival))
        if (!listener.take_in(piece)) break;
    return listener.said;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto input = fuzz::text_of(bytes, size);
    const std::string whole = said_of(input, fuzz::Arrival::whole);
    fuzz::expect(said_of(input, fuzz::Arrival::bytes) == whole, "byte by byte reads the same");
    fuzz::expect(said_of(input, fuzz::Arrival::pieces) == whole, "any split reads the same");
    return 0;
}

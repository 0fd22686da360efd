/// The bytes of a POP3 server, as answers: any split gives the same, what ends a message cannot stand in it, and
/// nothing grows beyond its limit. Input: a line of letters, the shapes of the answers that are awaited (s, l, b), then
/// what the server says.

#include "protocols/pop3/errc.hpp"
#include "protocols/pop3/parse.hpp"
#include "protocols/pop3/response_reader.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using pop3::ResponseReader;
using Kind = ResponseReader::Event::Kind;
using Shape = ResponseReader::Shape;

// Small, so that small inputs reach them.
const pop3::Limits limits{.line_bytes_max = 300,
                          .capability_lines_max = 5,
                          .listing_lines_max = 12,
                          .uidl_bytes_max = 70,
                          .body_bytes_max = 2000};

Shape shape_of(char letter) {
    if (letter == 'l') return Shape::lines;
    return letter == 'b' ? Shape::body : Shape::status;
}

/// Everything the reader says of a server's bytes, in words.
class Listener {
public:
    explicit Listener(std::string_view shapes) : shapes_(shapes) { reader_.expect(next_shape()); }

    /// False after an error, and behind the last answer.
    bool take_in(std::string_view piece) {
        unread_ += piece;
        std::size_t idle = 0;
        for (;;) {
            const auto event = reader_.read(unread_);
            if (!event) {
                said += "error " + event.error().message() + '\n';
                return false;
            }
            fuzz::expect(event->used_bytes <= unread_.size(), "no more is used than there is");
            fuzz::expect(fuzz::within(event->text, unread_), "what is said is a part of what came");
            idle = event->used_bytes == 0 ? idle + 1 : 0;
            fuzz::expect(idle < 2, "a reader that uses nothing asks for more");
            const bool over = take(*event);
            unread_.erase(0, event->used_bytes);
            if (over && shapes_.empty()) return false;
            if (over) reader_.expect(next_shape());
            if (event->kind == Kind::more) break;
        }
        fuzz::expect(unread_.size() <= limits.line_bytes_max, "what is kept unread has a limit");
        return true;
    }

    std::string said;

private:
    Shape next_shape() {
        shape_ = shape_of(shapes_.empty() ? 's' : shapes_.front());
        if (!shapes_.empty()) shapes_.remove_prefix(1);
        body_.clear();
        lines_ = 0;
        return shape_;
    }
    bool take(const ResponseReader::Event& event) {
        switch (event.kind) {
            case Kind::more:
                return false;
            case Kind::status: {
                said.append("status ").append(event.text).append("\n");
                const auto answer = pop3::read_answer(event.text);
                if (answer) said += answer->code + '|' + answer->text + '\n';
                return !answer || !answer->ok() || shape_ == Shape::status;
            }
            case Kind::line:
                fuzz::expect(shape_ == Shape::lines && ++lines_ <= limits.listing_lines_max, "a listing has a limit");
                said.append("line ").append(event.text).append("\n");
                return false;
            case Kind::body_bytes:
                fuzz::expect(shape_ == Shape::body && !event.text.empty(), "bytes are those of a message");
                body_ += event.text;
                fuzz::expect(body_.size() <= limits.body_bytes_max, "a message has a limit");
                return false;
            case Kind::end:
                fuzz::expect(shape_ != Shape::body || body_.empty() || body_.ends_with("\r\n"),
                             "a message ends behind a line");
                said += body_ + "end\n";
                return true;
        }
        return true;
    }

    ResponseReader reader_{limits};
    std::string_view shapes_;
    Shape shape_ = Shape::status;
    std::string unread_;
    std::string body_;
    std::size_t lines_ = 0;
};

std::string said_of(std::string_view shapes, std::string_view input, fuzz::Arrival arrival) {
    Listener listener(shapes);
    for (const auto piece : fuzz::split(input, arrival))
        if (!listener.take_in(piece)) break;
    return listener.said;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    auto input = fuzz::text_of(bytes, size);
    const auto shapes = fuzz::take_line(input);
    const std::string whole = said_of(shapes, input, fuzz::Arrival::whole);
    fuzz::expect(said_of(shapes, input, fuzz::Arrival::bytes) == whole, "byte by byte reads the same");
    fuzz::expect(said_of(shapes, input, fuzz::Arrival::pieces) == whole, "any split reads the same");
    return 0;
}

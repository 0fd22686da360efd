/// What callers of our HTTP server send, one request behind the other: any split reads the same, limits hold, and what
/// was read prints and reads again.

#include "protocols/http/url.hpp"
#include "tests/fuzz/http_messages.hpp"

namespace {

using http::RequestReader;

std::string words_of(const http::Request& request) {
    std::string words = request.method + ' ' + request.path;
    for (const auto& [key, value] : request.query) words.append("\n").append(key).append(" = ").append(value);
    return words + '\n' + request.host + '\n' + fuzz::words_of(fuzz::own_headers(request.headers, true)) + '\n' +
           request.body;
}

void print_and_read(const http::Request& request) {
    http::Request same = request;
    same.headers = fuzz::own_headers(request.headers, true);
    if (same.host.empty()) return;
    const auto head = http::head_of(same);
    if (!head) return;  // a header that nobody could send
    RequestReader reader(http::Limits{});
    const std::string wire = *head + same.body;
    std::string_view left = wire;
    fuzz::expect(reader.take_in(left).has_value() && reader.finished(), "a printed request reads");
    const auto again = reader.take();
    fuzz::expect(again.has_value(), "a printed request has a target");
    fuzz::expect(words_of(*again) == words_of(same), "a request prints and reads to the same");
}

/// All requests of the input, in words, up to the first that is none. Whether that one is refused at once or waits for
/// more depends on what came with it; it is never read.
std::string outcome(std::string_view input, fuzz::Arrival arrival, bool print) {
    std::string words;
    while (!input.empty()) {
        RequestReader reader(fuzz::http_limits);
        const auto fed = fuzz::feed(reader, input, arrival);
        if (!fed || !reader.finished()) return words;
        const bool goes_on = reader.persistence() == http::Persistence::keep_alive;
        const auto request = reader.take();
        if (!request) return words;
        fuzz::expect(request->body.size() <= fuzz::http_limits.body_bytes_max, "a body has a limit");
        fuzz::expect(request->path.starts_with('/') && request->path.find('\0') == std::string::npos,
                     "a path begins with a slash and holds no NUL");
        words += words_of(*request) + '\n';
        if (print) print_and_read(*request);
        if (!goes_on) break;
    }
    return words;
}

void url(std::string_view input) {
    const auto read = http::read_https_url(input);
    if (!read) return;
    fuzz::expect(!read->host.empty() && read->port != 0, "a URL names a host and a port");
    const auto again = http::read_https_url("https://" + read->authority + "/");
    fuzz::expect(again && again->host == read->host && again->port == read->port, "an authority reads to the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto input = fuzz::text_of(bytes, size);
    const std::string whole = outcome(input, fuzz::Arrival::whole, true);
    fuzz::expect(outcome(input, fuzz::Arrival::bytes, false) == whole, "byte by byte reads the same");
    fuzz::expect(outcome(input, fuzz::Arrival::pieces, false) == whole, "any split reads the same");
    url(input);
    return 0;
}

/// What an HTTP server answers: any split reads the same, limits hold, and what was read prints and reads again.

#include "tests/fuzz/http_messages.hpp"

namespace {

using http::ResponseReader;

std::string words_of(const http::Response& response) {
    return std::to_string(response.status) + '\n' + response.content_type + '\n' + fuzz::words_of(response.headers) +
           '\n' + response.body;
}

/// A response, or why there is none.
Result<http::Response> read(std::string_view input, ResponseReader::To to, fuzz::Arrival arrival) {
    ResponseReader reader(fuzz::http_limits, to);
    const auto fed = fuzz::feed(reader, input, arrival);
    if (!fed) return fed.error();
    if (!reader.finished()) {
        const auto whole = reader.end_of_input();
        if (!whole) return whole.error();
    }
    return reader.take();
}

/// Empty when there is no response: why depends on what came with the byte that broke it.
std::string outcome(std::string_view input, ResponseReader::To to, fuzz::Arrival arrival) {
    const auto response = read(input, to, arrival);
    return response ? words_of(*response) : std::string();
}

void print_and_read(http::Response response) {
    response.headers = fuzz::own_headers(response.headers, false);
    auto wire = http::head_of(response, http::Persistence::close);
    if (!wire) return;  // a header that nobody could send
    if (response.status == 204 || response.status == 304) response.body.clear();
    ResponseReader reader(http::Limits{}, ResponseReader::To::other);
    fuzz::expect(reader.take_in(*wire + response.body).has_value() && reader.finished(), "a printed response reads");
    http::Response same = reader.take();
    same.headers = fuzz::own_headers(same.headers, false);
    fuzz::expect(words_of(same) == words_of(response), "a response prints and reads to the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto input = fuzz::text_of(bytes, size);
    for (const auto to : {ResponseReader::To::other, ResponseReader::To::head}) {
        const std::string whole = outcome(input, to, fuzz::Arrival::whole);
        fuzz::expect(outcome(input, to, fuzz::Arrival::bytes) == whole, "byte by byte reads the same");
        fuzz::expect(outcome(input, to, fuzz::Arrival::pieces) == whole, "any split reads the same");
    }
    const auto response = read(input, ResponseReader::To::other, fuzz::Arrival::whole);
    if (!response) return 0;
    fuzz::expect(response->body.size() <= fuzz::http_limits.body_bytes_max, "a body has a limit");
    fuzz::expect(response->status >= 200, "interim responses are dropped");
    static_cast<void>(response->retry_after());
    print_and_read(*response);
    return 0;
}

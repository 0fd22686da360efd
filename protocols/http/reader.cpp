#include "protocols/http/reader.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>

#include "protocols/base/text.hpp"
#include "protocols/http/errc.hpp"

namespace http {
namespace {

namespace wire = boost::beast::http;

constexpr int interim_max = 8;
constexpr std::size_t last_chunk_bytes_min = 5;  // "0" and two line ends: as long as a message is not over, more comes

/// A body that grows with what has arrived, whatever length the peer announces.
struct GrowingBody {
    using value_type = std::string;

    class reader {
    public:
        template <bool is_request, class Fields>
        reader(wire::header<is_request, Fields>&, value_type& body) : body_(body) {}
        void init(const boost::optional<std::uint64_t>&, error_code& error) { error = {}; }
        template <class Buffers>
        std::size_t put(const Buffers& buffers, error_code& error) {
            error = {};
            std::size_t taken = 0;
            for (const auto piece : boost::beast::buffers_range_ref(buffers)) {
                body_.append(static_cast<const char*>(piece.data()), piece.size());
                taken += piece.size();
            }
            return taken;
        }
        void finish(error_code& error) { error = {}; }

    private:
        value_type& body_;
    };
};

errc errc_of(const error_code& error) {
    if (error == wire::error::header_limit) return errc::header_too_long;
    if (error == wire::error::body_limit) return errc::body_too_long;
    if (error == wire::error::partial_message || error == wire::error::end_of_stream) return errc::incomplete;
    return errc::malformed;
}

template <bool is_request>
struct Parsing {
    explicit Parsing(Limits limits) : header_bytes_max(limits.header_bytes_max) {
        parser.eager(false);  // one put() for each header, chunk head, or piece of body
        // Beast counts differently when a header comes in pieces: ours is the limit, its own never comes first.
        parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes_max) + 64);
        parser.body_limit(limits.body_bytes_max);
    }

    Result<std::size_t> take_in(std::string_view input) {
        std::size_t used = 0;
        while (used < input.size() && !parser.is_done()) {
            // Beast 1.81 ends the process when the last chunk, begun with three bytes, comes back with four.
            const bool in_chunks = parser.is_header_done() && parser.chunked();
            if (in_chunks && input.size() - used < last_chunk_bytes_min) break;
            error_code error;
            const std::size_t body_bytes = parser.get().body().size();
            const std::size_t taken = parser.put(boost::asio::buffer(input.substr(used)), error);
            used += taken;
            if (!body_begins) header_bytes += taken;
            if (!body_begins && parser.is_header_done()) note_header();
            if (error == wire::error::need_more || (!error && taken == 0)) break;
            if (error) return errc_of(error);
            const std::size_t head_bytes = taken - (parser.get().body().size() - body_bytes);
            if (std::max(header_bytes, head_bytes) > header_bytes_max) return errc::header_too_long;
        }
        // A header, a chunk's head or a trailer gathers until it is whole.
        const std::size_t gathered = input.size() - used + (body_begins ? 0 : header_bytes);
        if (!parser.is_done() && gathered >= header_bytes_max) return errc::header_too_long;
        return used;
    }

    /// Beast adds the fields of a trailer to those of the header, where nobody may take them for such. RFC 9110 §6.5.1.
    void note_header() {
        body_begins = true;
        for (const auto& field : parser.get()) headers.emplace_back(field.name_string(), field.value());
    }

    wire::parser<is_request, GrowingBody> parser;
    std::size_t header_bytes_max;
    std::size_t header_bytes = 0;
    bool body_begins = false;
    Headers headers;  // without trailers
};

}  // namespace

struct RequestReader::Parser : Parsing<true> {
    using Parsing::Parsing;
};

RequestReader::RequestReader(Limits limits) : parser_(std::make_unique<Parser>(limits)) {}
RequestReader::~RequestReader() = default;

Result<std::size_t> RequestReader::take_in(std::string_view input) {
    const bool in_header = !parser_->parser.is_header_done();
    const auto used = parser_->take_in(input);
    if (!used) return used;
    if (in_header && parser_->parser.is_header_done()) {
        const auto hosts = std::count_if(parser_->headers.begin(), parser_->headers.end(),
                                         [](const auto& header) { return text::same(header.first, "Host"); });
        if (hosts > 1 || (hosts == 0 && parser_->parser.get().version() >= 11)) return errc::malformed;
    }
    return used;
}

bool RequestReader::finished() const { return parser_->parser.is_done(); }

bool RequestReader::wants_continue() const {
    return parser_->parser.is_header_done() && !parser_->parser.is_done() &&
           text::same(header_of(parser_->headers, "Expect").value_or(""), "100-continue");
}

Persistence RequestReader::persistence() const {
    return parser_->parser.keep_alive() ? Persistence::keep_alive : Persistence::close;
}

bool RequestReader::head_done() const { return parser_->parser.is_header_done(); }

Result<Request> RequestReader::head() const {
    const std::string_view as_sent = parser_->parser.get().target();
    auto target = read_target(as_sent);
    if (!target) return target.error();
    Request request;
    request.method = parser_->parser.get().method_string();
    request.host = header_of(parser_->headers, "Host").value_or("");
    request.path = std::move(target->path);
    request.target = as_sent;
    request.query = std::move(target->query);
    request.headers = parser_->headers;
    return request;
}

Result<void> RequestReader::limit_body(std::size_t bytes_max) {
    const auto announced = parser_->parser.content_length();
    if (announced && *announced > bytes_max) return errc::body_too_long;
    if (parser_->parser.get().body().size() > bytes_max) return errc::body_too_long;
    parser_->parser.body_limit(bytes_max);
    return {};
}

Result<Request> RequestReader::take() {
    auto request = head();
    if (request) request->body = std::move(parser_->parser.get().body());
    return request;
}

struct ResponseReader::Parser : Parsing<false> {
    using Parsing::Parsing;
};

ResponseReader::ResponseReader(Limits limits, To to) : limits_(limits), to_(to) { start(); }
ResponseReader::~ResponseReader() = default;

void ResponseReader::start() {
    parser_ = std::make_unique<Parser>(limits_);
    parser_->parser.skip(to_ == To::head);
}

Result<std::size_t> ResponseReader::take_in(std::string_view input) {
    std::size_t used = 0;
    for (;;) {
        const auto taken = parser_->take_in(input.substr(used));
        if (!taken) return taken;
        used += *taken;
        if (parser_->parser.is_header_done() && parser_->parser.get().result_int() < 100) return errc::malformed;
        if (!parser_->parser.is_done() || parser_->parser.get().result_int() >= 200) return used;
        if (parser_->parser.get().result() == wire::status::switching_protocols) return errc::malformed;
        if (++interim_ > interim_max) return errc::too_many_interim;
        start();
    }
}

Result<void> ResponseReader::end_of_input() {
    if (!parser_->parser.is_header_done()) return errc::incomplete;
    error_code error;
    parser_->parser.put_eof(error);
    if (error) return errc_of(error);
    return Result<void>();
}

bool ResponseReader::finished() const { return parser_->parser.is_done(); }

bool ResponseReader::head_done() const {
    return parser_->parser.is_header_done() && parser_->parser.get().result_int() >= 200;
}

std::size_t ResponseReader::body_bytes() const { return parser_->parser.get().body().size(); }

Persistence ResponseReader::persistence() const {
    return parser_->parser.keep_alive() ? Persistence::keep_alive : Persistence::close;
}

Response ResponseReader::take() {
    Response response;
    response.status = static_cast<int>(parser_->parser.get().result_int());
    response.content_type = header_of(parser_->headers, "Content-Type").value_or("");
    response.headers = std::move(parser_->headers);
    response.body = std::move(parser_->parser.get().body());
    return response;
}

}  // namespace http

#include "protocols/http/answer_reader.hpp"

#include "protocols/http/errc.hpp"

namespace http {

AnswerReader::AnswerReader(Limits limits, std::string_view method) : limits_(limits), head_(method == "HEAD") {
    begin();
}

void AnswerReader::begin() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(limits_.header_bytes_max));
    parser_->body_limit(limits_.body_bytes_max);
    parser_->eager(true);
    parser_->skip(head_);
}

Result<std::size_t> AnswerReader::feed(std::string_view bytes) {
    std::size_t used = 0;
    while (used < bytes.size() && !parser_->is_done()) {
        boost::system::error_code failed;
        const std::size_t step = parser_->put(boost::asio::buffer(bytes.substr(used)), failed);
        used += step;
        if (failed == beast_http::error::need_more) break;
        if (failed) return fault_of(failed);
        if (parser_->is_done() && parser_->get().result_int() < 200) {
            if (interim_left_-- == 0) return errc::malformed;
            begin();
        } else if (step == 0) {
            break;
        }
    }
    return used;
}

Result<Response> AnswerReader::take_at_end() {
    if (!parser_->got_some()) return errc::incomplete;
    boost::system::error_code failed;
    parser_->put_eof(failed);
    if (failed || !parser_->is_done()) return errc::incomplete;
    return take();
}

}  // namespace http

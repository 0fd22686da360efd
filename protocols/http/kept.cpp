#include "protocols/http/kept.hpp"

#include <limits>

#include "protocols/http/errc.hpp"
#include "protocols/http/reader.hpp"
#include "protocols/net/errc.hpp"

namespace http {
namespace {

constexpr std::size_t one_write_bytes_max = 64U << 10U;

}  // namespace

KeptConnection::KeptConnection(std::unique_ptr<net::Stream> stream) : stream_(std::move(stream)) {}

KeptConnection::~KeptConnection() { stream_->close(); }

awaitable<Result<Response>> KeptConnection::ask(Request request, Body& body, Limits limits, Paces paces) {
    sent_whole_ = false;
    auto head = head_of(request, Persistence::keep_alive, body.size_bytes());
    if (!head) co_return head.error();
    usable_ = false;  // until the answer has come whole
    const auto sent = co_await send(std::move(*head), body, paces.sending);
    if (!sent) {
        // A receiver that turns the request away may stop reading it: its answer counts then.
        const bool answered = co_await look();
        if (!answered) co_return sent.error();
    }
    auto response = co_await read_answer(limits, paces.answer);
    if (!response && !sent) co_return sent.error();
    co_return response;
}

awaitable<Result<void>> KeptConnection::send(std::string head, Body& body, net::Pace pace) {
    stream_->allow(pace);
    std::string out = std::move(head);
    std::uint64_t left_bytes = body.size_bytes();
    while (left_bytes > 0) {
        auto piece = co_await body.next();
        if (!piece) co_return piece.error();
        if (piece->empty() || piece->size() > left_bytes) co_return errc::incomplete;
        left_bytes -= piece->size();
        if (out.size() + piece->size() > one_write_bytes_max) {
            const auto begun = co_await stream_->write(out);
            out.clear();
            if (!begun) co_return begun.error();
            const auto written = co_await stream_->write(*piece);
            if (!written) co_return written.error();
            const bool answered = co_await look();
            if (answered && left_bytes > 0) co_return Result<void>();
            stream_->allow(pace);
        } else {
            out += *piece;
        }
    }
    const auto written = co_await stream_->write(out);
    sent_whole_ = written.has_value();
    co_return written;
}

awaitable<bool> KeptConnection::look() {
    if (!stream_->unread().empty()) co_return true;
    stream_->allow(net::Pace{});  // the read ends at once
    const auto read = co_await stream_->read_more();
    co_return read.has_value();
}

awaitable<Result<Response>> KeptConnection::read_answer(Limits limits, net::Pace pace) {
    const auto body_bytes_max = limits.body_bytes_max;
    limits.body_bytes_max = std::numeric_limits<std::size_t>::max();
    ResponseReader reader(limits, ResponseReader::To::other);
    stream_->allow(pace);
    for (;;) {
        const auto used = reader.take_in(stream_->unread());
        if (!used && !reader.head_done()) co_return used.error();
        if (!used) break;
        stream_->consume(*used);
        if (reader.finished() || (reader.head_done() && reader.body_bytes() > body_bytes_max)) break;
        const auto more = co_await stream_->read_more();
        if (more) continue;
        if (reader.head_done()) break;
        co_return more.error() == net::errc::closed ? make_error_code(errc::incomplete) : more.error();
    }
    usable_ = reader.finished() && sent_whole_ && stream_->unread().empty() &&
              reader.persistence() == Persistence::keep_alive;
    co_return reader.take();
}

awaitable<bool> KeptConnection::check_idle() {
    if (!usable_ || !stream_->unread().empty()) co_return false;
    stream_->allow(net::Pace{});  // the read ends at once
    const auto read = co_await stream_->read_more();
    co_return !read && read.error() == net::errc::timed_out;
}

}  // namespace http

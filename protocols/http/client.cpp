#include "protocols/http/client.hpp"

#include "protocols/http/answer_reader.hpp"
#include "protocols/http/errc.hpp"
#include "protocols/http/wire.hpp"
#include "protocols/net/errc.hpp"

namespace http {

awaitable<Result<Response>> exchange(net::Stream& stream, std::string host, const Request& request, Limits limits) {
    const std::string asked = written(request, host);
    const auto sent = co_await stream.write(asked);
    if (!sent && sent.error() != net::errc::reset) co_return sent.error();  // a refusal may come before all was read
    AnswerReader reader(limits, request.method);
    for (;;) {
        const auto used = reader.feed(stream.unread());
        if (!used) co_return used.error();
        stream.consume(*used);
        if (reader.done()) co_return reader.take();
        const auto more = co_await stream.read_more();
        if (more) continue;
        if (more.error() == net::errc::closed) co_return reader.take_at_end();
        if (more.error() == net::errc::truncated) co_return errc::incomplete;
        co_return more.error();
    }
}

awaitable<Result<Response>> call(Seams& seams, std::shared_ptr<const net::TlsClient> tls, Url url, Request request,
                                 Bounds bounds) {
    const Monotonic due = seams.timers.now() + bounds.within;
    const auto security = url.secure ? net::Security::implicit_tls : net::Security::plain;
    net::Dial to{.host = url.host, .port = url.port, .security = security, .tls = tls, .within = bounds.within};
    const auto stream = co_await seams.dialer.dial(std::move(to));
    if (!stream) co_return stream.error();
    const net::Pace rest{.within = std::chrono::ceil<std::chrono::milliseconds>(due - seams.timers.now())};
    (*stream)->allow(rest);
    auto answer = co_await exchange(**stream, host_field(url), request, bounds.limits);
    co_return answer;
}

}  // namespace http

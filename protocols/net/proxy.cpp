#include "protocols/net/proxy.hpp"

#include <fmt/format.h>

#include "protocols/base/base64.hpp"
#include "protocols/base/text.hpp"
#include "protocols/net/errc.hpp"

namespace net {

namespace {

constexpr std::size_t answer_bytes_max = 16 * 1024;

awaitable<Result<void>> http_connect(Stream& stream, const Proxy& proxy, std::string host, std::uint16_t port) {
    const bool ipv6 = host.find(':') != std::string::npos;
    const std::string target = fmt::format("{}{}{}:{}", ipv6 ? "[" : "", host, ipv6 ? "]" : "", port);
    std::string request = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", target);
    if (!proxy.user.empty()) {
        const std::string login = proxy.user + ':' + std::string(proxy.password.reveal());
        request += fmt::format("Proxy-Authorization: Basic {}\r\n", base64_encoded(login));
    }
    request += "\r\n";
    const auto asked = co_await stream.write(request);
    if (!asked) co_return asked.error();

    std::size_t end = std::string_view::npos;
    for (;;) {
        end = stream.unread().find("\r\n\r\n");
        if (end != std::string_view::npos) break;
        if (stream.unread().size() > answer_bytes_max) co_return errc::proxy_malformed;
        const auto more = co_await stream.read_more();
        if (!more) co_return more.error() == errc::closed ? errc::proxy_malformed : more.error();
    }
    const auto answer = stream.unread();
    const bool is_http = answer.starts_with("HTTP/1.") && answer.size() > 12 && answer[8] == ' ';
    const auto status = text::number<int>(is_http ? answer.substr(9, 3) : std::string_view());
    stream.consume(end + 4);
    if (!status) co_return errc::proxy_malformed;
    if (*status == 407) co_return errc::proxy_wants_login;
    if (*status < 200 || *status > 299) co_return errc::proxy_refused;
    co_return Result<void>();
}

/// Takes exactly `bytes` from the stream.
awaitable<Result<std::string>> take(Stream& stream, std::size_t bytes) {
    while (stream.unread().size() < bytes) {
        const auto more = co_await stream.read_more();
        if (!more) co_return more.error() == errc::closed ? errc::proxy_malformed : more.error();
    }
    std::string taken(stream.unread().substr(0, bytes));
    stream.consume(bytes);
    co_return taken;
}

void append_counted(std::string& to, std::string_view text) {
    to += static_cast<char>(text.size());
    to += text;
}

awaitable<Result<void>> socks5_login(Stream& stream, const Proxy& proxy) {
    std::string login("\x01");
    append_counted(login, proxy.user);
    append_counted(login, proxy.password.reveal());
    const auto sent = co_await stream.write(login);
    if (!sent) co_return sent.error();
    const auto answer = co_await take(stream, 2);
    if (!answer) co_return answer.error();
    if ((*answer)[1] != 0) co_return errc::proxy_wants_login;
    co_return Result<void>();
}

/// RFC 1928 §6.
error_code socks5_fault(char reply) {
    switch (reply) {
        case 0:
            return {};
        case 3:
        case 4:
            return errc::unreachable;
        case 5:
            return errc::refused;
        default:
            return errc::proxy_refused;
    }
}

awaitable<Result<void>> socks5(Stream& stream, const Proxy& proxy, std::string host, std::uint16_t port) {
    const bool with_login = !proxy.user.empty();
    const std::string greeting = with_login ? std::string("\x05\x02\x00\x02", 4) : std::string("\x05\x01\x00", 3);
    const auto greeted = co_await stream.write(greeting);
    if (!greeted) co_return greeted.error();
    const auto method = co_await take(stream, 2);
    if (!method) co_return method.error();
    if ((*method)[0] != 5) co_return errc::proxy_malformed;
    if ((*method)[1] == 2 && with_login) {
        const auto known = co_await socks5_login(stream, proxy);
        if (!known) co_return known.error();
    } else if ((*method)[1] == '\xff') {
        co_return errc::proxy_wants_login;
    } else if ((*method)[1] != 0) {
        co_return errc::proxy_malformed;
    }

    std::string request("\x05\x01\x00\x03", 4);
    append_counted(request, host);
    request += static_cast<char>(port >> 8U);
    request += static_cast<char>(port & 0xffU);
    const auto asked = co_await stream.write(request);
    if (!asked) co_return asked.error();
    const auto answer = co_await take(stream, 5);
    if (!answer) co_return answer.error();
    if ((*answer)[0] != 5) co_return errc::proxy_malformed;
    if (const auto fault = socks5_fault((*answer)[1])) co_return fault;
    const char kind = (*answer)[3];
    if (kind != 1 && kind != 3 && kind != 4) co_return errc::proxy_malformed;
    const std::size_t name_bytes = static_cast<unsigned char>((*answer)[4]);
    const std::size_t address_bytes = kind == 1 ? 3 : kind == 4 ? 15 : name_bytes;  // the first one was taken
    const auto bound = co_await take(stream, address_bytes + 2);
    if (!bound) co_return bound.error();
    co_return Result<void>();
}

}  // namespace

awaitable<Result<void>> pass_proxy(Stream& stream, const Proxy& proxy, std::string host, std::uint16_t port) {
    if (proxy.kind == Proxy::Kind::http_connect) {
        const auto passed = co_await http_connect(stream, proxy, std::move(host), port);
        co_return passed;
    }
    if (host.size() > 255 || proxy.user.size() > 255 || proxy.password.reveal().size() > 255) {
        co_return errc::proxy_refused;  // what SOCKS cannot carry
    }
    const auto passed = co_await socks5(stream, proxy, std::move(host), port);
    co_return passed;
}

}  // namespace net

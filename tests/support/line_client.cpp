#include "tests/support/line_client.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/write.hpp>

#include "protocols/base/base64.hpp"
#include "protocols/base/text.hpp"
#include "tools/rohrpost-sim/imap_command.hpp"

namespace support {

LineClient::LineClient(std::uint16_t port, const std::filesystem::path& ca_file)
    : tls_(asio::ssl::context::tls_client), stream_(context_, tls_) {
    tls_.load_verify_file(ca_file.string());
    stream_.set_verify_mode(asio::ssl::verify_peer);
    stream_.set_verify_callback(asio::ssl::host_name_verification("localhost"));
    stream_.next_layer().connect({asio::ip::address_v4::loopback(), port});
    const timeval wait{20, 0};
    ::setsockopt(stream_.next_layer().native_handle(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    SSL_set_tlsext_host_name(stream_.native_handle(), "localhost");
    stream_.handshake(asio::ssl::stream_base::client);
}

void LineClient::say(std::string_view text) {
    const std::string line = fmt::format("{}\r\n", text);
    asio::write(stream_, asio::buffer(line));
}

void LineClient::read_some() {
    std::array<char, 16384> chunk{};
    unread_.append(chunk.data(), stream_.read_some(asio::buffer(chunk)));
}

std::string LineClient::line() {
    std::size_t end = unread_.find("\r\n");
    while (end == std::string::npos) {
        read_some();
        end = unread_.find("\r\n");
    }
    std::string text = unread_.substr(0, end);
    unread_.erase(0, end + 2);
    return text;
}

std::string LineClient::bytes(std::size_t count) {
    while (unread_.size() < count) read_some();
    std::string taken = unread_.substr(0, count);
    unread_.erase(0, count);
    return taken;
}

std::vector<std::string> LineClient::ask(std::string_view command) {
    const std::string tag = fmt::format("t{}", ++tag_);
    say(fmt::format("{} {}", tag, command));
    std::vector<std::string> lines;
    for (;;) {
        std::string whole = line();
        auto literal = sim::announced_literal(whole);
        while (literal) {
            whole += "\r\n" + bytes(literal->bytes);
            const std::string rest = line();
            whole += rest;
            literal = sim::announced_literal(rest);
        }
        lines.push_back(std::move(whole));
        if (lines.back().starts_with(tag + " ")) return lines;
    }
}

HttpAnswer ask_https(std::uint16_t port, const std::filesystem::path& ca_file, const std::string& target,
                     const std::string& body, const std::string& content_type) {
    LineClient client(port, ca_file);
    client.say(
        fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\nConnection: close", body.empty() ? "GET" : "POST", target));
    if (!body.empty()) client.say(fmt::format("Content-Type: {}\r\nContent-Length: {}", content_type, body.size()));
    client.say("");
    HttpAnswer answer;
    std::size_t length = 0;
    constexpr std::string_view length_field = "content-length: ";
    if (!body.empty()) client.say(body);
    for (std::string line = client.line(); !line.empty(); line = client.line()) {
        if (text::starts_with_same(line, length_field))
            length = text::number<std::size_t>(std::string_view(line).substr(length_field.size())).value_or(0);
        answer.head += line + "\r\n";
    }
    answer.status = text::number<unsigned>(std::string_view(answer.head).substr(9, 3)).value_or(0);
    answer.body = client.bytes(length);
    return answer;
}

std::string xoauth2_of(std::string_view user, std::string_view token) {
    return base64_encoded(
        fmt::format("user={}\x01"
                    "auth=Bearer {}\x01\x01",
                    user, token));
}

}  // namespace support

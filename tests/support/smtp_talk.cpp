#include "tests/support/smtp_talk.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/write.hpp>

namespace support {

SmtpTalk::SmtpTalk(std::uint16_t port, const std::string& from) : socket_(*context_) {
    socket_.open(asio::ip::tcp::v4());
    socket_.bind({asio::ip::make_address(from), 0});
    socket_.connect({asio::ip::address_v4::loopback(), port});
    const timeval wait{20, 0};
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
}

void SmtpTalk::send(std::string_view bytes) { asio::write(socket_, asio::buffer(bytes)); }

std::string SmtpTalk::reply() {
    std::string lines;
    for (;;) {
        const auto end = unread_.find("\r\n");
        if (end == std::string::npos) {
            std::array<char, 16384> chunk{};
            boost::system::error_code error;
            const auto bytes = socket_.read_some(asio::buffer(chunk), error);
            if (error == asio::error::eof || error == asio::error::connection_reset) return {};
            if (error) throw boost::system::system_error(error, "no reply");
            unread_.append(chunk.data(), bytes);
            continue;
        }
        const std::string line = unread_.substr(0, end);
        unread_.erase(0, end + 2);
        lines += (lines.empty() ? "" : "\n") + line;
        if (line.size() < 4 || line[3] != '-') return lines;
    }
}

std::string SmtpTalk::ask(std::string_view line) {
    send(std::string(line) + "\r\n");
    return reply();
}

std::string SmtpTalk::codes(std::size_t replies) {
    std::string codes;
    while (replies-- > 0) {
        const auto one = reply();
        if (one.empty()) break;
        codes += (codes.empty() ? "" : " ") + one.substr(0, 3);
    }
    return codes;
}

bool SmtpTalk::readable(int within_ms) {
    pollfd wanted{socket_.native_handle(), POLLIN, 0};
    return !unread_.empty() || ::poll(&wanted, 1, within_ms) > 0;
}

void SmtpTalk::close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
}

}  // namespace support

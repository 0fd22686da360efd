#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "protocols/wait/asio.hpp"

namespace support {

/// A blocking client of an SMTP server, without TLS, that sends whatever bytes a test wants. Each read waits 20 s at
/// most. Throws boost::system::system_error.
class SmtpTalk {
public:
    /// `from`: the address that the server sees.
    explicit SmtpTalk(std::uint16_t port, const std::string& from = "127.0.0.1");

    void send(std::string_view bytes);
    /// The next reply: its lines without CRLF, with LF between them. Empty: the server has closed.
    std::string reply();
    /// A line of ours with CRLF, and the reply to it.
    std::string ask(std::string_view line);
    /// The codes of so many replies: "250 250 354"; fewer when the server closes.
    std::string codes(std::size_t replies);
    /// Whether something is there to be read, or the server has closed.
    [[nodiscard]] bool readable(int within_ms);
    /// Ends the connection without a word.
    void close();

private:
    std::unique_ptr<asio::io_context> context_ = std::make_unique<asio::io_context>();
    asio::ip::tcp::socket socket_;
    std::string unread_;
};

}  // namespace support

#pragma once

#include <boost/asio/ssl/stream.hpp>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/wait/asio.hpp"

namespace support {

/// A blocking TLS client for dialogues in lines, so that servers of the tests are judged by something that is not the
/// product. Verifies the chain and the name "localhost". Each read waits 20 s at most. Throws
/// boost::system::system_error.
class LineClient {
public:
    LineClient(std::uint16_t port, const std::filesystem::path& ca_file);

    void say(std::string_view line);
    /// Without CRLF.
    std::string line();
    /// Exactly so many bytes.
    std::string bytes(std::size_t count);
    /// Says "t1 command" (tags count up) and reads lines until the tagged one, which is the last returned. Literals
    /// are part of the line they end.
    std::vector<std::string> ask(std::string_view command);

private:
    void read_some();

    asio::io_context context_;
    asio::ssl::context tls_;
    asio::ssl::stream<asio::ip::tcp::socket> stream_;
    std::string unread_;
    int tag_ = 0;
};

/// What an HTTP request to localhost over TLS brought.
struct HttpAnswer {
    unsigned status = 0;
    std::string head;
    std::string body;
};
/// POST with that content type when `body` is not empty, otherwise GET.
HttpAnswer ask_https(std::uint16_t port, const std::filesystem::path& ca_file, const std::string& target,
                     const std::string& body = "", const std::string& content_type = "application/json");

/// The base 64 of an XOAUTH2 initial response.
std::string xoauth2_of(std::string_view user, std::string_view token);

}  // namespace support

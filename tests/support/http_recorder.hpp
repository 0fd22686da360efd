#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "protocols/base/result.hpp"
#include "protocols/wait/asio.hpp"

namespace support {

/// An application at 127.0.0.1 that is posted to, keeps everything, and answers as it is told: also in ways that no
/// HTTP server would. A thread for each connection.
class HttpRecorder {
public:
    struct Post {
        std::string target;
        std::map<std::string, std::string> headers;  // names in lower case
        std::string body;
        std::size_t connection = 0;  // which one it came over
        int answered = 0;            // the status; 0: with something else
    };
    struct Answer {
        int status = 204;
        std::string bytes{};  // instead of a response with that status; also the empty ones of `silent`
        enum class Then { go_on, hang_up, stay_silent } then = Then::go_on;
        std::vector<std::pair<std::string, std::string>> headers{};
    };
    /// `answer_to` the n-th post, from 0; on any thread, one at a time.
    explicit HttpRecorder(std::function<Answer(std::size_t, const Post&)> answer_to = {});
    ~HttpRecorder();

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] std::string url(const std::string& path = "/mail") const;
    [[nodiscard]] std::vector<Post> posts() const;
    /// Those that were answered with a 2xx.
    [[nodiscard]] std::vector<Post> taken() const;
    [[nodiscard]] std::size_t connections() const noexcept { return connections_; }

private:
    void accept();
    void serve(asio::ip::tcp::socket& socket, std::size_t number);

    std::function<Answer(std::size_t, const Post&)> answer_to_;
    asio::io_context context_;
    asio::ip::tcp::acceptor acceptor_;
    std::uint16_t port_;
    std::atomic<bool> ending_{false};
    std::atomic<std::size_t> connections_{0};
    mutable std::mutex mutex_;
    std::vector<Post> posts_;
    std::list<asio::ip::tcp::socket> sockets_;
    std::list<std::thread> threads_;
    std::thread accepting_;
};

}  // namespace support

#include "tests/support/http_recorder.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "protocols/base/text.hpp"

namespace support {

namespace {

using asio::ip::tcp;

HttpRecorder::Post read_head(const std::string& head) {
    HttpRecorder::Post post;
    const auto lines = text::split(head, '\n');
    const auto words = text::split(lines.front(), ' ');
    if (words.size() > 1) post.target = std::string(words[1]);
    for (std::size_t i = 1; i < lines.size(); ++i) {
        const auto colon = lines[i].find(':');
        if (colon == std::string_view::npos) continue;
        post.headers[text::lowered(lines[i].substr(0, colon))] = std::string(text::trimmed(lines[i].substr(colon + 1)));
    }
    return post;
}

}  // namespace

HttpRecorder::HttpRecorder(std::function<Answer(std::size_t, const Post&)> answer_to)
    : answer_to_(std::move(answer_to)),
      acceptor_(context_, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)),
      port_(acceptor_.local_endpoint().port()),
      accepting_([this] { accept(); }) {}

HttpRecorder::~HttpRecorder() {
    ending_ = true;
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    accepting_.join();
    {
        const std::lock_guard lock(mutex_);
        for (auto& socket : sockets_) ::shutdown(socket.native_handle(), SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
}

std::string HttpRecorder::url(const std::string& path) const {
    return fmt::format("http://127.0.0.1:{}{}", port_, path);
}

std::vector<HttpRecorder::Post> HttpRecorder::posts() const {
    const std::lock_guard lock(mutex_);
    return posts_;
}

std::vector<HttpRecorder::Post> HttpRecorder::taken() const {
    auto found = posts();
    std::erase_if(found, [](const Post& post) { return post.answered / 100 != 2; });
    return found;
}

void HttpRecorder::accept() {
    while (!ending_) {
        tcp::socket socket(context_);
        error_code failed;
        acceptor_.accept(socket, failed);
        if (failed) continue;
        const std::lock_guard lock(mutex_);
        auto& kept = sockets_.emplace_back(std::move(socket));
        threads_.emplace_back([this, &kept, number = connections_++] { serve(kept, number); });
    }
}

void HttpRecorder::serve(tcp::socket& socket, std::size_t number) {
    std::string input;
    for (;;) {
        error_code failed;
        const auto head_bytes = asio::read_until(socket, asio::dynamic_buffer(input), "\r\n\r\n", failed);
        if (failed) break;
        Post post = read_head(input.substr(0, head_bytes));
        input.erase(0, head_bytes);
        post.connection = number;
        const std::size_t length = std::stoul("0" + post.headers["content-length"]);
        if (input.size() < length)
            asio::read(socket, asio::dynamic_buffer(input), asio::transfer_exactly(length - input.size()), failed);
        if (failed) break;
        post.body = input.substr(0, length);
        input.erase(0, length);
        Answer answer;
        {
            const std::lock_guard lock(mutex_);
            if (answer_to_) answer = answer_to_(posts_.size(), post);
            const bool said = answer.bytes.empty() && answer.then != Answer::Then::stay_silent;
            post.answered = said ? answer.status : 0;
            posts_.push_back(std::move(post));
        }
        if (answer.then == Answer::Then::stay_silent) {
            char nothing = 0;
            socket.read_some(asio::buffer(&nothing, 1), failed);  // until the client gives up
            break;
        }
        std::string out = answer.bytes;
        if (out.empty()) {
            out = fmt::format("HTTP/1.1 {} Said\r\nContent-Length: 0\r\n", answer.status);
            for (const auto& [name, value] : answer.headers) out += name + ": " + value + "\r\n";
            out += "\r\n";
        }
        asio::write(socket, asio::buffer(out), failed);
        if (failed || answer.then == Answer::Then::hang_up) break;
    }
    ::shutdown(socket.native_handle(), SHUT_RDWR);
}

}  // namespace support

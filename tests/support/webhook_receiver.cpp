#include "tests/support/webhook_receiver.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <future>

namespace support {

WebhookReceiver::WebhookReceiver(std::function<int(std::size_t)> status_for)
    : status_for_(std::move(status_for)),
      shard_("receiver", clock_, random_, 1U << 20U,
             [](asio::io_context&, Timers&, Random&) { return std::unique_ptr<net::Dialer>(); }) {
    const http::Handler handler = [this](http::Request request) { return answer(std::move(request)); };
    auto server = http::Server::listen_tcp(shard_.executor(), shard_.timers(), "127.0.0.1", 0, handler);
    if (!server) throw std::runtime_error("the receiver cannot listen: " + server.error().message());
    server_ = std::move(*server);
    shard_.start();
}

WebhookReceiver::~WebhookReceiver() {
    std::promise<void> closed;
    asio::post(shard_.executor(), [&] {
        server_->close();
        closed.set_value();
    });
    closed.get_future().wait();
    shard_.stop();
}

std::string WebhookReceiver::url() const { return fmt::format("http://127.0.0.1:{}/events", server_->port()); }

std::vector<WebhookReceiver::Post> WebhookReceiver::posts() const {
    const std::lock_guard lock(mutex_);
    return posts_;
}

std::vector<WebhookReceiver::Post> WebhookReceiver::taken(std::string_view type) const {
    std::vector<Post> found;
    for (auto& post : posts()) {
        if (post.answered / 100 == 2 && post.body.at("type").as_string() == type) found.push_back(std::move(post));
    }
    return found;
}

awaitable<http::Response> WebhookReceiver::answer(http::Request request) {
    const auto header = [&](std::string_view name) { return std::string(request.header(name).value_or("")); };
    Post post{.id = header("webhook-id"),
              .timestamp = header("webhook-timestamp"),
              .signature = header("webhook-signature"),
              .text = request.body,
              .body = boost::json::parse(request.body).as_object()};
    http::Response response;
    const std::lock_guard lock(mutex_);
    post.answered = response.status = status_for_(posts_.size());
    posts_.push_back(std::move(post));
    co_return response;
}

}  // namespace support

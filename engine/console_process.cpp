#include "engine/console_process.hpp"

#include <fmt/format.h>

#include <iterator>

#include "engine/listener.hpp"
#include "engine/runtime/log.hpp"
#include "engine/runtime/notify.hpp"

namespace {

constexpr int exit_noinput = 66;                    // sysexits.h
constexpr std::size_t body_bytes_max = 64U << 10U;  // of a form
constexpr std::size_t quiet_budget = 1U << 20;
constexpr std::chrono::seconds reach_known_for{10};

http::Response plain(int status, std::string text) {
    http::Response response;
    response.status = status;
    response.content_type = "text/plain; charset=utf-8";
    response.body = std::move(text);
    return response;
}

}  // namespace

ConsoleProcess::ConsoleProcess(config::RunFlags flags, Outside& outside)
    : flags_(std::move(flags)),
      shard_("main", outside.clock(), outside.random(), quiet_budget,
             [&outside](asio::io_context& context, Timers& timers, Random& random) {
                 return outside.make_dialer(context, timers, random);
             }),
      api_({.url = flags_.services_server, .token_file = flags_.services_token_file, .ca_file = flags_.services_ca},
           shard_.seams()),
      attempts_(outside.clock()),
      console_({api_, attempts_, outside.clock(), outside.random()},
               flags_.console_behind_proxy ? console::Console::Peers::of_a_proxy : console::Console::Peers::known),
      scope_(shard_.executor(), [](const auto& name, const auto& what) {
          spdlog::error("coroutine={} failed={}", runtime::value(name), runtime::value(what));
      }) {
    const auto fault = api_.load();
    if (!fault.empty()) throw StartError(exit_noinput, fault);
}

ConsoleProcess::~ConsoleProcess() { shard_.stop(); }

int ConsoleProcess::run() {
    auto options = reporting();
    options.limits.body_bytes_max = body_bytes_max;
    const http::Handler handler = [this](http::Request request) { return answer(std::move(request)); };
    server_ = listen_for_browsers(shard_, flags_, handler, std::move(options));
    console_.reached_by(external_url_of(flags_, server_->port()));
    spdlog::info("console address={} port={} tls={} url={} services_server={}", flags_.console.address, server_->port(),
                 flags_.console_certificate.empty() ? "no" : "yes", console_.external_url(), flags_.services_server);
    shard_.follow_machine();
    asio::co_spawn(shard_.executor(), watch_signals(), [this](const std::exception_ptr&) { shard_.context().stop(); });
    scope_.spawn("reaching the services server", reach(api_));
    runtime::notify_ready("serving pages");
    shard_.context().run();
    return 0;
}

awaitable<http::Response> ConsoleProcess::answer(http::Request request) {
    if (request.path == "/healthz") co_return plain(200, "ok\n");
    if (request.path == "/readyz") {
        auto ready = co_await readiness();
        co_return ready;
    }
    if (request.path == "/metrics") co_return plain(200, metrics());
    if (request.path == "/v1" || request.path.starts_with("/v1/")) {
        co_return plain(404, fmt::format("the API is at {}\n", flags_.services_server));
    }
    auto page = co_await console_.answer(std::move(request));
    co_return page;
}

/// What is known at once: a services server that does not answer must not keep the numbers back. Whether it does is
/// asked for the next time, unless somebody asked it lately.
std::string ConsoleProcess::metrics() {
    auto metrics = console_.metrics();
    auto more = api_.metrics();
    std::move(more.begin(), more.end(), std::back_inserter(metrics));
    const auto asked_at = api_.called_at();
    if (!asked_at || shard_.timers().now() - *asked_at > reach_known_for) {
        scope_.spawn("reaching the services server", reach(api_));
    }
    return runtime::exposition(metrics);
}

awaitable<void> ConsoleProcess::reach(console::RemoteApi& api) {
    auto asked = api.call("GET", "/v1/credentials?limit=1", std::string());
    co_await std::move(asked);
}

/// Ready is whoever reaches the services server and is let in.
awaitable<http::Response> ConsoleProcess::readiness() {
    auto asked = api_.call("GET", "/v1/credentials?limit=1", std::string());
    const auto reply = co_await std::move(asked);
    if (reply.status == 200) co_return plain(200, "ok\n");
    co_return plain(503, reply.trouble + "\n");
}

void ConsoleProcess::reload() {
    runtime::notify_reloading();
    renew_certificate(*server_, flags_);
    const auto fault = api_.load();
    if (!fault.empty()) spdlog::error("id=services-token-not-taken the old one stays in use: {}", fault);
    runtime::notify_ready("serving pages");
}

awaitable<void> ConsoleProcess::watch_signals() {
    asio::signal_set signals(shard_.context(), SIGTERM, SIGINT, SIGHUP);
    for (;;) {
        const int signal = co_await signals.async_wait(asio::use_awaitable);
        if (signal != SIGHUP) break;
        spdlog::info("signal=SIGHUP reloading");
        reload();
    }
    runtime::notify_stopping();
    server_->close();
    co_await server_->join();
    scope_.cancel();
    co_await scope_.join();
}

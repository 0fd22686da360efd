#include "tools/rohrpost/caller.hpp"

#include <fmt/format.h>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <filesystem>

#include "engine/check_house.hpp"
#include "engine/config/import.hpp"
#include "engine/control/routes.hpp"
#include "engine/runtime/log.hpp"
#include "tools/rohrpost/exit.hpp"
#include "tools/rohrpost/offline_store.hpp"

namespace cli {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using Local = asio::local::stream_protocol;

class DaemonCaller final : public Caller {
public:
    /// nullptr when nobody listens.
    static std::unique_ptr<Caller> connect(const std::string& path) {
        if (path.size() > 107) return nullptr;
        auto caller = std::make_unique<DaemonCaller>();
        error_code wrong;
        caller->socket_.connect(Local::endpoint(path), wrong);
        if (wrong == asio::error::access_denied) {
            throw Failure(EX_NOPERM,
                          path + ": the daemon's control socket is not yours: use the daemon's user or root");
        }
        return wrong ? nullptr : std::move(caller);
    }

    control::Response call(control::Request request) override {
        http::request<http::string_body> message;
        message.method_string(request.method);
        message.target(request.target);
        message.set(http::field::host, "rohrpost");
        if (!request.type.empty()) message.set(http::field::content_type, request.type);
        message.body() = std::move(request.body);
        message.prepare_payload();
        error_code wrong;
        http::write(socket_, message, wrong);
        http::response_parser<http::string_body> parser;
        parser.body_limit(config::document_bytes_max);
        if (!wrong) http::read(socket_, buffer_, parser, wrong);
        if (wrong)
            throw Failure(EX_UNAVAILABLE,
                          "the daemon ended while it was asked (" + wrong.message() + "): look at its log");
        auto reply = parser.release();
        control::Response response;
        response.status = reply.result_int();
        response.type = std::string(reply[http::field::content_type]);
        response.body = std::move(reply.body());
        return response;
    }
    [[nodiscard]] bool daemon_runs() const noexcept override { return true; }

private:
    asio::io_context context_;
    Local::socket socket_{context_};
    beast::flat_buffer buffer_;
};

class StoreCaller final : public Caller {
public:
    StoreCaller(const std::string& data, const Needs& needs) {
        auto opened = offline_store(disk_, data);
        lock_ = std::move(opened.lock);
        if (needs.new_store || needs.checks || needs.secrets) {
            keyring_.emplace(offline_keyring(*opened.store, secrets::find_key(needs.key_file, data), random_));
        }
        committer_.emplace(std::move(opened.store), std::move(opened.bodies), clock_, store::Committer::Options{});
        committer_->start();
        if (needs.checks) open_house(data, needs);
        here_.emplace(control::Surroundings{.committer = *committer_,
                                            .home = house_ ? house_->shard().inbox() : inbox_,
                                            .clock = clock_,
                                            .keyring = keyring_ ? &*keyring_ : nullptr,
                                            .random = &random_,
                                            .doctor = house_ ? &house_->doctor() : nullptr});
    }
    ~StoreCaller() override {
        if (house_) run(house_->close());
        if (committer_) committer_->stop();
    }

    control::Response call(control::Request request) override {
        request.from = control::From::owner;
        return run(control::handle(*here_, std::move(request)));
    }
    [[nodiscard]] bool daemon_runs() const noexcept override { return false; }

private:
    void open_house(const std::string& data, const Needs& needs) {
        runtime::open_log("off", runtime::LogFormat::text);  // the findings say it all
        config::RunFlags flags;
        flags.data = data;
        flags.ip_family = needs.ip_family;
        flags.proxy = needs.proxy;
        house_.emplace(std::move(flags), *committer_, *keyring_);
        check_store(run(house_->open()));
    }
    asio::io_context& context() { return house_ ? house_->shard().context() : context_; }
    /// To its end, with everything else that runs on the loop meanwhile.
    void run(awaitable<void> coroutine) {
        std::exception_ptr failure;
        bool ended = false;
        asio::co_spawn(context(), std::move(coroutine), [&](const std::exception_ptr& thrown) {
            failure = thrown;
            ended = true;
        });
        turn_until(ended);
        if (failure) std::rethrow_exception(failure);
    }
    template <class T>
    T run(awaitable<T> coroutine) {
        std::optional<T> result;
        std::exception_ptr failure;
        bool ended = false;
        asio::co_spawn(context(), std::move(coroutine), [&](const std::exception_ptr& thrown, T given) {
            failure = thrown;
            result.emplace(std::move(given));
            ended = true;
        });
        turn_until(ended);
        if (failure) std::rethrow_exception(failure);
        return std::move(*result);
    }
    void turn_until(const bool& ended) {
        context().restart();
        const auto work = asio::make_work_guard(context());
        while (!ended) context().run_one();
    }

    SystemClock clock_;
    SystemRandom random_;
    store::SystemDisk disk_;
    std::unique_ptr<store::File> lock_;
    std::optional<secrets::Keyring> keyring_;
    asio::io_context context_{1};
    queue::Inbox inbox_{context_.get_executor()};
    std::optional<store::Committer> committer_;
    std::optional<CheckHouse> house_;
    std::optional<control::Surroundings> here_;
};

int code_of(unsigned status) {
    switch (status) {
        case 400:
        case 405:
            return EX_USAGE;
        case 404:
        case 410:
            return EX_NOINPUT;
        case 409:
        case 422:
            return EX_DATAERR;
        case 503:
            return EX_TEMPFAIL;
        case 507:
            return EX_CANTCREAT;
        default:
            return EX_IOERR;
    }
}

}  // namespace

std::unique_ptr<Caller> caller_for(const std::string& data, const Needs& needs) {
    const std::filesystem::path folder(data);
    auto daemon = DaemonCaller::connect((folder / "control.sock").string());
    if (daemon) return daemon;
    std::error_code wrong;
    const bool there = std::filesystem::exists(folder / "ledger.db", wrong);
    if (wrong)
        throw Failure(EX_NOPERM, fmt::format("{}: {}: use the user who owns it, or name another with --data", data,
                                             wrong.message()));
    if (!there && !needs.new_store) {
        throw Failure(
            EX_NOINPUT,
            fmt::format("{}: there is no store yet: begin with rohrpost import, or name the right folder with --data",
                        data));
    }
    return std::make_unique<StoreCaller>(data, needs);
}

std::string accepted(const control::Response& response) {
    if (response.status < 300) return response.body;
    error_code wrong;
    const auto value = boost::json::parse(response.body, wrong);
    const auto* object = wrong ? nullptr : value.if_object();
    const auto* sentence = object == nullptr ? nullptr : object->if_contains("detail");
    const auto* faults = object == nullptr ? nullptr : object->if_contains("faults");
    if (faults != nullptr) {
        for (const auto& fault : faults->as_array())
            fmt::print(stderr, "{}: {}\n", std::string_view(fault.at("path").as_string()),
                       std::string_view(fault.at("what").as_string()));
    }
    throw Failure(code_of(response.status), sentence == nullptr
                                                ? fmt::format("answered with status {}", response.status)
                                                : std::string(sentence->as_string()));
}

std::string ask(Caller& caller, std::string method, std::string target) {
    control::Request request{.method = std::move(method), .target = std::move(target)};
    return accepted(caller.call(std::move(request)));
}

std::string encoded(std::string_view text) { return boost::urls::encode(text, boost::urls::unreserved_chars); }

}  // namespace cli

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>

#include "engine/console/api.hpp"
#include "engine/console/attempts.hpp"
#include "engine/console/cookies.hpp"
#include "engine/console/numbers.hpp"
#include "engine/console/page.hpp"
#include "engine/console/sessions.hpp"
#include "protocols/http/message.hpp"

namespace console {

/// The pages that a person's browser sees: log-in, credentials and their state, sign-ins from beginning to end. A
/// client of the API. One shard.
class Console {
public:
    struct Uses {
        Api& api;
        Attempts& attempts;
        const Clock& clock;
        Random& random;
    };
    /// Peers are a proxy's when there is one in front: then nobody's address is known.
    enum class Peers { known, of_a_proxy };
    Console(Uses uses, Peers peers);

    /// `external_url` is how browsers reach this listener: "https://desk.example.com", without a slash at its end.
    void reached_by(std::string external_url);
    [[nodiscard]] const std::string& external_url() const noexcept { return external_url_; }
    awaitable<http::Response> answer(http::Request request);

    /// Any thread.
    [[nodiscard]] std::vector<runtime::Metric> metrics() const { return metrics_of(numbers_, uses_.attempts.stats()); }

    /// What stands for the peer of a request in Attempts.
    [[nodiscard]] std::string peer_of(const http::Request& request) const;

private:
    using Session = Sessions::Session;
    using Form = decltype(http::Request::query);

    awaitable<http::Response> page_for(http::Request request);
    awaitable<http::Response> callback(http::Request request);
    awaitable<void> tell_of_stray(http::Request request) const;
    awaitable<http::Response> open_page(http::Request request);
    awaitable<http::Response> logged_in(http::Request request, Session session);
    http::Response login_page(const http::Request& request, std::string next, int status, std::string wrong);
    http::Response log_in(const http::Request& request);
    http::Response log_out(const http::Request& request);
    awaitable<http::Response> home(http::Request request, Session session);
    awaitable<http::Response> credential(std::string id, Session session, std::string refused);
    awaitable<http::Response> begin_sign_in(http::Request request, std::string id, Session session);
    awaitable<http::Response> sign_in(std::string id, Session session);
    awaitable<http::Response> address(http::Request request, std::string id, Session session);

    awaitable<Api::Reply> get(std::string target) const;
    /// `browser` is how the API knows the browser that brings the address.
    awaitable<Api::Reply> finish(const std::string& browser, std::string address) const;
    void count_sign_in(std::string_view state);
    /// Why a form is not taken; nullopt: it comes from a page of ours, and from this session.
    [[nodiscard]] std::optional<http::Response> foreign(const http::Request& request, const Form& form,
                                                        const std::string& csrf) const;
    [[nodiscard]] bool from_our_pages(const http::Request& request) const;
    bool callbacks_come_too_often();

    Uses uses_;
    Peers peers_;
    Cookies cookies_{Cookies::Scheme::http};
    Sessions sessions_;
    std::string external_url_;
    Numbers numbers_;
    Monotonic minute_{};
    std::size_t callbacks_ = 0;  // in it
};

/// Scheme, host and port of an external URL; nullopt: none, or more than that behind it.
std::optional<std::string> host_in(std::string_view external_url);
/// Where a log-in leads to: `wanted` if it is the path of a credential here, else the first page. Never another host.
std::string path_after_login(std::string_view wanted);

}  // namespace console

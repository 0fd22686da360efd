#include "tools/rohrpost/drain.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <chrono>
#include <cstdio>
#include <thread>

#include "tools/rohrpost/exit.hpp"

namespace cli {
namespace {

using namespace std::chrono_literals;

constexpr auto between_looks = 500ms;

struct Left {
    std::uint64_t moving = 0;  // leaves by itself
    std::uint64_t held = 0;
    std::string text;

    bool operator==(const Left&) const = default;
};

Left left_in(const std::string& body) {
    const auto object = boost::json::parse(body).as_object();
    const auto number = [&](std::string_view key) { return object.at(key).to_number<std::uint64_t>(); };
    return {.moving = number("queued") + number("sending") + number("in_doubt"),
            .held = number("held"),
            .text = fmt::format("queued {}, sending {}, in doubt {}, held {}", number("queued"), number("sending"),
                                number("in_doubt"), number("held"))};
}

}  // namespace

int drain(Caller& caller, const DrainWish& wish) {
    const std::string path = "/v1/intake/close";
    std::string body = ask(caller, "POST", wish.reason.empty() ? path : path + "?reason=" + encoded(wish.reason));
    Left left = left_in(body);
    if (wish.wait) {
        fmt::print(stderr, "no mail is taken in any more (rohrpost queue open ends that); {}\n", left.text);
        while (left.moving > 0) {
            if (!caller.daemon_runs()) throw Failure(EX_TEMPFAIL, "no daemon runs: nothing leaves");
            std::this_thread::sleep_for(between_looks);
            body = ask(caller, "GET", "/v1/intake");
            const Left now = left_in(body);
            if (!(now == left)) fmt::print(stderr, "{}\n", now.text);
            left = now;
        }
    }
    if (wish.json) fmt::print("{}\n", body);
    if (!wish.wait) return EX_OK;
    if (left.held > 0)
        throw Failure(EX_TEMPFAIL, fmt::format("{} held: rohrpost queue list --state held shows them", left.held));
    return EX_OK;
}

}  // namespace cli

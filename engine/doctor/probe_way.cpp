#include <algorithm>

#include "engine/doctor/probes.hpp"

namespace doctor {
namespace {

using namespace std::chrono_literals;

constexpr auto resolving_within = 10s;
constexpr auto connecting_within = 10s;
constexpr auto handshake_within = 10s;

struct Reached {
    WayFacts::Reach reach;
    std::unique_ptr<net::Stream> stream;
};

awaitable<Reached> reach(Surroundings here, std::string host, std::uint16_t port) {
    Reached reached;
    reached.reach.address = host;
    net::Dial to;
    to.host = std::move(host);
    to.port = port;
    to.security = net::Security::plain;
    to.within = connecting_within;
    auto stream = co_await here.seams.dialer.dial(std::move(to));
    if (stream) {
        reached.stream = std::move(*stream);
    } else {
        reached.reach.fault = stream.error();
    }
    co_return reached;
}

awaitable<Result<net::Addresses>> addresses_of(Surroundings here, std::string host) {
    boost::system::error_code not_an_address;
    const auto address = asio::ip::make_address(host, not_an_address);
    if (!not_an_address) co_return net::Addresses{address};
    auto resolved = co_await here.resolver.resolve(std::move(host), here.seams.timers.now() + resolving_within);
    co_return resolved;
}

/// The first address of that kind.
std::optional<asio::ip::address> first_of(const net::Addresses& addresses, bool v6) {
    const auto found =
        std::find_if(addresses.begin(), addresses.end(), [v6](const auto& one) { return one.is_v6() == v6; });
    if (found == addresses.end()) return std::nullopt;
    return *found;
}

}  // namespace

awaitable<WayFacts> probe_way(Surroundings here, Place place) {
    WayFacts facts;
    facts.place = place;
    facts.proxied = here.proxied;
    std::unique_ptr<net::Stream> stream;
    if (here.proxied) {
        auto reached = co_await reach(here, place.host, place.port);
        facts.proxy = std::move(reached.reach);
        stream = std::move(reached.stream);
    } else {
        const auto addresses = co_await addresses_of(here, place.host);
        if (!addresses) {
            facts.name_fault = addresses.error();
            co_return facts;
        }
        const auto v4 = first_of(*addresses, false);
        if (v4 && here.family != net::Family::ipv6) {
            auto reached = co_await reach(here, v4->to_string(), place.port);
            facts.v4 = std::move(reached.reach);
            stream = std::move(reached.stream);
        }
        const auto v6 = first_of(*addresses, true);
        if (v6 && here.family != net::Family::ipv4) {
            auto reached = co_await reach(here, v6->to_string(), place.port);
            facts.v6 = std::move(reached.reach);
            if (!stream) stream = std::move(reached.stream);
        }
    }
    if (!stream) co_return facts;
    const net::Pace pace{.within = handshake_within, .bytes_per_second_min = 0};
    stream->allow(pace);
    auto survey = co_await net::survey_tls(*stream, place.host, place.ca_file);
    stream->close();
    facts.tls.emplace(std::move(survey));
    co_return facts;
}

}  // namespace doctor

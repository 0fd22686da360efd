#include "engine/webhooks/post.hpp"

#include <fmt/format.h>

#include "protocols/http/client.hpp"
#include "protocols/webhook/signature.hpp"

namespace webhooks {
namespace {

constexpr std::size_t answer_bytes_max = 64U << 10U;
}  // namespace

awaitable<Taken> post(Seams& seams, Receiver receiver, Parcel parcel, std::chrono::milliseconds within) {
    const auto place = webhook::place_of(receiver.url);
    if (!place) co_return Taken{.says = fmt::format("{}: {}", receiver.url, place.error().message())};
    const auto now = seams.timers.clock().wall().time_since_epoch();
    const auto timestamp = std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now).count());
    auto signature = webhook::signature_of(receiver.key, parcel.id, timestamp, parcel.body);
    auto request = webhook::request_to(*place, parcel.id, timestamp, std::move(signature));
    request.headers.emplace_back("Content-Type", "application/cloudevents+json");
    request.body = std::move(parcel.body);
    auto dial = webhook::dial_to(*place, receiver, within);
    const http::Limits limits{.header_bytes_max = answer_bytes_max, .body_bytes_max = answer_bytes_max};
    auto response = co_await http::call(seams, std::move(dial), std::move(request), limits);
    if (!response) co_return Taken{.says = fmt::format("{}: {}", receiver.url, webhook::words_of(response.error()))};
    if (response->status >= 200 && response->status < 300) co_return Taken{.taken = true, .says = {}};
    Taken refused{.says = fmt::format("{}: {}", receiver.url, webhook::words_of(*response))};
    refused.retry_after = response->retry_after();
    co_return refused;
}

}  // namespace webhooks

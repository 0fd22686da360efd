#include "tests/simulation/correspondence.hpp"

#include <boost/json.hpp>

#include "engine/submission/record.hpp"
#include "protocols/base/text.hpp"
#include "tools/rohrpost-sim/message.hpp"

using namespace std::chrono_literals;

namespace simulation {

namespace {

/// Lines that end as the daemon writes them.
std::string text_of(std::uint32_t number, std::size_t bytes) {
    std::string text = fmt::format("text of order {}\r\n", number);
    while (text.size() < bytes)
        text += fmt::format(".{} dots at the beginning of a line, and {}\r\n", text.size(), number);
    return text;
}

}  // namespace

std::uint32_t Correspondence::write(const Wish& wish) {
    Order order;
    order.number = count() + 1;
    order.text = text_of(order.number, wish.bytes);
    order.may_repeat = terms_.retries_in_doubt;
    auto& asked = order.asked;
    asked.sender = sim::World::address_of(wish.box);
    asked.message = fmt::format("From: {}\r\n{}{}\r\n", *asked.sender, order_subject, order.number);
    if (!wish.message_id.empty()) asked.message += fmt::format("Message-ID: {}\r\n", wish.message_id);
    asked.message += "\r\n" + order.text;
    for (std::uint32_t each = 1; each <= wish.recipients; ++each)
        asked.recipients.push_back(fmt::format("to{}.{}@there.test", order.number, each));
    if (wish.keyed) asked.key = fmt::format("key-{}", order.number);
    asked.lane = wish.lane;
    asked.life = wish.life;
    if (wish.later.count() > 0)
        asked.not_before = std::chrono::time_point_cast<std::chrono::milliseconds>(clock_.wall()) + wish.later;
    events_.note("somebody writes order={} from={} recipients={} bytes={} key={} later_ms={}", order.number,
                 *asked.sender, wish.recipients, asked.message.size(), asked.key, wish.later.count());
    orders_.push_back(std::move(order));
    return count();
}

bool Correspondence::wants_asking(std::uint32_t number) const {
    const Order& order = at(number);
    return !order.id && !order.asked_now && !order.lost;
}

void Correspondence::hand_in(Engine& engine, std::uint32_t number) {
    Order& order = orders_[number - 1];
    order.asked_now = true;
    auto asking = control::submit(engine.surroundings(), order.asked);
    asio::co_spawn(engine.shards().front()->executor(), std::move(asking),
                   [this, number, process = process_](std::exception_ptr failed, const control::Response& response) {
                       if (!failed && !fate_.dead() && process == process_) answered(number, response);
                   });
}

void Correspondence::answered(std::uint32_t number, const control::Response& response) {
    Order& order = orders_[number - 1];
    order.asked_now = false;
    restful_ = 0;
    const bool keyed = !order.asked.key.empty();
    events_.note("order={} is answered {}", number, response.status);
    if (response.status != 200 && response.status != 202) {
        if (response.status < 500)
            events_.violated("order {} is refused: {} {}", number, response.status, response.body);
        order.lost = !keyed;
        return;
    }
    const auto answer = boost::json::parse(response.body).as_object();
    const auto id = submission::id_from(std::string_view(answer.at("id").as_string()));
    if (!id) {
        events_.violated("order {} gets id {}", number, response.body);
        return;
    }
    if (order.id && *order.id != *id) events_.violated("order {} is taken twice: {} and {}", number, *order.id, *id);
    if (!keyed && response.status == 200) events_.violated("order {} without a key is known", number);
    order.id = *id;
}

void Correspondence::decide(Engine& engine, std::uint32_t number, control::Act act) {
    Order& order = orders_[number - 1];
    if (!order.id) return;
    events_.note("an operator decides order={} act={}", number, static_cast<int>(act));
    order.cancelled = order.cancelled || act == control::Act::cancel;
    order.may_repeat = order.may_repeat || act == control::Act::release;
    auto deciding = control::change_submission(engine.surroundings(), *order.id, act);
    asio::co_spawn(engine.shards().front()->executor(), std::move(deciding),
                   [this, number](std::exception_ptr failed, const control::Response& response) {
                       restful_ = 0;
                       if (!failed && !fate_.dead())
                           events_.note("the word on order={} is answered {}", number, response.status);
                   });
}

std::vector<std::uint32_t> Correspondence::held() const {
    std::vector<std::uint32_t> numbers;
    for (const Order& order : orders_) {
        if (!order.id) continue;
        const auto course = courses_.find(*order.id);
        if (course != courses_.end() && course->second.kinds.back() == "held") numbers.push_back(order.number);
    }
    return numbers;
}

void Correspondence::process_begins() {
    ++process_;
    for (Order& order : orders_) {
        if (order.asked_now && order.asked.key.empty()) order.lost = true;
        order.asked_now = false;
    }
}

void Correspondence::watch_provider() {
    const auto& sent = world_.sent();
    for (; seen_ < sent.size(); ++seen_) {
        const auto& mail = sent[seen_];
        const auto number = order_in(mail.message);
        events_.note("the provider takes order={} recipients={}", number, mail.recipients.size());
        if (number == 0 || number > count()) {
            events_.violated("the provider takes a mail that nobody wrote: {}", mail.message.substr(0, 200));
            continue;
        }
        Order& order = orders_[number - 1];
        arrivals_.push_back({clock_.now(), process_, mail.sender, mail.recipients.size()});
        if (!mail.message.starts_with(std::string(submission::mark_header) + ": ") ||
            !mail.message.ends_with("\r\n\r\n" + order.text) || mail.sender != *order.asked.sender) {
            events_.violated("order {} arrives changed", number);
        }
        for (const auto& recipient : mail.recipients) {
            const auto& asked = order.asked.recipients;
            if (std::find(asked.begin(), asked.end(), recipient) == asked.end())
                events_.violated("order {} goes to {}, to whom nobody wrote", number, recipient);
            if (++order.arrived[recipient] > 1 && !order.may_repeat)
                events_.violated("doubled: order {} arrives at {} a second time", number, recipient);
        }
    }
}

std::string Correspondence::log() const {
    std::string text;
    for (const Order& order : orders_) {
        for (const auto& [recipient, times] : order.arrived)
            text += fmt::format("{} {} {}\n", order.number, recipient, times);
    }
    return text;
}

}  // namespace simulation

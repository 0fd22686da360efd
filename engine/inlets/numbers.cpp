#include "engine/inlets/numbers.hpp"

#include <utility>

namespace inlets {
namespace {

constexpr std::array<std::string_view, refusals> words{"sender", "recipient", "message", "size",   "room",
                                                       "store",  "login",     "command", "leaving"};

struct Meaning {
    std::string_view status;  // RFC 3463, or the beginning of one
    Refusal reason;
};
constexpr std::array<Meaning, 16> meanings{{
    {"5.7.1 ", Refusal::sender},
    {"5.1.7", Refusal::sender},
    {"4.5.3", Refusal::recipient},
    {"5.1.", Refusal::recipient},
    {"5.6.7", Refusal::recipient},
    {"5.3.4", Refusal::size},
    {"4.3.4", Refusal::size},
    {"4.3.1", Refusal::room},
    {"4.3.0", Refusal::store},
    {"5.6.", Refusal::message},
    {"5.4.6", Refusal::message},
    {"5.7.", Refusal::login},
    {"4.7.0", Refusal::login},
    {"4.3.2", Refusal::leaving},
    {"4.4.2", Refusal::leaving},
    {"", Refusal::command},
}};

}  // namespace

Refusal refusal_in(const smtp::Answer& answer) noexcept {
    for (const auto& meaning : meanings)
        if (answer.text.starts_with(meaning.status)) return meaning.reason;
    return Refusal::command;
}

std::vector<runtime::Metric> metrics_of(const Numbers& numbers) {
    std::vector<runtime::Metric> metrics;
    using Labels = decltype(runtime::Metric::labels);
    const auto add = [&metrics](const char* name, const char* help, double value, Labels labels = Labels(),
                                runtime::Metric::Type type = runtime::Metric::Type::counter) {
        metrics.push_back({name, help, value, std::move(labels), type});
    };
    const auto count = [](const std::atomic<std::uint64_t>& number) {
        return static_cast<double>(number.load(std::memory_order_relaxed));
    };
    add("rohrpost_inlet_connections", "Applications that are connected over SMTP.", count(numbers.open), {},
        runtime::Metric::Type::gauge);
    add("rohrpost_inlet_connections_total", "Connections of applications that were let in.",
        count(numbers.connections));
    constexpr auto turned_away_help = "Connections of applications that were turned away, as too many were open.";
    add("rohrpost_inlet_turned_away_total", turned_away_help, count(numbers.too_many), {{"reason", "all"}});
    add("rohrpost_inlet_turned_away_total", turned_away_help, count(numbers.too_many_of_peer), {{"reason", "peer"}});
    add("rohrpost_inlet_accepted_total", "Mails taken in over SMTP, durably.", count(numbers.accepted));
    add("rohrpost_inlet_accepted_bytes_total", "Their bytes as they are sent on.", count(numbers.accepted_bytes));
    add("rohrpost_inlet_accept_seconds_total", "From the last byte of an accepted mail to the commit, in all.",
        count(numbers.accept_ns) * 1e-9);
    add("rohrpost_inlet_known_before_total", "Mails handed in again under a key that was known.",
        count(numbers.known_before));
    for (std::size_t reason = 0; reason < refusals; ++reason) {
        add("rohrpost_inlet_refusals_total", "Replies to applications that said no, by what was wrong.",
            count(numbers.refused[reason]), {{"reason", std::string(words[reason])}});
    }
    return metrics;
}

}  // namespace inlets

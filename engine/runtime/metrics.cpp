#include "engine/runtime/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace runtime {

namespace {

constexpr std::uint64_t first_bound_ns = 64'000;

prometheus::MetricFamily counter(std::string name, std::string help, const std::atomic<std::uint64_t>& count) {
    prometheus::ClientMetric metric;
    metric.counter.value = static_cast<double>(count.load(std::memory_order_relaxed));
    return {std::move(name), std::move(help), prometheus::MetricType::Counter, {metric}};
}

prometheus::MetricFamily histogram(std::string name, std::string help, const Latency& latency) {
    const auto taken = latency.snapshot();
    prometheus::ClientMetric metric;
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < Latency::buckets; ++i) {
        cumulative += taken.counts[i];
        const bool last = i + 1 == Latency::buckets;
        metric.histogram.bucket.push_back({cumulative, last ? INFINITY : Latency::bound_seconds(i)});
    }
    metric.histogram.sample_count = taken.count;
    metric.histogram.sample_sum = taken.sum_seconds;
    return {std::move(name), std::move(help), prometheus::MetricType::Histogram, {metric}};
}

void append(std::vector<prometheus::MetricFamily>& families, const std::vector<Metric>& metrics) {
    for (const auto& metric : metrics) {
        const bool counts = metric.type == Metric::Type::counter;
        prometheus::ClientMetric sample;
        (counts ? sample.counter.value : sample.gauge.value) = metric.value;
        for (const auto& [name, text] : metric.labels) sample.label.push_back({name, text});
        if (families.empty() || families.back().name != metric.name) {
            const auto type = counts ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
            families.push_back({metric.name, metric.help, type, {}});
        }
        families.back().metric.push_back(std::move(sample));
    }
}

}  // namespace

void Latency::add(std::chrono::nanoseconds span) noexcept {
    const auto ns = span.count() > 0 ? static_cast<std::uint64_t>(span.count()) : 0;
    const auto over = ns / first_bound_ns;
    const auto bucket = std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(over)), buckets - 1);
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_ns_.fetch_add(ns, std::memory_order_relaxed);
}

double Latency::bound_seconds(std::size_t bucket) noexcept {
    return std::ldexp(static_cast<double>(first_bound_ns) * 1e-9, static_cast<int>(bucket));
}

Latency::Snapshot Latency::snapshot() const noexcept {
    Snapshot taken;
    for (std::size_t i = 0; i < buckets; ++i) {
        taken.counts[i] = counts_[i].load(std::memory_order_relaxed);
        taken.count += taken.counts[i];
    }
    taken.sum_seconds = static_cast<double>(sum_ns_.load(std::memory_order_relaxed)) * 1e-9;
    return taken;
}

double Latency::Snapshot::quantile(double share) const noexcept {
    const double wanted = share * static_cast<double>(count);
    double seen = 0;
    for (std::size_t i = 0; i < buckets && count > 0; ++i) {
        seen += static_cast<double>(counts[i]);
        if (seen >= wanted) return bound_seconds(i);
    }
    return 0;
}

std::string exposition(const Counters& counters, const std::vector<Metric>& metrics) {
    std::vector<prometheus::MetricFamily> families{
        counter("rohrpost_messages_stored_total", "Messages made durable.", counters.messages_stored),
        counter("rohrpost_message_stored_bytes_total", "Bytes of messages made durable.",
                counters.message_bytes_stored),
        counter("rohrpost_messages_known_before_total", "Messages fetched again that the ledger knew.",
                counters.messages_known_before),
        counter("rohrpost_messages_gone_total", "UIDs that were expunged before they could be fetched.",
                counters.messages_gone),
        counter("rohrpost_messages_missed_total", "Messages that an audit found on a server, unknown to the ledger.",
                counters.messages_missed),
        counter("rohrpost_messages_delivered_total", "Messages acknowledged by their consumer.",
                counters.messages_delivered),
        counter("rohrpost_messages_set_aside_total", "Messages that cannot be handed off: their bytes are damaged.",
                counters.messages_set_aside),
        counter("rohrpost_logins_total", "Successful log-ins to mail servers.", counters.logins),
        counter("rohrpost_login_refusals_total", "Log-ins that a mail server refused.", counters.login_refusals),
        counter("rohrpost_session_errors_total", "Sessions that ended in an error.", counters.session_errors),
        histogram("rohrpost_arrival_to_durable_seconds", "From the last byte received to the commit.",
                  counters.arrival_to_durable),
        histogram("rohrpost_durable_to_delivered_seconds", "From the commit to the consumer's acknowledgement.",
                  counters.durable_to_delivered),
    };
    append(families, metrics);
    return prometheus::TextSerializer().Serialize(families);
}

std::string exposition(const std::vector<Metric>& metrics) {
    std::vector<prometheus::MetricFamily> families;
    append(families, metrics);
    return prometheus::TextSerializer().Serialize(families);
}

}  // namespace runtime

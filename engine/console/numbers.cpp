#include "engine/console/numbers.hpp"

#include <fmt/format.h>

#include <utility>

namespace console {

std::vector<runtime::Metric> metrics_of(const Numbers& numbers, const Attempts::Stats& attempts) {
    std::vector<runtime::Metric> metrics;
    using Labels = decltype(runtime::Metric::labels);
    const auto add = [&metrics](const char* name, const char* help, std::uint64_t count, Labels labels = Labels()) {
        metrics.push_back({name, help, static_cast<double>(count), std::move(labels), runtime::Metric::Type::counter});
    };
    for (std::size_t digit = 2; digit < numbers.pages.size(); ++digit) {
        add("rohrpost_console_pages_total", "Requests for pages that were answered.", numbers.pages[digit],
            {{"status", fmt::format("{}xx", digit)}});
    }
    add("rohrpost_console_misdirected_total", "Requests under another name than the external URL.",
        numbers.misdirected);
    add("rohrpost_console_log_ins_total", "Log-ins with the API token.", numbers.log_ins);
    add("rohrpost_console_wrong_tokens_total",
        "Wrong tokens that were shown, by pages, calls of the API and applications over SMTP.", attempts.wrong_tokens);
    add("rohrpost_console_turned_away_total", "Attempts that were turned away for too many wrong tokens.",
        attempts.turned_away);
    add("rohrpost_console_sign_ins_total", "Sign-ins that came back to these pages.", numbers.sign_ins_stored,
        {{"result", "stored"}});
    add("rohrpost_console_sign_ins_total", "Sign-ins that came back to these pages.", numbers.sign_ins_failed,
        {{"result", "failed"}});
    return metrics;
}

}  // namespace console

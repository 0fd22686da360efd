#include "engine/runtime/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <stdexcept>

#include "protocols/base/text.hpp"

namespace runtime {

namespace {

/// The message as the inside of a JSON string. RFC 8259 §7.
class JsonText final : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
        for (const char c : message.payload) {
            const auto code = static_cast<unsigned char>(c);
            if (c == '"' || c == '\\') {
                out.push_back('\\');
                out.push_back(c);
            } else if (code < 0x20) {
                fmt::format_to(std::back_inserter(out), "\\u{:04x}", code);
            } else {
                out.push_back(c);
            }
        }
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JsonText>(); }
};

}  // namespace

void open_log(const std::string& level, LogFormat format) {
    const auto wanted = spdlog::level::from_str(level);
    if (wanted == spdlog::level::off && level != "off") throw std::invalid_argument("unknown log level " + level);
    auto log = std::make_shared<spdlog::logger>("rohrpost", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    if (format == LogFormat::json) {
        formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
        formatter->add_flag<JsonText>('*').set_pattern(
            R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","thread":%t,"message":"%*"})");
    } else {
        formatter->set_pattern("%Y-%m-%d %H:%M:%S.%e %L %v");
    }
    log->set_formatter(std::move(formatter));
    log->set_level(wanted);
    log->flush_on(spdlog::level::info);
    spdlog::set_default_logger(std::move(log));
}

std::string value(std::string_view text) {
    const bool plain = !text.empty() && text.find_first_of(" \"=\\") == std::string_view::npos;
    const std::string shown = text::printable(text, 500);
    if (plain && shown.size() == text.size()) return shown;
    std::string out = "\"";
    for (const char c : shown) {
        if (c == '"') out += '\\';
        out += c;
    }
    return out + '"';
}

}  // namespace runtime

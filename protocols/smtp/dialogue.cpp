#include "protocols/smtp/dialogue.hpp"

#include "protocols/base/text.hpp"

namespace smtp {
namespace {

constexpr std::size_t lines_max = 20;
constexpr std::size_t shown_bytes_max = 160;

}  // namespace

void Dialogue::sent(std::string_view command) { keep("C: ", command.substr(0, command.find('\r'))); }

void Dialogue::received(const Reply& reply) { keep("S: ", reply.text()); }

std::vector<std::string> Dialogue::lines() const {
    std::vector<std::string> lines;
    for (const std::string_view line : text::split(text_, '\n'))
        if (!line.empty()) lines.push_back(text::printable(line, line.size()));
    return lines;
}

void Dialogue::keep(std::string_view who, std::string_view line) {
    text_ += who;
    text_ += line.substr(0, shown_bytes_max);
    if (line.size() > shown_bytes_max) text_ += "...";
    text_ += '\n';
    for (++lines_; lines_ > lines_max; --lines_) text_.erase(0, text_.find('\n') + 1);
}

}  // namespace smtp

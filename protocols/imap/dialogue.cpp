#include "protocols/imap/dialogue.hpp"

#include <utility>

#include "protocols/base/text.hpp"

namespace imap {
namespace {

constexpr std::size_t lines_max = 20;
constexpr std::size_t lines_at_rest_max = 6;
constexpr std::size_t shown_bytes_max = 160;

}  // namespace

void Dialogue::sent(std::string_view piece) {
    keep("C: " + text::printable(piece.substr(0, piece.find('\r')), shown_bytes_max));
}

void Dialogue::received(std::string_view line) {
    keep("S: " + text::printable(line.substr(0, line.find('\r')), shown_bytes_max));
}

void Dialogue::fetched(const FetchItem& item) noexcept {
    ++run_.answers;
    run_.last_uid = item.uid;
    run_.last_body_bytes = item.body_bytes;
}

std::vector<std::string> Dialogue::lines() const {
    std::vector<std::string> lines;
    for (const std::string_view line : text::split(text_, '\n'))
        if (!line.empty()) lines.emplace_back(line);
    if (run_.answers > 0) lines.push_back(text_of(run_));
    return lines;
}

void Dialogue::keep(std::string_view line) {
    if (run_.answers > 0) {
        text_ += text_of(std::exchange(run_, {})) + '\n';
        ++lines_;
    }
    text_.append(line) += '\n';
    for (++lines_; lines_ > lines_max; --lines_) text_.erase(0, text_.find('\n') + 1);
}

void Dialogue::rest() {
    std::size_t dropped = 0;
    for (; lines_ > lines_at_rest_max; --lines_) dropped = text_.find('\n', dropped) + 1;
    text_ = text_.substr(dropped);
}

std::string Dialogue::text_of(const FetchRun& run) {
    return "S: * FETCH, " + std::to_string(run.answers) + " answers, the last: UID " + std::to_string(run.last_uid) +
           " {" + std::to_string(run.last_body_bytes) + '}';
}

}  // namespace imap

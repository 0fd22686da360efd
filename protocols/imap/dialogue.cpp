#include "protocols/imap/dialogue.hpp"

#include <utility>

#include "protocols/base/text.hpp"

namespace imap {
namespace {

constexpr std::size_t lines_max = 20;
constexpr std::size_t shown_bytes_max = 200;

}  // namespace

void Dialogue::sent(std::string_view piece) { keep('C', piece.substr(0, piece.find('\r'))); }

void Dialogue::received(std::string_view line) { keep('S', line.substr(0, line.find('\r'))); }

void Dialogue::fetched(const FetchItem& item) noexcept {
    ++run_.answers;
    run_.last_uid = item.uid;
    run_.last_body_bytes = item.body_bytes;
}

std::vector<std::string> Dialogue::lines() const {
    std::vector<std::string> lines(lines_.begin(), lines_.end());
    if (run_.answers > 0) lines.push_back(text_of(run_));
    return lines;
}

void Dialogue::keep(char who, std::string_view bytes) {
    end_run();
    if (lines_.size() == lines_max) lines_.pop_front();
    lines_.push_back(std::string(1, who) + ": " + text::printable(bytes, shown_bytes_max));
}

void Dialogue::end_run() {
    if (run_.answers == 0) return;
    if (lines_.size() == lines_max) lines_.pop_front();
    lines_.push_back(text_of(std::exchange(run_, {})));
}

std::string Dialogue::text_of(const FetchRun& run) {
    return "S: * FETCH, " + std::to_string(run.answers) + " answers, the last: UID " + std::to_string(run.last_uid) +
           " {" + std::to_string(run.last_body_bytes) + '}';
}

}  // namespace imap

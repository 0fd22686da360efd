#include "bench/sink_dialogue.hpp"

#include <algorithm>
#include <utility>

#include "protocols/base/text.hpp"

namespace bench {
namespace {

constexpr std::string_view end_of_data = "\r\n.\r\n";

}  // namespace

void SinkDialogue::take(std::string_view bytes, std::string& replies) {
    while (!bytes.empty()) {
        if (reading_ == Reading::chunk || reading_ == Reading::last_chunk) {
            bytes.remove_prefix(take_chunk(bytes, replies));
        } else if (reading_ == Reading::data) {
            bytes.remove_prefix(take_data(bytes, replies));
        } else {
            const auto end = bytes.find('\n');
            line_ += bytes.substr(0, end);
            if (end == std::string_view::npos) return;
            bytes.remove_prefix(end + 1);
            const std::string line = std::exchange(line_, {});
            answer(text::trimmed(line), replies);
        }
    }
}

void SinkDialogue::answer(std::string_view line, std::string& replies) {
    if (reading_ == Reading::answer_to_auth) {
        reading_ = Reading::commands;
        logged_in_ = true;
        replies += "235 2.7.0 Welcome\r\n";
        return;
    }
    const auto words = text::split(line, ' ');
    const std::string verb = text::lowered(words.front());
    if (verb == "ehlo" || verb == "lhlo") {
        replies +=
            "250-localhost\r\n250-SIZE 157286400\r\n250-AUTH PLAIN LOGIN XOAUTH2\r\n250-8BITMIME\r\n"
            "250-ENHANCEDSTATUSCODES\r\n250-PIPELINING\r\n250 CHUNKING\r\n";
    } else if (verb == "auth" && words.size() < 3) {
        reading_ = Reading::answer_to_auth;
        replies += "334 \r\n";
    } else if (verb == "auth") {
        logged_in_ = true;
        replies += "235 2.7.0 Welcome\r\n";
    } else if (verb == "bdat" && words.size() > 1) {
        chunk_bytes_ = text::number<std::uint64_t>(words[1]).value_or(0);
        reading_ = words.size() > 2 ? Reading::last_chunk : Reading::chunk;
    } else if (verb == "data") {
        reading_ = Reading::data;
        line_ = "\r\n";
        replies += "354 Go on\r\n";
    } else if (verb == "quit") {
        leaving_ = true;
        replies += "221 2.0.0 Bye\r\n";
    } else {
        replies += "250 2.1.0 OK\r\n";
    }
}

std::size_t SinkDialogue::take_chunk(std::string_view bytes, std::string& replies) {
    const auto taken = std::min<std::uint64_t>(bytes.size(), chunk_bytes_);
    chunk_bytes_ -= taken;
    if (chunk_bytes_ == 0 && reading_ == Reading::last_chunk) mail_taken(replies);
    if (chunk_bytes_ == 0 && reading_ == Reading::chunk) replies += "250 2.0.0 OK\r\n";
    if (chunk_bytes_ == 0) reading_ = Reading::commands;
    return taken;
}

/// The end may come in pieces: the last bytes that were seen stay in `line_`.
std::size_t SinkDialogue::take_data(std::string_view bytes, std::string& replies) {
    const auto before = line_.size();
    line_ += bytes.substr(0, end_of_data.size());
    auto at = line_.find(end_of_data);
    std::size_t used = at + end_of_data.size() - before;
    if (at == std::string::npos) {
        at = bytes.find(end_of_data);
        used = at + end_of_data.size();
    }
    if (at == std::string::npos) {
        constexpr std::size_t kept = end_of_data.size() - 1;
        if (bytes.size() >= kept) line_ = bytes.substr(bytes.size() - kept);
        line_.erase(0, line_.size() - std::min(line_.size(), kept));
        return bytes.size();
    }
    line_.clear();
    reading_ = Reading::commands;
    mail_taken(replies);
    return used;
}

void SinkDialogue::mail_taken(std::string& replies) {
    ++mails_;
    replies += "250 2.0.0 OK <taken@localhost> [Hostname=localhost] Queued mail for delivery\r\n";
}

}  // namespace bench

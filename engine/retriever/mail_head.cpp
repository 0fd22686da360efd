#include "engine/retriever/mail_head.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "engine/retriever/fingerprint.hpp"
#include "protocols/base/text.hpp"
#include "protocols/imap/types.hpp"
#include "protocols/mime/headers.hpp"

namespace retriever {
namespace {

/// The header section with the empty line behind it.
std::string_view header_section(std::string_view front) noexcept {
    if (front.starts_with("\r\n")) return front.substr(0, 2);
    const auto end = front.find("\r\n\r\n");
    return end == std::string_view::npos ? front : front.substr(0, end + 4);
}

/// "Mon, 2 Nov 2026 10:00:00 +0100 (CET)". RFC 5322 §3.3.
std::optional<store::Millis> read_date(std::string_view field) {
    const std::string line = mime::unfolded(field);
    std::string_view rest = line;
    if (const auto comma = rest.find(','); comma != std::string_view::npos) rest.remove_prefix(comma + 1);
    std::vector<std::string_view> words;
    for (const auto word : text::split(text::trimmed(rest), ' ')) {
        if (!word.empty()) words.push_back(word);
    }
    if (words.size() < 4) return std::nullopt;
    const bool has_offset = words.size() > 4 && (words[4].starts_with('+') || words[4].starts_with('-'));
    const std::string time = words[3].size() == 5 ? fmt::format("{}:00", words[3]) : std::string(words[3]);
    const auto seconds = imap::read_internal_date(fmt::format("{:>2}-{}-{} {} {}", words[0], words[1], words[2], time,
                                                              has_offset ? words[4] : std::string_view("+0000")));
    if (!seconds) return std::nullopt;
    return store::Millis(std::chrono::seconds(*seconds));
}

}  // namespace

MailHead read_mail_head(std::string_view front) {
    const auto section = header_section(front);
    const auto facts = mime::scan_headers(section);
    MailHead head;
    head.fingerprint = fingerprint_of(section, {});
    head.proves = proves_identity(section);
    head.date = read_date(facts.date);
    return head;
}

}  // namespace retriever

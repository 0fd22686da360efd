#include "tests/support/imap_user.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "tools/rohrpost-sim/imap_command.hpp"

namespace support {

namespace {

constexpr std::size_t unanswered_max = 100;  // so that neither side's socket fills up

/// The literal in an answer line, which holds one at most.
std::string literal_in(const std::string& line) {
    const std::size_t end = line.find("\r\n");
    const auto literal = end == std::string::npos ? std::nullopt : sim::announced_literal(line.substr(0, end));
    return literal ? line.substr(end + 2, literal->bytes) : std::string();
}

}  // namespace

ImapUser::ImapUser(std::uint16_t port, const std::filesystem::path& ca_file, const std::string& user,
                   std::string_view password)
    : client_(port, ca_file) {
    client_.line();
    must(fmt::format("LOGIN {} \"{}\"", user, password));
    for (const std::string& line : must("CAPABILITY"))
        if (line.starts_with("* CAPABILITY ")) capabilities_ = line + " ";
}

bool ImapUser::can(std::string_view capability) const {
    return capabilities_.find(fmt::format(" {} ", capability)) != std::string::npos;
}

std::vector<std::string> ImapUser::must(const std::string& command) {
    auto lines = client_.ask(command);
    const std::string& last = lines.back();
    if (last.find(" OK") != last.find(' '))
        throw std::runtime_error(fmt::format("{}: {}", command.substr(0, command.find('\r')), last));
    return lines;
}

void ImapUser::append(const std::string& folder, const std::vector<std::string>& messages, const std::string& date) {
    const std::string when = date.empty() ? "" : fmt::format("\"{}\" ", date);
    const bool at_once = can("LITERAL+");
    std::size_t unanswered = 0;
    const auto take_answers = [&] {
        while (unanswered > 0) {
            const std::string answer = client_.line();
            if (answer.starts_with("* ")) continue;
            if (!answer.starts_with("a OK")) throw std::runtime_error("APPEND: " + answer);
            --unanswered;
        }
    };
    for (const std::string& message : messages) {
        client_.say(fmt::format("a APPEND {} {}{{{}{}}}", folder, when, message.size(), at_once ? "+" : ""));
        if (!at_once) {
            const std::string answer = client_.line();
            if (!answer.starts_with("+")) throw std::runtime_error("APPEND: " + answer);
        }
        client_.say(message);
        ++unanswered;
        if (!at_once || unanswered == unanswered_max) take_answers();
    }
    take_answers();
}

std::vector<std::string> ImapUser::bodies(const std::string& folder) {
    must("EXAMINE " + folder);
    std::vector<std::string> all;
    for (const std::string& line : must("UID FETCH 1:* (BODY.PEEK[])"))
        if (line.find(" FETCH (") != std::string::npos) all.push_back(literal_in(line));
    return all;
}

void ImapUser::remove(const std::string& folder, const std::string& uids) {
    must("SELECT " + folder);
    must(fmt::format("UID STORE {} +FLAGS.SILENT (\\Deleted)", uids));
    must("EXPUNGE");
}

}  // namespace support

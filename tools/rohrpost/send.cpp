#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <cstdio>

#include "engine/config/flags.hpp"
#include "tools/rohrpost/caller.hpp"
#include "tools/rohrpost/commands.hpp"
#include "tools/rohrpost/exit.hpp"
#include "tools/rohrpost/input.hpp"

namespace cli {
namespace {

/// What sendmail takes and what changes nothing here: -oi and -i are one, -bm is what we do.
bool means_nothing(const std::string& word) {
    static constexpr std::array<std::string_view, 8> ignored{"-bm", "-em", "-ep", "-n", "-v", "-U", "-odi", "-odb"};
    return std::find(ignored.begin(), ignored.end(), word) != ignored.end() || word.starts_with("-B") ||
           (word.starts_with("-o") && word != "-oi" && !word.starts_with("-od"));
}

Words without_the_meaningless(Words words) {
    const auto end = std::find(words.begin(), words.end(), "--");
    words.erase(std::remove_if(words.begin(), end, means_nothing), end);
    std::replace(words.begin(), words.end(), std::string("-oi"), std::string("-i"));
    return words;
}

/// The options that stand in the document when a mail comes as JSON.
constexpr std::array said_in_document{"-f", "-t", "--key", "--lane", "--not-before", "--life", "RECIPIENT"};

control::Request letter_in(const std::string& file) {
    control::Request request;
    request.method = "POST";
    request.target = "/v1/submissions";
    request.type = "application/json";
    request.body = text_in(file);
    return request;
}

int tell(const std::string& body, bool json) {
    fmt::print("{}\n", json ? body : std::string(boost::json::parse(body).at("id").as_string()));
    return EX_OK;
}

std::string standard_input() {
    std::string message;
    std::array<char, 65536> piece{};
    while (const auto got = std::fread(piece.data(), 1, piece.size(), stdin)) message.append(piece.data(), got);
    if (std::ferror(stdin) != 0) throw Failure(EX_IOERR, "standard input cannot be read");
    return message;
}

/// Without -i a line with a dot alone ends the message.
void end_at_lone_dot(std::string& message) {
    for (std::size_t at = 0; at < message.size();) {
        const auto end = std::min(message.find('\n', at), message.size());
        const std::string_view line = std::string_view(message).substr(at, end - at);
        if (line == "." || line == ".\r") {
            message.resize(at);
            return;
        }
        at = end + 1;
    }
}

}  // namespace

int send_command(Words words) {
    std::string data, from, name, key, document, lane = "interactive";
    std::vector<std::string> recipients;
    std::uint64_t not_before = 0, life_hours = 48;
    bool of_headers = false, ignore_dots = false, json = false;
    CLI::App app(
        "Reads a message from standard input and queues it; once its id is printed, it is safe on disk. Works as "
        "sendmail -t -i -f does. The sender picks the mailbox: one of its submit.from.",
        "rohrpost send");
    config::declare_data(app, data);
    app.add_option("-f,-r,--from", from, "Sender (envelope); default: the Sender or From of the message");
    app.add_option("-F", name, "Full name; taken for the sake of sendmail's callers, not used");
    app.add_flag("-t,--to-headers", of_headers, "Recipients are those of To, Cc and Bcc, and those named here");
    app.add_flag("-i", ignore_dots, "A line with a dot alone does not end the message");
    app.add_option("RECIPIENT", recipients, "Addresses");
    app.add_option("--key", key, "Idempotency key: the same key again gives the same submission, sent once");
    app.add_option("--lane", lane, "What overtakes what: alarm, interactive, bulk")
        ->check(CLI::IsMember({"alarm", "interactive", "bulk"}))
        ->capture_default_str();
    app.add_option("--not-before", not_before, "Unix time in seconds before which it is not sent");
    app.add_option("--life", life_hours, "Hours after which a message that is put off again and again has failed")
        ->check(CLI::Range(1, 720))
        ->capture_default_str();
    auto* compose = app.add_option("--compose", document,
                                   "Takes the mail as JSON from this file (-: standard input) instead of a message: "
                                   "from, to, subject, text, html, attachments, …; docs/sending.md")
                        ->type_name("FILE");
    for (const char* option : said_in_document) compose->excludes(app.get_option(option));
    app.add_flag("--json", json, "Print JSON: id, mailbox");
    if (!parse(app, without_the_meaningless(std::move(words)))) return EX_OK;
    if (!document.empty()) return tell(accepted(caller_for(data, {})->call(letter_in(document))), json);
    if (recipients.empty() && !of_headers)
        throw Failure(EX_USAGE, "name recipients, or take those of the message with -t");
    const auto caller = caller_for(data, {});
    control::Request request;
    request.method = "POST";
    request.target = fmt::format("/v1/submissions?lane={}&life_s={}", lane, life_hours * 3600);
    if (!from.empty()) request.target += "&from=" + encoded(from);
    if (!recipients.empty()) request.target += "&to=" + encoded(fmt::format("{}", fmt::join(recipients, ",")));
    if (of_headers) request.target += "&to_headers=yes";
    if (!key.empty()) request.target += "&key=" + encoded(key);
    if (not_before > 0) request.target += fmt::format("&not_before_ms={}", not_before * 1000);
    request.body = standard_input();
    if (!ignore_dots) end_at_lone_dot(request.body);
    return tell(accepted(caller->call(std::move(request))), json);
}

}  // namespace cli

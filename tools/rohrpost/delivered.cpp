#include "tools/rohrpost/delivered.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "engine/retriever/shadow_identity.hpp"
#include "engine/retriever/shadow_list.hpp"
#include "protocols/base/text.hpp"
#include "protocols/mime/headers.hpp"
#include "tools/rohrpost/exit.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;

std::string line_of_head(const std::string& head, std::optional<store::Millis> at) {
    auto identity = retriever::shadow_identity_of(head);
    return retriever::line_of({std::move(identity.message_id), identity.fingerprint, at});
}

/// Lines up to the first empty one.
std::string head_in(std::istream& input) {
    std::string head;
    for (std::string line; std::getline(input, line) && head.size() < mime::header_bytes_max;) {
        head += line + '\n';
        if (line.empty() || line == "\r") break;
    }
    return head;
}

/// Names in a Maildir begin with the time of the delivery.
std::optional<store::Millis> delivered_at(const std::string& file_name) {
    constexpr std::size_t digits_min = 9;  // others are no such times
    const auto digits = file_name.find_first_not_of("0123456789");
    if (digits == std::string::npos || digits < digits_min || file_name[digits] != '.') return std::nullopt;
    return retriever::read_time(file_name.substr(0, digits));
}

void read_maildir(const fs::path& maildir, std::string& into) {
    std::vector<fs::path> mails;
    bool any = false;
    for (const auto* part : {"cur", "new"}) {
        std::error_code wrong;
        const fs::directory_iterator entries(maildir / part, wrong);
        if (wrong == std::errc::no_such_file_or_directory) continue;
        if (wrong) throw Failure(EX_NOINPUT, fmt::format("{}: {}", (maildir / part).string(), wrong.message()));
        any = true;
        for (const auto& entry : entries)
            if (!entry.path().filename().string().starts_with('.')) mails.push_back(entry.path());
    }
    if (!any) throw Failure(EX_NOINPUT, maildir.string() + ": no Maildir: it has neither cur nor new");
    std::sort(mails.begin(), mails.end());
    for (const auto& path : mails) {
        std::ifstream mail(path, std::ios::binary);
        if (!mail) throw Failure(EX_NOINPUT, path.string() + ": cannot be read");
        into += line_of_head(head_in(mail), delivered_at(path.filename().string()));
    }
}

/// "From a@b Fri Nov 27 10:00:00 2026": with a time, as a line of a body hardly has.
bool begins_mail(std::string_view line) {
    if (!line.starts_with("From ")) return false;
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    for (auto at = line.find(':', 1); at != std::string_view::npos; at = line.find(':', at + 1))
        if (at + 1 < line.size() && is_digit(line[at - 1]) && is_digit(line[at + 1])) return true;
    return false;
}

/// The first of `lines` is read already. Every "From " behind an empty line begins a mail. RFC 4155.
void read_mbox(std::istream& lines, std::string& into) {
    std::string head, line;
    bool in_head = true, was_empty = false;
    const auto end_mail = [&] {
        into += line_of_head(head, std::nullopt);
        head.clear();
    };
    while (std::getline(lines, line)) {
        const bool begins = was_empty && begins_mail(line);
        if (begins) end_mail();
        was_empty = line.empty() || line == "\r";
        if (begins) {
            in_head = true;
        } else if (in_head) {
            if (head.size() < mime::header_bytes_max) head += line + '\n';
            in_head = !was_empty;
        }
    }
    end_mail();
}

void read_file(std::istream& input, std::string& into) {
    std::string line;
    bool first = true;
    while (std::getline(input, line)) {
        if (first && begins_mail(line)) return read_mbox(input, into);
        first = false;
        into += line + '\n';
    }
}

}  // namespace

std::string delivered_in(const std::vector<std::string>& places) {
    std::string list;
    for (const auto& place : places) {
        std::error_code wrong;
        if (place == "-") {
            read_file(std::cin, list);
        } else if (fs::is_directory(place, wrong)) {
            read_maildir(place, list);
        } else {
            std::ifstream file(place, std::ios::binary);
            if (!file) throw Failure(EX_NOINPUT, place + ": cannot be read");
            read_file(file, list);
        }
    }
    return list;
}

}  // namespace cli

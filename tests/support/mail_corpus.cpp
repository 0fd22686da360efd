#include "tests/support/mail_corpus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/support/places.hpp"

namespace support {
namespace {

/// A line of a mail: \xNN, \t, \\; \c at its end: no CRLF follows.
std::string line_of(std::string_view text) {
    std::string line;
    while (!text.empty()) {
        if (text == "\\c") return line;
        if (text.front() != '\\') {
            line += text.front();
            text.remove_prefix(1);
        } else if (text.starts_with("\\x") && text.size() >= 4) {
            line += static_cast<char>(std::stoi(std::string(text.substr(2, 2)), nullptr, 16));
            text.remove_prefix(4);
        } else if (text.starts_with("\\t") || text.starts_with("\\\\")) {
            line += text[1] == 't' ? '\t' : '\\';
            text.remove_prefix(2);
        } else {
            throw std::runtime_error("an unknown escape: " + std::string(text));
        }
    }
    return line + "\r\n";
}

void read_file(const std::filesystem::path& path, std::vector<CorpusMail>& mails) {
    std::ifstream file(path);
    CorpusMail mail;
    std::string line;
    while (std::getline(file, line)) {
        if (line.starts_with("mail: ")) {
            mail = {path.filename().string(), line.substr(6), {}, {}};
        } else if (line.starts_with('|')) {
            mail.bytes += line_of(std::string_view(line).substr(1));
        } else if (line.starts_with("expect: ")) {
            mail.expected = boost::json::parse(line.substr(8)).as_object();
            mails.push_back(std::move(mail));
        } else if (!line.empty() && !line.starts_with('#')) {
            throw std::runtime_error(fmt::format("{}: {}", path.string(), line));
        }
    }
}

}  // namespace

std::vector<CorpusMail> mail_corpus() {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(source_directory() + "/tests/corpus/mime")) {
        if (entry.path().extension() == ".txt") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    std::vector<CorpusMail> mails;
    for (const auto& path : files) read_file(path, mails);
    return mails;
}

std::string difference(const boost::json::value& expected, const boost::json::value& found, std::string_view at) {
    if (expected.is_object() && found.is_object()) {
        for (const auto& [key, value] : expected.as_object()) {
            const std::string_view name(key.data(), key.size());
            const auto path = at.empty() ? std::string(name) : fmt::format("{}.{}", at, name);
            const auto* other = found.as_object().if_contains(key);
            if (other == nullptr) return path + " is not there";
            if (auto differs = difference(value, *other, path); !differs.empty()) return differs;
        }
        return {};
    }
    if (expected.is_array() && found.is_array() && expected.as_array().size() == found.as_array().size()) {
        for (std::size_t place = 0; place < expected.as_array().size(); ++place) {
            auto differs =
                difference(expected.as_array()[place], found.as_array()[place], fmt::format("{}[{}]", at, place));
            if (!differs.empty()) return differs;
        }
        return {};
    }
    if (expected == found) return {};
    return fmt::format("{} is {} and not {}", at, boost::json::serialize(found), boost::json::serialize(expected));
}

}  // namespace support

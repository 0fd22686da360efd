#include "tests/support/transcript.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/support/places.hpp"

namespace support {
namespace {

std::filesystem::path folder_of_transcripts() {
    return std::filesystem::path(source_directory()) / "tests/transcripts";
}

}  // namespace

Transcript load_transcript(std::string_view name) {
    using Who = ScriptedStream::Turn::Who;
    const auto path = folder_of_transcripts() / name;
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("no transcript " + path.string());
    Transcript turns;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line.starts_with('#')) continue;
        const std::string mark = line.substr(0, 2);
        if (mark == "T:") {
            turns.push_back({Who::time});
        } else if (mark == "S:" || mark == "C:") {
            const std::string said = line.size() > 3 ? line.substr(3) : std::string();
            turns.push_back({mark == "S:" ? Who::server : Who::client, said + "\r\n"});
        } else {
            throw std::runtime_error(path.string() + ": not a turn: " + line);
        }
    }
    return turns;
}

Transcript cut_after(const Transcript& transcript, std::size_t turns) {
    return {transcript.begin(), transcript.begin() + static_cast<std::ptrdiff_t>(turns)};
}

std::vector<std::string> transcripts_in(std::string_view folder) {
    std::vector<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(folder_of_transcripts() / folder))
        names.push_back(std::string(folder) + '/' + file.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace support

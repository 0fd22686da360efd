#include "tools/rohrpost/input.hpp"

#include <fstream>
#include <iostream>

#include "engine/config/import.hpp"
#include "engine/config/sources.hpp"
#include "tools/rohrpost/exit.hpp"

namespace cli {
namespace {

std::string whole(std::istream& input) {
    std::string bytes(64 * 1024, '\0');
    std::string text;
    while (input && text.size() <= config::document_bytes_max) {
        input.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        text.append(bytes, 0, static_cast<std::size_t>(input.gcount()));
    }
    return text;
}

}  // namespace

std::string text_in(const std::string& file) {
    if (file == "-") return whole(std::cin);
    const std::string wrong =
        config::LocalSources(std::filesystem::current_path()).unreadable(std::filesystem::absolute(file).string());
    if (!wrong.empty()) throw Failure(EX_NOINPUT, wrong);
    std::ifstream input(file, std::ios::binary);
    return whole(input);
}

}  // namespace cli

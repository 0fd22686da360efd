#include "engine/config/sources.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace config {

Sources::Found LocalSources::file(const std::string& path) const {
    const std::string full = located(path);
    std::string wrong = unreadable(full);
    if (!wrong.empty()) return {{}, std::move(wrong)};
    std::ifstream input(full, std::ios::binary);
    std::string bytes(file_bytes_max + 1, '\0');
    input.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(input.gcount()));
    if (input.bad()) return {{}, "the file \"" + full + "\" cannot be read"};
    if (bytes.size() > file_bytes_max) return {{}, "the file \"" + full + "\" is longer than 64 KiB"};
    if (bytes.ends_with('\n')) bytes.pop_back();
    if (bytes.ends_with('\r')) bytes.pop_back();
    if (bytes.empty()) return {{}, "the file \"" + full + "\" is empty"};
    return {Secret(std::move(bytes)), {}};
}

Sources::Found LocalSources::variable(const std::string& name) const {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return {{}, "the environment variable " + name + " is not set"};
    if (*value == '\0') return {{}, "the environment variable " + name + " is empty"};
    return {Secret(value), {}};
}

std::string LocalSources::located(const std::string& path) const {
    return std::filesystem::absolute(folder_ / path).lexically_normal().string();
}

std::string LocalSources::unreadable(const std::string& path) const {
    std::error_code wrong;
    if (std::filesystem::is_directory(path, wrong)) return "\"" + path + "\" is a folder, expected a file";
    if (::access(path.c_str(), R_OK) == 0) return {};
    return "the file \"" + path + "\" cannot be read (" + std::strerror(errno) + ")";
}

Sources::Found NoSources::file(const std::string&) const {
    return {{}, "files are not read for the API, expected {\"value\": …} or {\"sealed\": true}"};
}

Sources::Found NoSources::variable(const std::string&) const {
    return {{}, "environment variables are not read for the API, expected {\"value\": …} or {\"sealed\": true}"};
}

std::string NoSources::located(const std::string& path) const { return path.starts_with('/') ? path : std::string(); }

std::string NoSources::unreadable(const std::string&) const { return {}; }

}  // namespace config

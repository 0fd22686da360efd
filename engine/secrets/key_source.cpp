#include "engine/secrets/key_source.hpp"

#include <openssl/crypto.h>

#include <cstring>

namespace secrets {
namespace {

constexpr const char* key_variable = "ROHRPOST_KEY";
constexpr const char* credential_name = "rohrpost-key";

}  // namespace

std::string KeySource::name() const {
    switch (kind) {
        case Kind::variable:
            return std::string("the environment variable ") + key_variable;
        case Kind::credential:
            return std::string("the systemd credential ") + credential_name;
        case Kind::file:
            break;
    }
    return "the key file " + file.string();
}

KeySource find_key(const std::string& key_file, const std::string& data, char* (*variable)(const char* name)) {
    if (!key_file.empty()) return KeySource(key_file);
    if (char* text = variable(key_variable); text != nullptr && *text != '\0') {
        KeySource source(KeySource::Kind::variable, {}, Secret(text));
        OPENSSL_cleanse(text, std::strlen(text));
        return source;
    }
    if (const char* folder = variable("CREDENTIALS_DIRECTORY"); folder != nullptr && *folder != '\0') {
        const auto path = std::filesystem::path(folder) / credential_name;
        std::error_code wrong;
        if (std::filesystem::exists(path, wrong)) return {KeySource::Kind::credential, path, {}};
    }
    return KeySource(std::filesystem::path(data) / "key");
}

}  // namespace secrets

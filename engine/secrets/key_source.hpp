#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "protocols/base/secret.hpp"

namespace secrets {

/// Where the key of a store comes from.
struct KeySource {
    enum class Kind {
        file,        // made by the first start, changed in place by a rotation
        variable,    // $ROHRPOST_KEY
        credential,  // a file that systemd hands over: LoadCredential=rohrpost-key:…
    };
    /// A key file.
    KeySource(std::filesystem::path path) : file(std::move(path)) {}  // NOLINT(google-explicit-constructor)
    KeySource(Kind kind_of, std::filesystem::path path, Secret written)
        : kind(kind_of), file(std::move(path)), text(std::move(written)) {}

    Kind kind = Kind::file;
    std::filesystem::path file;  // empty for a variable
    Secret text;                 // of a variable
    /// For people: "the key file /var/lib/rohrpost/key".
    [[nodiscard]] std::string name() const;
};

/// The first that there is of: `key_file` (empty: not given), the environment variable ROHRPOST_KEY, the systemd
/// credential rohrpost-key, the file `key` in the folder `data`. The variable's text is wiped from the environment: no
/// child inherits it, and /proc does not show it.
KeySource find_key(const std::string& key_file, const std::string& data,
                   char* (*variable)(const char* name) = &std::getenv);

}  // namespace secrets

#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "protocols/base/secret.hpp"

namespace config {

/// Where an import document's files and environment variables come from.
class Sources {
public:
    /// What was found, or in words why not.
    struct Found {
        Secret value;
        std::string wrong;  // empty: found
    };

    virtual ~Sources() = default;
    [[nodiscard]] virtual Found file(const std::string& path) const = 0;
    [[nodiscard]] virtual Found variable(const std::string& name) const = 0;
    /// `path` made absolute; empty when relative paths mean nothing here.
    [[nodiscard]] virtual std::string located(const std::string& path) const = 0;
    /// Why the file at an absolute path cannot be read, in words; empty when it can, or when that is not asked here.
    [[nodiscard]] virtual std::string unreadable(const std::string& path) const = 0;
};

/// The files and the environment of this process; relative paths count from `folder`.
class LocalSources final : public Sources {
public:
    static constexpr std::size_t file_bytes_max = 64 * 1024;

    explicit LocalSources(std::filesystem::path folder) : folder_(std::move(folder)) {}
    /// A trailing line end is not part of the secret.
    [[nodiscard]] Found file(const std::string& path) const override;
    [[nodiscard]] Found variable(const std::string& name) const override;
    [[nodiscard]] std::string located(const std::string& path) const override;
    [[nodiscard]] std::string unreadable(const std::string& path) const override;

private:
    std::filesystem::path folder_;
};

/// For a document that came through the API: no file and no variable of the daemon is read for a caller.
class NoSources final : public Sources {
public:
    [[nodiscard]] Found file(const std::string& path) const override;
    [[nodiscard]] Found variable(const std::string& name) const override;
    [[nodiscard]] std::string located(const std::string& path) const override;
    [[nodiscard]] std::string unreadable(const std::string& path) const override;
};

}  // namespace config

#pragma once

#include <string>
#include <vector>

#include "tests/support/line_client.hpp"

namespace support {

/// Somebody with an ordinary mail program, logged in with a password: puts mail into folders, and sees what the server
/// itself serves. Folder names as they go over the wire. Throws std::runtime_error with the server's words when
/// something is refused.
class ImapUser {
public:
    ImapUser(std::uint16_t port, const std::filesystem::path& ca_file, const std::string& user,
             std::string_view password);

    /// The lines of the answer, which is OK.
    std::vector<std::string> must(const std::string& command);
    /// In this order, with that INTERNALDATE; empty: now.
    void append(const std::string& folder, const std::vector<std::string>& messages, const std::string& date = "");
    /// All bodies, in order of UID.
    std::vector<std::string> bodies(const std::string& folder);
    /// By UID set.
    void remove(const std::string& folder, const std::string& uids);
    [[nodiscard]] bool can(std::string_view capability) const;

private:
    LineClient client_;
    std::string capabilities_;
};

}  // namespace support

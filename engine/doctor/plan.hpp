#pragma once
/// Whom the doctor is to look at, and what is known of them without asking anybody.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/config/faults.hpp"
#include "engine/config/model.hpp"
#include "protocols/base/clock.hpp"

namespace doctor {

/// A folder of which the ledger knows that something is wrong.
struct SickFolder {
    std::string name;
    std::string frozen;        // the reason; empty: it is not
    std::size_t stuck = 0;     // messages that the server lists and does not deliver
    std::string stuck_reason;  // of the first of them
};

struct Patient {
    config::Mailbox mailbox;
    std::string paused;                  // the operator's reason; empty: not paused
    std::string state, reason;           // of a running daemon's session; no reason: it is served
    std::optional<WallTime> last_proof;  // when it last worked there
    std::vector<SickFolder> folders;
};

/// A browser that came back from a provider and found no sign-in of its own.
struct StrayCallback {
    std::string address;  // where it came to, without the query
    WallTime at{};
};

struct Plan {
    std::map<std::string, config::Provider> providers;
    std::map<std::string, config::Credential> credentials;
    std::vector<Patient> patients;  // in order of id
    config::Faults faults;          // what config::check() says of all that is stored
    std::string redirect_uri;       // of the console; empty: not known
    std::optional<StrayCallback> stray;
};

/// Whose servers they are, as far as it matters for a diagnosis.
enum class Maker { microsoft, google, other };
Maker maker_of(const config::Provider& provider);

/// Where something listens, and who vouches for it.
struct Place {
    std::string host;
    std::uint16_t port = 0;
    std::string ca_file;
    friend auto operator<=>(const Place&, const Place&) = default;
};
/// The host of a URL, with its port where one is written.
std::string authority_of(std::string_view url);
/// "imap.example:993", "[::1]:993"
std::string name_of(const Place& place);

}  // namespace doctor

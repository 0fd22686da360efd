#pragma once
/// The way to a server, from its name to its certificate: what was seen, and what that means.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/doctor/finding.hpp"
#include "engine/doctor/plan.hpp"
#include "protocols/net/tls_survey.hpp"

namespace doctor {

struct WayFacts {
    /// How a connection to one address went.
    struct Reach {
        std::string address;
        error_code fault;
    };
    Place place;
    bool proxied = false;         // a proxy resolves and connects; its answer is in `proxy`
    error_code name_fault;        // of resolving
    std::optional<Reach> v4, v6;  // absent: no such address, or not to be used
    std::optional<Reach> proxy;
    std::optional<Result<net::TlsSurvey>> tls;  // absent: no connection came about
};

/// What is expected of the server there.
struct WayExpected {
    Maker maker = Maker::other;
    std::string provider;  // its id
    WallTime now{};
};

/// Findings, and whether one gets through: then there is no fault among them.
struct Judged {
    std::vector<Finding> findings;
    bool passable = false;
};
Judged judge(const WayFacts& facts, const WayExpected& expected);

/// The id of what is known about a failure of network, TLS, HTTP or the IMAP dialogue.
std::string_view id_of(error_code fault) noexcept;

}  // namespace doctor

#pragma once
/// The identity provider over HTTPS: its configuration document, its token endpoint, and its clock beside ours.

#include "engine/doctor/way.hpp"

namespace doctor {

/// A page that is asked for with GET: nothing changes by that.
struct Page {
    enum class What { configuration, token_endpoint } what = What::configuration;
    std::string url;
    std::string provider;   // its id
    std::string token_url;  // as configured
    friend auto operator<=>(const Page&, const Page&) = default;
};
/// Those of a provider that tokens are asked of: its configuration document where its place is known, and its token
/// endpoint when that is on another host.
std::vector<Page> pages_of(const config::Provider& provider);

struct PageFacts {
    Place place;
    error_code fault;
    int status = 0;
    std::string content_type, body;
    std::optional<WallTime> date;  // the server's
    WallTime asked_at{}, answered_at{};
};

Judged judge(const Page& page, const PageFacts& facts);

}  // namespace doctor

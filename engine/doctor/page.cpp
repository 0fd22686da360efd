#include "engine/doctor/page.hpp"

#include <fmt/format.h>

#include "engine/doctor/knowledge.hpp"
#include "engine/doctor/provider_words.hpp"
#include "engine/doctor/times.hpp"
#include "protocols/base/text.hpp"
#include "protocols/http/url.hpp"
#include "protocols/jose/json.hpp"

namespace doctor {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t body_shown_max = 200;
constexpr std::size_t configuration_bytes_max = 256 * 1024;
constexpr auto skew_tolerated = 60s;
constexpr auto skew_fatal = 300s;  // oauth2::clock_skew_max

std::string host_of(std::string_view url) {
    const auto read = http::read_https_url(url);
    return read ? fmt::format("{}:{}", read->host, read->port) : std::string();
}

std::string configuration_url_of(const config::Provider& provider) {
    constexpr std::string_view entra = "/oauth2/v2.0/token";
    constexpr std::string_view document = "/.well-known/openid-configuration";
    const std::string_view token_url = provider.token_url;
    if (token_url.ends_with(entra)) {
        return fmt::format("{}/v2.0{}", token_url.substr(0, token_url.size() - entra.size()), document);
    }
    std::string_view issuer = provider.issuer;
    if (issuer.ends_with('/')) issuer.remove_suffix(1);
    const bool open = issuer.find('{') != std::string_view::npos;
    return issuer.starts_with("https://") && !open ? fmt::format("{}{}", issuer, document) : std::string();
}

/// How far our clock is from the server's; the answer was on its way for some of it.
std::chrono::seconds skew_of(const PageFacts& facts) {
    const auto earliest = std::chrono::floor<std::chrono::seconds>(facts.asked_at) - 1s;
    const auto date = std::chrono::floor<std::chrono::seconds>(*facts.date);
    if (date < earliest) return date - earliest;
    const auto latest = std::chrono::ceil<std::chrono::seconds>(facts.answered_at);
    return date > latest ? date - latest : 0s;
}

class PageJudge {
public:
    PageJudge(const Page& page, const PageFacts& facts) : page_(page), facts_(facts) {
        names_.host = name_of(facts.place);
        names_.provider = page.provider;
        did_ = fmt::format("asked for {}", page.url);
    }

    Judged judged() && {
        if (facts_.fault) {
            add(id_of(facts_.fault), did_, facts_.fault.message());
            return std::move(judged_);
        }
        clock();
        page();
        return std::move(judged_);
    }

private:
    void clock() {
        if (!facts_.date) return;
        const auto skew = skew_of(facts_);
        const auto did = fmt::format("compared this machine's clock with that of {}", names_.host);
        const auto got = fmt::format("here {}, there {}: {} {}", time_text(facts_.answered_at), time_text(*facts_.date),
                                     span_text(skew), skew < 0s ? "ahead" : "behind");
        if (std::chrono::abs(skew) <= skew_tolerated) {
            judged_.findings.push_back(fine("clock", subject(), did, "the same within a minute"));
        } else {
            add(std::chrono::abs(skew) < skew_fatal ? "clock-off" : "clock-wrong", did, got);
        }
    }
    void page() {
        const int status = facts_.status;
        const bool is_configuration = page_.what == Page::What::configuration;
        if (status == 407) return add("proxy-login", did_, answer());
        if (status == 429 || status >= 500) return add("page-failing", did_, answer());
        if (is_configuration && status == 200) return configuration();
        if (is_configuration && status == 400) return refused();
        if (status >= 300 && status < 400) return add("page-foreign", did_, answer());
        judged_.passable = true;
        judged_.findings.push_back(fine("page", subject(), did_, fmt::format("HTTP {}: it answers", status)));
    }
    /// Entra answers so when there is no such tenant.
    void refused() {
        oauth2::Refusal refusal;
        refusal.error_description = facts_.body;
        if (tokens::numbers_in(facts_.body).empty()) return add("page-foreign", did_, answer());
        judged_.findings.push_back(
            found(tokens::advice_on(refusal), {Subject::Kind::provider, page_.provider}, did_, answer(), names_));
    }
    void configuration() {
        const auto document = jose::read_object(facts_.body, configuration_bytes_max);
        const auto endpoint = document ? jose::text_at(*document, "token_endpoint") : std::string_view();
        if (endpoint.empty()) return add("page-foreign", did_, answer());
        judged_.passable = true;
        if (endpoint == page_.token_url || is_same_but_tenant(endpoint)) {
            judged_.findings.push_back(fine("page", subject(), did_, "its configuration document"));
        } else {
            add("discovery-differs", did_,
                fmt::format("token_endpoint is {}, token_url is {}", text::printable(endpoint), page_.token_url));
        }
    }
    /// Entra writes the tenant's id where its domain was asked for.
    [[nodiscard]] bool is_same_but_tenant(std::string_view endpoint) const {
        constexpr std::string_view entra = "/oauth2/v2.0/token";
        return endpoint.ends_with(entra) && page_.token_url.ends_with(entra) &&
               host_of(endpoint) == host_of(page_.token_url);
    }
    [[nodiscard]] std::string answer() const {
        return fmt::format("HTTP {} {}: {}", facts_.status, facts_.content_type,
                           text::printable(facts_.body, body_shown_max));
    }
    [[nodiscard]] Subject subject() const { return {Subject::Kind::host, names_.host}; }
    void add(std::string_view id, std::string did, std::string got) {
        judged_.findings.push_back(found(id, subject(), std::move(did), std::move(got), names_));
    }

    const Page& page_;
    const PageFacts& facts_;
    Names names_;
    std::string did_;
    Judged judged_;
};

}  // namespace

std::vector<Page> pages_of(const config::Provider& provider) {
    std::vector<Page> pages;
    if (provider.token_url.empty()) return pages;
    const auto configuration = configuration_url_of(provider);
    if (!configuration.empty()) {
        pages.push_back({Page::What::configuration, configuration, provider.id, provider.token_url});
    }
    if (configuration.empty() || host_of(configuration) != host_of(provider.token_url)) {
        pages.push_back({Page::What::token_endpoint, provider.token_url, provider.id, provider.token_url});
    }
    return pages;
}

Judged judge(const Page& page, const PageFacts& facts) { return PageJudge(page, facts).judged(); }

}  // namespace doctor

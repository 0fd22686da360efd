#include "engine/doctor/way.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "engine/doctor/knowledge.hpp"
#include "engine/doctor/times.hpp"
#include "protocols/base/text.hpp"
#include "protocols/http/errc.hpp"
#include "protocols/imap/errc.hpp"

namespace doctor {
namespace {

using namespace std::chrono_literals;

constexpr auto ends_soon = std::chrono::hours(24 * 14);
constexpr std::size_t names_shown_max = 6;

std::string_view id_of_net(net::errc fault) noexcept {
    using enum net::errc;
    switch (fault) {
        case name_not_found:
            return "dns-not-found";
        case resolver_failed:
            return "dns-failed";
        case refused:
            return "tcp-refused";
        case unreachable:
            return "tcp-unreachable";
        case timed_out:
            return "tcp-timeout";
        case tls_handshake_failed:
            return "tls-failed";
        case tls_too_old:
            return "tls-too-old";
        case certificate_expired:
            return "certificate-expired";
        case certificate_not_yet_valid:
            return "certificate-not-yet-valid";
        case certificate_self_signed:
        case certificate_unknown_ca:
            return "certificate-unknown-issuer";
        case certificate_wrong_host:
            return "certificate-wrong-name";
        case certificate_bad:
            return "certificate-bad";
        case bytes_before_tls:
            return "bytes-before-tls";
        case ca_file_unreadable:
            return "ca-file-unreadable";
        case proxy_wants_login:
            return "proxy-login";
        case proxy_refused:
        case proxy_malformed:
        case proxy_url_malformed:
            return "proxy-refused";
        case too_slow:
        case closed:
        case truncated:
        case reset:
        case stopped:
        case tls_broken:
            break;
        case out_of_reach:
        case network_malformed:
            return "webhook-network";
        case certificate_unreadable:
        case private_key_unreadable:
        case private_key_of_another:
            return "console-certificate";
    }
    return "tcp-broken";
}

std::string_view id_of_imap(imap::errc fault) noexcept {
    using enum imap::errc;
    switch (fault) {
        case preauth_refused:
            return "preauth";
        case bye:
            return "greeting-bye";
        case mechanism_not_offered:
            return "no-mechanism";
        case bad_argument:
            return "configuration";
        default:
            return "greeting-missing";
    }
}

std::string text_of(const WayFacts::Reach& reach) {
    return fmt::format("{}: {}", reach.address, reach.fault ? reach.fault.message() : "connected");
}

std::string text_of(const net::TlsSurvey& survey) {
    auto names = survey.names;
    const bool more = names.size() > names_shown_max;
    if (more) names.resize(names_shown_max);
    return fmt::format("{}; certificate for {}{} ({}), issued by {}, valid from {} to {}", survey.version,
                       names.empty() ? "no name" : fmt::format("{}", fmt::join(names, ", ")), more ? ", …" : "",
                       survey.subject, survey.issuer, time_text(survey.not_before), time_text(survey.not_after));
}

/// Whether the certificate's issuer is one of those that serve Microsoft and Google.
bool is_public_issuer(std::string_view issuer) {
    constexpr std::array<std::string_view, 6> usual{"DigiCert",   "Microsoft", "Google Trust Services",
                                                    "GlobalSign", "Baltimore", "Entrust"};
    return std::any_of(usual.begin(), usual.end(), [issuer](std::string_view name) {
        return text::find_same(issuer, name) != std::string_view::npos;
    });
}

class WayJudge {
public:
    WayJudge(const WayFacts& facts, const WayExpected& expected) : facts_(facts), expected_(expected) {
        names_.host = name_of(facts.place);
        names_.host_name = facts.place.host;
        names_.provider = expected.provider;
    }

    Judged judged() && {
        if (way() && tls()) judged_.passable = true;
        return std::move(judged_);
    }

private:
    bool way() {
        if (facts_.proxied) return proxy();
        if (facts_.name_fault) {
            const bool unknown = facts_.name_fault == net::errc::name_not_found;
            add(unknown ? "dns-not-found" : "dns-failed", resolving(), facts_.name_fault.message());
            return false;
        }
        if (!facts_.v4 && !facts_.v6) {
            add("dns-not-found", resolving(), "no address that may be used (--ip-family)");
            return false;
        }
        const bool works_v4 = facts_.v4 && !facts_.v4->fault;
        const bool works_v6 = facts_.v6 && !facts_.v6->fault;
        if (!works_v4 && !works_v6) {
            const auto& first = facts_.v4 ? *facts_.v4 : *facts_.v6;
            add(id_of(first.fault), connecting(), reached());
            return false;
        }
        if (works_v4 && facts_.v6 && !works_v6 && facts_.v6->fault != net::errc::unreachable) {
            add("ipv6-broken", connecting(), reached());
        }
        if (works_v6 && facts_.v4 && !works_v4) add("ipv4-broken", connecting(), reached());
        return true;
    }
    bool proxy() {
        if (!facts_.proxy || !facts_.proxy->fault) return true;
        add(id_of(facts_.proxy->fault), fmt::format("connected to {} through the proxy", names_.host),
            facts_.proxy->fault.message());
        return false;
    }
    bool tls() {
        if (!facts_.tls) return false;
        const auto did = fmt::format("shook hands with {}", names_.host);
        if (!*facts_.tls) {
            add(id_of(facts_.tls->error()), did, facts_.tls->error().message());
            return false;
        }
        const auto& survey = **facts_.tls;
        const auto got = text_of(survey);
        for (const auto flaw : survey.flaws) add(id_of(flaw), did, got);
        if (!survey.flaws.empty()) return false;
        if (survey.not_after < expected_.now + ends_soon) add("certificate-ends-soon", did, got);
        if (expected_.maker != Maker::other && facts_.place.ca_file.empty() && !is_public_issuer(survey.issuer)) {
            add("tls-inspected", did, got);
        }
        judged_.findings.push_back(fine("way", {Subject::Kind::host, names_.host}, connecting() + ", shook hands",
                                        fmt::format("{}; {}", reached(), got)));
        return true;
    }

    [[nodiscard]] std::string resolving() const { return fmt::format("resolved {}", facts_.place.host); }
    [[nodiscard]] std::string connecting() const { return fmt::format("connected to {}", names_.host); }
    [[nodiscard]] std::string reached() const {
        if (facts_.proxied) return "through the proxy";
        std::string text;
        for (const auto* reach : {&facts_.v4, &facts_.v6}) {
            if (*reach) text += (text.empty() ? "" : "; ") + text_of(**reach);
        }
        return text;
    }
    void add(std::string_view id, std::string did, std::string got) {
        Subject subject{Subject::Kind::host, names_.host};
        judged_.findings.push_back(found(id, std::move(subject), std::move(did), std::move(got), names_));
    }

    const WayFacts& facts_;
    const WayExpected& expected_;
    Names names_;
    Judged judged_;
};

}  // namespace

std::string_view id_of(error_code fault) noexcept {
    if (fault.category() == net::category()) return id_of_net(static_cast<net::errc>(fault.value()));
    if (fault.category() == imap::category()) return id_of_imap(static_cast<imap::errc>(fault.value()));
    if (fault.category() == http::category()) return "page-foreign";
    return "tcp-broken";
}

Judged judge(const WayFacts& facts, const WayExpected& expected) { return WayJudge(facts, expected).judged(); }

}  // namespace doctor

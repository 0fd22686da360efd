#include "engine/doctor/redaction.hpp"

#include <algorithm>

#include "protocols/sasl/oauthbearer.hpp"
#include "protocols/sasl/plain.hpp"
#include "protocols/sasl/xoauth2.hpp"

namespace doctor {
namespace {

constexpr std::size_t shown_bytes_max = 500;
constexpr std::size_t piece_bytes_min = 16;
constexpr std::size_t secret_bytes_min = 4;  // shorter ones are in every text
constexpr std::string_view stand_in = "<redacted>";

void take_out(std::string& text, std::string_view secret) {
    const std::size_t least = std::min(secret.size(), piece_bytes_min);
    if (least < secret_bytes_min) return;
    for (std::size_t at = 0; at + least <= text.size(); ++at) {
        const auto place = secret.find(std::string_view(text).substr(at, least));
        if (place == std::string_view::npos) continue;
        const auto rest = secret.substr(place);
        const auto said = std::string_view(text).substr(at);
        const auto ends = std::mismatch(said.begin(), said.end(), rest.begin(), rest.end()).first;
        text.replace(at, static_cast<std::size_t>(ends - said.begin()), stand_in);
        at += stand_in.size() - 1;
    }
}

}  // namespace

Redaction::Redaction(const imap::Login& login) : spellings_{login.secret} {
    const sasl::Endpoint endpoint{.host = login.host, .port = login.port};
    for (auto& sent : {sasl::xoauth2(login.user, login.secret), sasl::oauthbearer(login.user, endpoint, login.secret),
                       sasl::plain(login.user, login.secret)}) {
        if (sent) spellings_.push_back(*sent);
    }
}

void Redaction::in(std::string& text) const {
    if (text.size() > shown_bytes_max) text.resize(shown_bytes_max);
    for (const auto& secret : spellings_) take_out(text, secret.reveal());
}

}  // namespace doctor

/// Identities into SASL responses and base 64: what is refused is what would end a field, what is sent takes apart
/// again.

#include "protocols/base/base64.hpp"
#include "protocols/base/text.hpp"
#include "protocols/sasl/field.hpp"
#include "protocols/sasl/oauthbearer.hpp"
#include "protocols/sasl/plain.hpp"
#include "protocols/sasl/xoauth2.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

std::string clear(const Result<Secret>& response) {
    const auto decoded = base64_decoded(response->reveal());
    fuzz::expect(decoded.has_value(), "a response is base 64");
    return *decoded;
}

void base64(std::string_view input) {
    fuzz::expect(base64_decoded(base64_encoded(input)) == std::string(input), "base 64 comes back");
    fuzz::expect(base64url_decoded(base64url_encoded(input)) == std::string(input), "base 64 for URLs comes back");
    if (const auto bytes = base64_decoded(input))
        fuzz::expect(base64_encoded(*bytes) == input, "each text has one spelling");
    if (const auto bytes = base64url_decoded(input))
        fuzz::expect(base64url_encoded(*bytes) == input, "each text has one spelling for URLs");
}

void identity(std::string_view user, std::string_view secret, std::string_view host) {
    const Secret hidden{std::string(secret)};
    const bool sound = sasl::is_field(user) && sasl::is_field(secret);

    const auto plain = sasl::plain(user, hidden);
    fuzz::expect(plain.has_value() == sound, "PLAIN refuses what ends a field, nothing else");
    if (plain) {
        const std::string sent = clear(plain);
        const auto fields = text::split(sent, '\0');
        fuzz::expect(fields.size() == 3 && fields[0].empty() && fields[1] == user && fields[2] == secret,
                     "PLAIN carries user and password");
    }
    const auto xoauth2 = sasl::xoauth2(user, hidden);
    fuzz::expect(xoauth2.has_value() == sound, "XOAUTH2 refuses what ends a field, nothing else");
    if (xoauth2) {
        const std::string sent = clear(xoauth2);
        const auto fields = text::split(sent, '\x01');
        fuzz::expect(fields.size() == 4 && fields[0] == "user=" + std::string(user) &&
                         fields[1] == "auth=Bearer " + std::string(secret) && fields[2].empty() && fields[3].empty(),
                     "XOAUTH2 carries user and token");
    }
    const auto bearer = sasl::oauthbearer(user, {.host = host, .port = 993}, hidden);
    fuzz::expect(bearer.has_value() == (sound && (host.empty() || sasl::is_field(host))),
                 "OAUTHBEARER refuses what ends a field, nothing else");
    if (bearer) {
        const std::string sent = clear(bearer);
        const auto fields = text::split(sent, '\x01');
        fuzz::expect(fields.size() == (host.empty() ? 4 : 6), "OAUTHBEARER has its fields");
        fuzz::expect(fields.front() == "n,a=" + sasl::saslname(user) + ",", "OAUTHBEARER carries the user");
        fuzz::expect(text::split(fields.front(), ',').size() == 3, "a user cannot end the GS2 header");
        fuzz::expect(fields[fields.size() - 3] == "auth=Bearer " + std::string(secret),
                     "OAUTHBEARER carries the token");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    auto input = fuzz::text_of(bytes, size);
    base64(input);
    const auto user = fuzz::take_line(input);
    const auto host = fuzz::take_line(input);
    identity(user, input, host);
    return 0;
}

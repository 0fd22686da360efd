/// What a token endpoint says. Input: the HTTP status on a line of its own, then the body.

#include <algorithm>
#include <boost/json.hpp>

#include "protocols/base/text.hpp"
#include "protocols/oauth2/response.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

constexpr std::size_t text_bytes_max = 4096;
constexpr std::chrono::hours year_and_a_day{366 * 24};

bool visible(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string printed(const oauth2::Grant& grant) {
    boost::json::object object{{"access_token", grant.access_token.reveal()}};
    if (grant.expires_in) object["expires_in"] = grant.expires_in->count();
    if (grant.refresh_token) object["refresh_token"] = grant.refresh_token->reveal();
    if (grant.id_token) object["id_token"] = grant.id_token->reveal();
    object["scope"] = grant.scope;
    object["token_type"] = grant.token_type;
    return boost::json::serialize(object);
}

std::string_view shown(const std::optional<Secret>& secret) { return secret ? secret->reveal() : std::string_view(); }

void check(const oauth2::Grant& grant) {
    fuzz::expect(!grant.access_token.reveal().empty() && visible(grant.access_token.reveal()),
                 "a token is visible ASCII");
    fuzz::expect(grant.scope.size() <= text_bytes_max && grant.token_type.size() <= text_bytes_max, "texts are cut");
    if (grant.expires_in)
        fuzz::expect(*grant.expires_in <= year_and_a_day && *grant.expires_in >= -year_and_a_day,
                     "no token lives longer than a year");
    const auto answer = oauth2::read_answer(200, printed(grant), {});
    const auto* again = std::get_if<oauth2::Grant>(&answer);
    fuzz::expect(again != nullptr, "a printed grant reads");
    fuzz::expect(again->access_token.reveal() == grant.access_token.reveal() &&
                     shown(again->refresh_token) == shown(grant.refresh_token) &&
                     shown(again->id_token) == shown(grant.id_token) && again->expires_in == grant.expires_in &&
                     again->scope == grant.scope && again->token_type == grant.token_type,
                 "a grant prints and reads to the same");
}

void check(const oauth2::Refusal& refusal) {
    for (const auto* text : {&refusal.error, &refusal.suberror, &refusal.error_description, &refusal.timestamp,
                             &refusal.trace_id, &refusal.correlation_id})
        fuzz::expect(text->size() <= text_bytes_max, "texts are cut");
    fuzz::expect(refusal.error_codes.size() <= 16, "error codes are cut");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    auto input = fuzz::text_of(bytes, size);
    const int status = text::number<int>(fuzz::take_line(input)).value_or(200);
    const auto answer = oauth2::read_answer(status, input, {});
    if (const auto* grant = std::get_if<oauth2::Grant>(&answer)) {
        fuzz::expect(status >= 200 && status < 300, "only a success issues a token");
        check(*grant);
    } else {
        check(std::get<oauth2::Refusal>(answer));
    }
    return 0;
}

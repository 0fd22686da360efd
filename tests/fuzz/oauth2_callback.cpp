/// The query that a browser brings back from the sign-in page: what is taken is bounded and prints and reads to the
/// same.

#include <algorithm>

#include "protocols/oauth2/callback.hpp"
#include "protocols/oauth2/form.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

bool plain(std::string_view text) {
    return text.size() <= 8192 && std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

struct Parts {
    std::string state, issuer, code, error, suberror, description;
    bool operator==(const Parts&) const = default;
};

Parts parts_of(const oauth2::Callback& callback) {
    Parts parts{
        .state = callback.state, .issuer = callback.issuer, .code = {}, .error = {}, .suberror = {}, .description = {}};
    if (const auto* code = std::get_if<Secret>(&callback.code)) {
        parts.code = code->reveal();
    } else {
        const auto& refusal = std::get<oauth2::Refusal>(callback.code);
        parts.error = refusal.error;
        parts.suberror = refusal.suberror;
        parts.description = refusal.error_description;
    }
    return parts;
}

std::string printed(const Parts& parts) {
    std::vector<oauth2::Field> fields{{"state", parts.state}};
    for (const auto& [name, value] :
         {oauth2::Field{"iss", parts.issuer}, oauth2::Field{"code", parts.code}, oauth2::Field{"error", parts.error},
          oauth2::Field{"error_subcode", parts.suberror}, oauth2::Field{"error_description", parts.description}}) {
        if (!value.empty()) fields.emplace_back(name, value);
    }
    return oauth2::query_of(fields);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto input = fuzz::text_of(bytes, size);
    const std::string redirect = "https://mail.test/oauth/callback";
    const auto callback = oauth2::read_callback(input);
    const auto pasted = oauth2::read_pasted(input, redirect);
    fuzz::expect(!pasted || input.find(redirect + "?") != std::string_view::npos ||
                     input.find(redirect + "/?") != std::string_view::npos,
                 "what is pasted answers our redirect URI");
    if (!callback) return 0;
    const auto parts = parts_of(*callback);
    fuzz::expect(!parts.state.empty() && plain(parts.state) && plain(parts.issuer) && plain(parts.code),
                 "state, issuer and code are plain");
    fuzz::expect(parts.code.empty() != parts.error.empty(), "there is a code, or an error");
    fuzz::expect(parts.description.size() <= 4096 && parts.suberror.size() <= 4096, "texts are cut");
    const auto text = printed(parts);
    if (text.size() > oauth2::query_bytes_max) return 0;  // printing may need more bytes than the input had
    const auto again = oauth2::read_callback(text);
    fuzz::expect(again.has_value() && parts_of(*again) == parts, "a callback prints and reads to the same");
    const std::vector<std::string> issuers{"https://login.test/{tenantid}/v2.0", "https://accounts.test"};
    const bool ours = parts.issuer.empty() || parts.issuer == issuers[1] ||
                      (parts.issuer.starts_with("https://login.test/") && parts.issuer.ends_with("/v2.0"));
    fuzz::expect(ours || check_issuer(*callback, issuers).has_error(), "another issuer is refused");
    return 0;
}

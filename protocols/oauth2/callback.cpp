#include "protocols/oauth2/callback.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "protocols/base/text.hpp"
#include "protocols/oauth2/errc.hpp"
#include "protocols/oauth2/issuer.hpp"

namespace oauth2 {
namespace {

constexpr std::size_t parameters_max = 32;
constexpr std::size_t name_bytes_max = 64;
constexpr std::size_t code_bytes_max = 8U << 10U;
constexpr std::size_t word_bytes_max = 512;  // state, iss, error
constexpr std::size_t text_bytes_max = 4U << 10U;

using Parameters = std::map<std::string, Secret, std::less<>>;

std::optional<unsigned> digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    return std::nullopt;
}

/// nullopt: a % without two digits, or a byte that no URL holds.
std::optional<std::string> decoded(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const auto code = static_cast<unsigned char>(c);
        if (code <= 0x20 || code >= 0x7f) return std::nullopt;
        if (c != '%') {
            out += c == '+' ? ' ' : c;
            continue;
        }
        const auto high = i + 1 < text.size() ? digit(text[i + 1]) : std::nullopt;
        const auto low = i + 2 < text.size() ? digit(text[i + 2]) : std::nullopt;
        if (!high || !low) return std::nullopt;
        out += static_cast<char>(*high * 16 + *low);
        i += 2;
    }
    return out;
}

Result<Parameters> read_parameters(std::string_view query) {
    if (query.size() > query_bytes_max) return errc::query_too_long;
    Parameters parameters;
    if (query.empty()) return parameters;
    for (const auto piece : text::split(query, '&')) {
        if (piece.empty()) continue;
        if (parameters.size() == parameters_max) return errc::query_malformed;
        const auto equals = piece.find('=');
        auto name = decoded(piece.substr(0, equals));
        auto value = decoded(equals == std::string_view::npos ? std::string_view() : piece.substr(equals + 1));
        if (!name || !value || name->empty() || name->size() > name_bytes_max) return errc::query_malformed;
        if (!parameters.try_emplace(std::move(*name), std::move(*value)).second) return errc::parameter_twice;
    }
    return parameters;
}

std::string_view value_of(const Parameters& parameters, std::string_view name) {
    const auto found = parameters.find(name);
    return found == parameters.end() ? std::string_view() : found->second.reveal();
}

/// What states, codes, issuers and errors are made of. RFC 6749 appendix A.5, A.7, A.11.
bool is_plain(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

Result<Callback> read_callback(std::string_view query) {
    const auto parameters = read_parameters(query);
    if (!parameters) return parameters.error();
    const auto state = value_of(*parameters, "state"), issuer = value_of(*parameters, "iss");
    const auto code = value_of(*parameters, "code"), error = value_of(*parameters, "error");
    if (code.size() > code_bytes_max) return errc::parameter_too_long;
    for (const auto word : {state, issuer, error}) {
        if (word.size() > word_bytes_max) return errc::parameter_too_long;
    }
    for (const auto word : {state, issuer, error, code}) {
        if (!is_plain(word)) return errc::query_malformed;
    }
    if (state.empty()) return errc::state_missing;
    if (code.empty() && error.empty()) return errc::code_missing;
    if (!code.empty() && !error.empty()) return errc::code_and_error;

    Callback callback{.state = std::string(state), .issuer = std::string(issuer), .code = Secret(std::string(code))};
    if (error.empty()) return callback;
    const auto words = [&](std::string_view name) {
        return std::string(value_of(*parameters, name).substr(0, text_bytes_max));
    };
    Refusal refusal;
    refusal.error = error;
    refusal.suberror = words("error_subcode");
    refusal.error_description = words("error_description");
    callback.code = std::move(refusal);
    return callback;
}

Result<Callback> read_pasted(std::string_view pasted, std::string_view redirect_uri) {
    if (pasted.size() > query_bytes_max + redirect_uri.size()) return errc::query_too_long;
    pasted = text::trimmed(pasted);
    pasted = pasted.substr(0, pasted.find('#'));  // some providers leave an empty one
    if (!pasted.starts_with(redirect_uri)) return errc::other_redirect;
    pasted.remove_prefix(redirect_uri.size());
    if (pasted.starts_with('/') && !redirect_uri.ends_with('/')) pasted.remove_prefix(1);  // Entra, without a path
    if (!pasted.starts_with('?')) return errc::other_redirect;
    return read_callback(pasted.substr(1));
}

Result<void> check_issuer(const Callback& callback, std::span<const std::string> issuers) {
    if (callback.issuer.empty()) return {};
    for (const auto& expected : issuers) {
        if (may_be_issuer(callback.issuer, expected)) return {};
    }
    return errc::wrong_issuer;
}

}  // namespace oauth2

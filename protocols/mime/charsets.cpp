#include "protocols/mime/charsets.hpp"

#include <unicode/ucnv.h>
#include <unicode/ucnv_cb.h>
#include <unicode/ucsdet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>

#include "protocols/base/text.hpp"
#include "protocols/base/utf8.hpp"

namespace mime {
namespace {

constexpr std::size_t name_bytes_max = 40;
constexpr std::size_t looked_at_bytes_max = 8 * 1024;  // by statistics
constexpr std::size_t foreign_bytes_min = 24;          // that statistics need
constexpr std::int32_t confidence_min = 40;            // of 100
constexpr std::int32_t confidence_min_of_foreign = 12;
constexpr std::size_t converted_bytes_max = 512U << 20U;
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

using Converter = std::unique_ptr<UConverter, decltype(&ucnv_close)>;
using Detector = std::unique_ptr<UCharsetDetector, decltype(&ucsdet_close)>;

struct Meaning {
    std::string_view name;
    std::string_view meant;
};
/// What mail programs mean, or wrote. Empty: nothing.
constexpr std::array meanings{
    Meaning{"ascii", "us-ascii"},
    Meaning{"ansi_x3.4-1968", "us-ascii"},
    Meaning{"iso646-us", "us-ascii"},
    Meaning{"utf8", "utf-8"},
    Meaning{"utf_8", "utf-8"},
    Meaning{"unicode-1-1-utf-8", "utf-8"},
    Meaning{"utf-8-sig", "utf-8"},
    Meaning{"utf8mb4", "utf-8"},
    Meaning{"unicode-1-1-utf-7", "utf-7"},
    Meaning{"iso-8859-1", "windows-1252"},
    Meaning{"iso8859-1", "windows-1252"},
    Meaning{"iso_8859-1", "windows-1252"},
    Meaning{"latin1", "windows-1252"},
    Meaning{"latin-1", "windows-1252"},
    Meaning{"l1", "windows-1252"},
    Meaning{"cp1252", "windows-1252"},
    Meaning{"cp-1252", "windows-1252"},
    Meaning{"win-1252", "windows-1252"},
    Meaning{"windows1252", "windows-1252"},
    Meaning{"ansi", "windows-1252"},
    Meaning{"iso-8859-9", "windows-1254"},
    Meaning{"iso-8859-8-i", "iso-8859-8"},
    Meaning{"iso-8859-11", "windows-874"},
    Meaning{"tis-620", "windows-874"},
    Meaning{"gb2312", "gb18030"},
    Meaning{"gb_2312-80", "gb18030"},
    Meaning{"gbk", "gb18030"},
    Meaning{"cp936", "gb18030"},
    Meaning{"x-gbk", "gb18030"},
    Meaning{"ks_c_5601-1987", "windows-949"},
    Meaning{"ks_c_5601-1989", "windows-949"},
    Meaning{"ksc5601", "windows-949"},
    Meaning{"euc-kr", "windows-949"},
    Meaning{"cp949", "windows-949"},
    Meaning{"shift_jis", "windows-31j"},
    Meaning{"shift-jis", "windows-31j"},
    Meaning{"sjis", "windows-31j"},
    Meaning{"x-sjis", "windows-31j"},
    Meaning{"ms_kanji", "windows-31j"},
    Meaning{"cp932", "windows-31j"},
    Meaning{"big5", "big5-hkscs"},
    Meaning{"cn-big5", "big5-hkscs"},
    Meaning{"x-x-big5", "big5-hkscs"},
    Meaning{"x-mac-roman", "macintosh"},
    Meaning{"mac", "macintosh"},
    Meaning{"8bit", ""},
    Meaning{"7bit", ""},
    Meaning{"binary", ""},
    Meaning{"default", ""},
    Meaning{"default_charset", ""},
    Meaning{"none", ""},
    Meaning{"unknown", ""},
    Meaning{"unknown-8bit", ""},
    Meaning{"x-unknown", ""},
    Meaning{"x-user-defined", ""},
};

/// Lower case, as mail programs mean it; empty: none.
std::string meaning_of(std::string_view name) {
    name = text::trimmed(name);
    if (name.size() >= 2 && (name.front() == '"' || name.front() == '\'') && name.back() == name.front())
        name = name.substr(1, name.size() - 2);
    // More than letters would be options of the converter.
    const auto belongs = [](char c) {
        const char lower = text::lower(c);
        return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
               std::string_view("-_.:+()").find(c) != std::string_view::npos;
    };
    if (name.size() > name_bytes_max || !std::all_of(name.begin(), name.end(), belongs)) return {};
    auto lowered = text::lowered(name);
    for (const auto& meaning : meanings) {
        if (lowered == meaning.name) return std::string(meaning.meant);
    }
    return lowered;
}

/// Bytes below 0x80 are ASCII, wherever they stand alone.
bool extends_ascii(std::string_view charset) {
    constexpr std::array<std::string_view, 7> families{"utf-8", "us-ascii", "windows-", "iso-8859",
                                                       "koi8",  "gb18030",  "big5"};
    return std::any_of(families.begin(), families.end(),
                       [&](std::string_view family) { return charset.starts_with(family); }) ||
           charset.starts_with("euc-");
}

Converter converter_for(const std::string& charset) {
    UErrorCode failed = U_ZERO_ERROR;
    Converter converter(ucnv_open(charset.c_str(), &failed), &ucnv_close);
    if (U_FAILURE(failed) != 0) converter.reset();
    return converter;
}

/// ICU's own gives U+001A for some charsets.
void replace(const void* context, UConverterToUnicodeArgs* args, const char* /*bytes*/, std::int32_t /*length*/,
             UConverterCallbackReason reason, UErrorCode* failed) {
    if (reason > UCNV_IRREGULAR) return;
    if (reason == UCNV_IRREGULAR) {  // of ISO-2022: an escape that nothing follows
        *failed = U_ZERO_ERROR;
        return;
    }
    *const_cast<bool*>(static_cast<const bool*>(context)) = true;  // NOLINT: ICU hands it through as const
    *failed = U_ZERO_ERROR;
    const UChar mark = 0xfffd;
    ucnv_cbToUWriteUChars(args, &mark, 1, 0, failed);
}

struct Converted {
    std::string utf8;
    bool damaged = false;
};

/// nullopt: no such charset.
std::optional<Converted> converted(std::string_view bytes, const std::string& charset) {
    const auto converter = converter_for(charset);
    if (!converter || bytes.size() > converted_bytes_max) return std::nullopt;
    Converted result;
    UErrorCode failed = U_ZERO_ERROR;
    ucnv_setToUCallBack(converter.get(), &replace, &result.damaged, nullptr, nullptr, &failed);
    if (U_FAILURE(failed) != 0) return std::nullopt;
    result.utf8.resize(bytes.size() + bytes.size() / 2 + 16);
    for (int attempt = 0; attempt < 2; ++attempt) {
        failed = U_ZERO_ERROR;
        const auto wanted = ucnv_toAlgorithmic(UCNV_UTF8, converter.get(), result.utf8.data(),
                                               static_cast<std::int32_t>(result.utf8.size()), bytes.data(),
                                               static_cast<std::int32_t>(bytes.size()), &failed);
        if (failed != U_BUFFER_OVERFLOW_ERROR) {
            if (U_FAILURE(failed) != 0) return std::nullopt;
            result.utf8.resize(static_cast<std::size_t>(wanted));
            return result;
        }
        result.utf8.resize(static_cast<std::size_t>(wanted));
    }
    return std::nullopt;
}

struct Utf8Count {
    std::size_t characters = 0;  // beyond ASCII
    std::size_t wrong_bytes = 0;
};
Utf8Count count_utf8(std::string_view bytes) noexcept {
    Utf8Count count;
    while (!bytes.empty()) {
        if (static_cast<unsigned char>(bytes.front()) < 0x80) {
            bytes.remove_prefix(1);
            continue;
        }
        const auto point = text::first_code_point(bytes);
        ++(point ? count.characters : count.wrong_bytes);
        bytes.remove_prefix(point ? point->bytes : 1);
    }
    return count;
}

/// Each byte that is no UTF-8 becomes U+FFFD.
std::string mended_utf8(std::string_view bytes) {
    std::string mended;
    mended.reserve(bytes.size() + 16);
    while (!bytes.empty()) {
        const auto point = text::first_code_point(bytes);
        if (point)
            mended += bytes.substr(0, point->bytes);
        else
            mended += "\xef\xbf\xbd";
        bytes.remove_prefix(point ? point->bytes : 1);
    }
    return mended;
}

Text utf8_text(std::string_view bytes, bool detected) {
    if (bytes.starts_with(byte_order_mark)) bytes.remove_prefix(byte_order_mark.size());
    const bool whole = is_utf8(bytes);
    return {whole ? std::string(bytes) : mended_utf8(bytes), "utf-8", detected, !whole};
}

bool has_japanese_escapes(std::string_view bytes) {
    for (const std::string_view escape : {"\x1b$B", "\x1b$@", "\x1b(J"}) {
        if (bytes.find(escape) != std::string_view::npos) return true;
    }
    return false;
}

/// What statistics say; empty: they are not sure.
std::string by_statistics(std::string_view bytes) {
    bytes = bytes.substr(0, looked_at_bytes_max);
    std::size_t foreign = 0;
    std::size_t letters = 0;
    for (const char c : bytes) {
        foreign += static_cast<unsigned char>(c) > 0x7f ? 1U : 0U;
        letters += c == ' ' || c == '\r' || c == '\n' ? 0U : 1U;
    }
    if (foreign < foreign_bytes_min) return {};
    // No language of the west writes like that, so that any guess is better than windows-1252.
    const auto enough = 2 * foreign > letters ? confidence_min_of_foreign : confidence_min;
    UErrorCode failed = U_ZERO_ERROR;
    const Detector detector(ucsdet_open(&failed), &ucsdet_close);
    if (U_FAILURE(failed) != 0) return {};
    ucsdet_setText(detector.get(), bytes.data(), static_cast<std::int32_t>(bytes.size()), &failed);
    std::int32_t count = 0;
    const auto* matches = ucsdet_detectAll(detector.get(), &count, &failed);
    if (U_FAILURE(failed) != 0 || matches == nullptr) return {};
    for (std::int32_t place = 0; place < count; ++place) {
        const auto confidence = ucsdet_getConfidence(matches[place], &failed);
        const char* name = ucsdet_getName(matches[place], &failed);
        if (U_FAILURE(failed) != 0 || name == nullptr || confidence < enough) return {};
        auto meant = meaning_of(name);
        // UTF-16 without a mark, EBCDIC and the like are found in noise.
        if (extends_ascii(meant) || meant == "windows-31j") return meant;
    }
    return {};
}

}  // namespace

bool is_ascii(std::string_view bytes) noexcept {
    std::uint64_t word = 0;
    while (bytes.size() >= sizeof word) {
        std::memcpy(&word, bytes.data(), sizeof word);
        if ((word & 0x8080808080808080U) != 0) return false;
        bytes.remove_prefix(sizeof word);
    }
    return std::all_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_utf8(std::string_view bytes) noexcept {
    std::uint64_t word = 0;
    while (!bytes.empty()) {
        while (bytes.size() >= sizeof word) {
            std::memcpy(&word, bytes.data(), sizeof word);
            if ((word & 0x8080808080808080U) != 0) break;
            bytes.remove_prefix(sizeof word);
        }
        if (bytes.empty()) break;
        if (static_cast<unsigned char>(bytes.front()) < 0x80) {
            bytes.remove_prefix(1);
            continue;
        }
        const auto point = text::first_code_point(bytes);
        if (!point) return false;
        bytes.remove_prefix(point->bytes);
    }
    return true;
}

bool is_charset(std::string_view name) {
    const auto meant = meaning_of(name);
    return !meant.empty() && (meant == "utf-8" || meant == "us-ascii" || converter_for(meant));
}

std::string detected_charset(std::string_view bytes, std::string_view likely) {
    if (is_ascii(bytes)) return has_japanese_escapes(bytes) ? "iso-2022-jp" : "us-ascii";
    if (is_utf8(bytes)) return "utf-8";
    if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff")) return "utf-16";
    const auto count = count_utf8(bytes);
    if (count.characters >= 4 && count.wrong_bytes * 4 <= count.characters) return "utf-8";  // cut off, or damaged
    const auto meant = meaning_of(likely);
    if (!meant.empty() && meant != "utf-8" && meant != "us-ascii") {
        const auto fits = converted(bytes, meant);
        if (fits && !fits->damaged) return meant;
    }
    auto guess = by_statistics(bytes);
    if (guess == "utf-8" || guess.empty()) guess = "windows-1252";
    return guess;
}

Text decoded_text(std::string_view bytes, std::string_view declared, std::string_view likely) {
    auto charset = meaning_of(declared);
    if (is_ascii(bytes) && (charset.empty() ? !has_japanese_escapes(bytes) : extends_ascii(charset)))
        return {std::string(bytes), charset.empty() ? "us-ascii" : charset, charset.empty(), false};
    bool detected = charset.empty() || charset == "us-ascii";
    if (charset == "utf-8") {
        if (bytes.starts_with(byte_order_mark) || is_utf8(bytes)) return utf8_text(bytes, false);
        detected = count_utf8(bytes).characters == 0;
    }
    if (detected) charset = detected_charset(bytes, likely);
    if (charset == "utf-8" || charset == "us-ascii") return utf8_text(bytes, detected);
    auto done = converted(bytes, charset);
    if (!done) {
        detected = true;
        charset = detected_charset(bytes, likely);
        if (charset != "utf-8" && charset != "us-ascii") done = converted(bytes, charset);
        if (!done) return utf8_text(bytes, true);
    }
    if (done->utf8.starts_with(byte_order_mark)) done->utf8.erase(0, byte_order_mark.size());
    return {std::move(done->utf8), std::move(charset), detected, done->damaged};
}

std::string charset_of_html(std::string_view html) {
    constexpr std::size_t front_bytes = 2048;
    html = html.substr(0, front_bytes);
    for (;;) {
        const auto meta = text::find_same(html, "<meta");
        if (meta == std::string_view::npos) return {};
        html.remove_prefix(meta + 5);
        const auto tag = html.substr(0, html.find('>'));
        const auto found = text::find_same(tag, "charset=");
        if (found == std::string_view::npos) continue;
        auto name = tag.substr(found + 8);
        name.remove_prefix(std::min(name.find_first_not_of(" \"'"), name.size()));
        name = name.substr(0, name.find_first_of(" \"';/>"));
        const auto meant = meaning_of(name);
        // A document whose bytes could be read this far is not UTF-16.
        return is_charset(meant) && !meant.starts_with("utf-16") && !meant.starts_with("utf-32") ? meant
                                                                                                 : std::string();
    }
}

}  // namespace mime

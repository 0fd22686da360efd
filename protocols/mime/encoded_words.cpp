#include "protocols/mime/encoded_words.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>

#include "protocols/base/text.hpp"
#include "protocols/mime/charsets.hpp"
#include "protocols/mime/headers.hpp"
#include "protocols/mime/transfer_decoding.hpp"

namespace mime {
namespace {

constexpr std::size_t npos = std::string_view::npos;
constexpr std::size_t charset_bytes_max = 60;  // with a language

struct Word {
    std::string_view charset;
    bool base64 = false;
    std::string_view text;
    std::size_t end = 0;  // behind it
};

/// Eight bytes at a time.
bool is_printable_ascii(std::string_view text) noexcept {
    constexpr std::uint64_t each = 0x0101010101010101U;
    std::uint64_t word = 0;
    while (text.size() >= sizeof word) {
        std::memcpy(&word, text.data(), sizeof word);
        // The high bit of a byte is set when it has it, when it is below a blank, or when it is a DEL.
        if (((word | (word - each * ' ') | (word + each)) & (each * 0x80)) != 0) return false;
        text.remove_prefix(sizeof word);
    }
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7f; });
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t") == npos; }

/// "Q": as quoted-printable, with "_" for a blank. What is no code stays.
std::string decoded_q(std::string_view text) {
    std::string plain(text);
    std::replace(plain.begin(), plain.end(), '_', ' ');
    std::string bytes;
    bytes.reserve(plain.size());
    for (std::size_t at = 0; at < plain.size(); ++at) {
        const auto byte = plain[at] == '=' ? hex_byte(std::string_view(plain).substr(at + 1, 2)) : std::nullopt;
        bytes += byte ? *byte : plain[at];
        if (byte) at += 2;
    }
    return bytes;
}

/// Goes through a value once.
class Words {
public:
    Words(std::string_view line, std::string_view likely) : line_(line), likely_(likely) {}

    std::string read() {
        std::size_t done = 0;
        std::size_t from = 0;
        for (;;) {
            const auto at = line_.find("=?", from);
            if (at == npos) break;
            const auto word = word_at(at);
            if (!word) {
                from = at + 2;
                continue;
            }
            const auto between = line_.substr(done, at - done);
            if (!after_word_ || !is_blank(between)) put_plain(between);
            put_word(*word);
            done = from = word->end;
        }
        put_plain(line_.substr(done));
        return std::move(out_);
    }

private:
    std::optional<Word> word_at(std::size_t at) {
        const auto charset_end = line_.substr(0, at + 2 + charset_bytes_max + 1).find('?', at + 2);
        if (charset_end == npos || charset_end == at + 2 || charset_end + 2 >= line_.size()) return std::nullopt;
        const char encoding = text::lower(line_[charset_end + 1]);
        if ((encoding != 'q' && encoding != 'b') || line_[charset_end + 2] != '?') return std::nullopt;
        const auto begin = charset_end + 3;
        if (next_end_ < begin) next_end_ = line_.find("?=", begin);
        if (next_end_ == npos) return std::nullopt;
        Word word;
        word.charset = line_.substr(at + 2, charset_end - at - 2);
        word.charset = word.charset.substr(0, word.charset.find('*'));
        word.base64 = encoding == 'b';
        word.text = line_.substr(begin, next_end_ - begin);
        word.end = next_end_ + 2;
        // Another word begins in it: this one has no end.
        if (!is_charset_name(word.charset) || word.text.find("=?") != npos) return std::nullopt;
        if (word.base64 && word.text.find_first_not_of(base64_letters) != npos) return std::nullopt;
        return word;
    }

    static bool is_charset_name(std::string_view name) {
        return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
    }

    void put_word(const Word& word) {
        // Each word in ISO-2022 begins and ends in ASCII by itself.
        if (!text::same(charset_, word.charset) || text::starts_with_same(charset_, "iso-2022")) flush();
        charset_ = word.charset;
        bytes_ += word.base64 ? decoded_base64(word.text) : decoded_q(word.text);
        after_word_ = true;
    }

    void put_plain(std::string_view text) {
        flush();
        if (text.empty()) return;
        after_word_ = false;
        if (is_ascii(text) && text.find('\x1b') == npos)
            out_ += text;
        else
            out_ += decoded_text(text, {}, likely_).utf8;
    }

    /// Bytes of adjacent words in one charset are converted together: a character may begin in one and end in the next.
    void flush() {
        if (bytes_.empty()) return;
        out_ += decoded_text(bytes_, charset_, likely_).utf8;
        bytes_.clear();
    }

    static constexpr std::string_view base64_letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= ";

    std::string_view line_;
    std::string_view likely_;
    std::string out_;
    std::string bytes_;
    std::string_view charset_;
    bool after_word_ = false;
    std::size_t next_end_ = 0;  // of the next "?=": looked for once
};

}  // namespace

std::string without_controls(std::string text) {
    for (char& c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) c = ' ';
    }
    return text;
}

bool is_decoded(std::string_view value) noexcept { return is_printable_ascii(value) && value.find("=?") == npos; }

std::string decoded_words(std::string_view value, std::string_view likely) {
    value = text::trimmed(value);
    if (is_decoded(value)) return std::string(value);
    std::string line = unfolded(value);
    if (is_decoded(line)) return line;
    return without_controls(Words(line, likely).read());
}

}  // namespace mime

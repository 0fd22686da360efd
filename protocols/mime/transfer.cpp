#include "protocols/mime/transfer.hpp"

#include <algorithm>

#include "protocols/base/base64.hpp"

namespace mime {
namespace {

constexpr std::size_t line_bytes_max = 76;
constexpr std::string_view digits = "0123456789ABCDEF";

bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

}  // namespace

void QuotedPrintable::put(std::string_view piece, std::string& out) {
    for (const char c : piece) put_byte(c, out);
}

void QuotedPrintable::put_byte(char c, std::string& out) {
    if (after_cr_) {
        after_cr_ = false;
        if (c == '\n') {
            if (blank_ != '\0') put_token(blank_, false, out);
            blank_ = '\0';
            out += "\r\n";
            column_ = 0;
            return;
        }
        put_blank(out);
        put_token('\r', false, out);
    }
    if (c == '\r') {
        after_cr_ = true;
        return;
    }
    put_blank(out);
    if (is_blank(c)) {
        blank_ = c;
        return;
    }
    put_token(c, c > ' ' && c < 0x7f && c != '=', out);
}

void QuotedPrintable::put_blank(std::string& out) {
    if (blank_ != '\0') put_token(blank_, true, out);
    blank_ = '\0';
}

void QuotedPrintable::put_token(char c, bool literal, std::string& out) {
    const std::size_t bytes = literal ? 1 : 3;
    if (column_ + bytes > line_bytes_max - 1) {  // a place is left for the "=" of a soft line break
        out += "=\r\n";
        column_ = 0;
    }
    if (column_ == 0 && (c == '-' || c == '.')) literal = false;
    if (literal) {
        out += c;
        ++column_;
        return;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '=';
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
    column_ += 3;
}

void QuotedPrintable::finish(std::string& out) {
    if (after_cr_) {
        put_blank(out);
        put_token('\r', false, out);
    }
    if (blank_ != '\0') put_token(blank_, false, out);
    blank_ = '\0';
    after_cr_ = false;
}

void Base64::put(std::string_view piece, std::string& out) {
    if (!rest_.empty()) {
        const auto wanted = std::min(3 - rest_.size(), piece.size());
        rest_ += piece.substr(0, wanted);
        piece.remove_prefix(wanted);
        if (rest_.size() < 3) return;
        put_group(rest_, out);
        rest_.clear();
    }
    while (piece.size() >= 3) {
        const auto free_groups = column_ == line_bytes_max ? line_bytes_max / 4 : (line_bytes_max - column_) / 4;
        const auto taken = std::min(free_groups * 3, piece.size() / 3 * 3);
        put_group(piece.substr(0, taken), out);
        piece.remove_prefix(taken);
    }
    rest_ = piece;
}

void Base64::put_group(std::string_view bytes, std::string& out) {
    if (column_ == line_bytes_max) {
        out += "\r\n";
        column_ = 0;
    }
    const auto text = base64_encoded(bytes);
    column_ += text.size();
    out += text;
}

void Base64::finish(std::string& out) {
    if (!rest_.empty()) put_group(rest_, out);
    rest_.clear();
}

void Base64Lines::put(std::string_view piece, std::string& out) {
    for (const char c : piece) {
        if (c == '\r' || c == '\n') continue;
        if (column_ == line_bytes_max) {
            out += "\r\n";
            column_ = 0;
        }
        out += c;
        ++column_;
    }
}

}  // namespace mime

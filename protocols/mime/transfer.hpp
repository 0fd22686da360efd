#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Content-transfer-encodings, chunk by chunk: any split of the same bytes gives the same. What goes in is canonical
/// (lines end with CRLF), what comes out has lines of at most 76 bytes. RFC 2045 §6.7 and §6.8.
namespace mime {

/// Text whose line ends stay line ends. No line of what comes out begins with "-" or "." (it could be taken for a
/// boundary, or for the end of a mail) or ends with white space.
class QuotedPrintable {
public:
    void put(std::string_view piece, std::string& out);
    void finish(std::string& out);
    [[nodiscard]] bool within_line() const noexcept { return column_ > 0; }

private:
    void put_byte(char c, std::string& out);
    void put_blank(std::string& out);
    void put_token(char c, bool literal, std::string& out);

    std::size_t column_ = 0;
    char blank_ = '\0';  // held back: at the end of a line it is encoded
    bool after_cr_ = false;
};

class Base64 {
public:
    void put(std::string_view piece, std::string& out);
    /// Without a line end behind the last line.
    void finish(std::string& out);
    [[nodiscard]] bool within_line() const noexcept { return column_ > 0; }

private:
    void put_group(std::string_view bytes, std::string& out);

    std::string rest_;  // less than a group
    std::size_t column_ = 0;
};

/// Bytes that are base64 already, in lines as they should be.
class Base64Lines {
public:
    void put(std::string_view piece, std::string& out);
    void finish(std::string& /*out*/) {}
    [[nodiscard]] bool within_line() const noexcept { return column_ > 0; }

private:
    std::size_t column_ = 0;
};

}  // namespace mime

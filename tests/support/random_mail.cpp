#include "tests/support/random_mail.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "protocols/base/base64.hpp"

namespace support {
namespace {

constexpr std::size_t depth_max = 4;
constexpr std::array<std::string_view, 14> words{"one", "=3D",   "--", "-- ", ".",     "..", "From ",
                                                 "a=b", "tail ", "\t", "  ",  "--=_1", "?=", "x"};
constexpr std::array<std::string_view, 6> foreign{
    "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x93\xae", "\xd7\x90", "\xe6\xbc\xa2\xe5\xad\x97", "\xe4"};

}  // namespace

std::string RandomMail::line(bool eight_bit, std::size_t bytes_max) {
    std::string made;
    const auto wanted = up_to(bytes_max);
    while (made.size() < wanted) {
        if (eight_bit && one_in(4))
            made += foreign[up_to(foreign.size() - 1)];
        else
            made += words[up_to(words.size() - 1)];
    }
    return made;
}

std::string RandomMail::text(bool eight_bit, bool long_lines) {
    std::string made;
    for (std::size_t lines = up_to(8); lines > 0; --lines)
        made += line(eight_bit, long_lines && one_in(3) ? 4000 : 90) + "\r\n";
    if (one_in(3)) made += line(eight_bit, 20);
    return made;
}

std::string RandomMail::bytes() {
    std::string made;
    for (std::size_t left = up_to(3000); left > 0; --left) {
        const auto byte = static_cast<char>(1 + up_to(254));
        made += byte == '\r' || byte == '\n' ? 'x' : byte;
    }
    return made;
}

std::string RandomMail::leaf(const std::string& fields) {
    const bool eight_bit = one_in(2), long_lines = one_in(3);
    switch (up_to(5)) {
        case 0:
            return fields + "\r\n" + text(eight_bit, long_lines);
        case 1:
            return fmt::format("{}Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}",
                               fields, text(eight_bit, long_lines));
        case 2:
            return fmt::format(
                "{}content-type: Application/X-Any;\r\n name=\"a;b\"\r\n"
                "Content-Transfer-Encoding: binary\r\n\r\n{}",
                fields, bytes());
        case 3: {  // in one line, as some programs write it, or in two
            auto encoded = base64_encoded(bytes());
            if (one_in(2) && encoded.size() > 8) encoded.insert(encoded.size() / 2, "\r\n");
            return fmt::format("{}Content-Type: image/png\r\nContent-Transfer-Encoding: BASE64\r\n\r\n{}", fields,
                               encoded);
        }
        case 4:
            return fields + "Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=\r\nb=3D";
        default:
            return fmt::format("{}Content-Type: text/plain (plain); charset=\"iso-8859-1\"\r\n\r\n{}", fields,
                               text(eight_bit, long_lines));
    }
}

std::string RandomMail::multipart(const std::string& fields, std::size_t depth) {
    static constexpr std::array<std::string_view, 6> kinds{"mixed",  "alternative", "related",
                                                           "digest", "mixed",       "signed"};
    const auto kind = kinds[up_to(one_in(4) ? 5 : 4)];
    const std::string boundary = fmt::format("=_{}{}", ++boundaries_, one_in(2) ? " ;x" : "");
    std::string made = fmt::format("{}Content-Type: multipart/{};\r\n\tboundary=\"{}\"\r\n", fields, kind, boundary);
    if (one_in(2)) made += one_in(2) ? "Content-Transfer-Encoding: 8bit\r\n" : "Content-Transfer-Encoding: 7bit\r\n";
    made += "\r\n";
    if (one_in(2)) made += line(one_in(2), one_in(4) ? 2000 : 60) + "\r\n";
    for (std::size_t parts = 1 + up_to(3); parts > 0; --parts)
        made += fmt::format("{}--{}{}\r\n{}", made.ends_with("\r\n") ? "" : "\r\n", boundary, one_in(5) ? " \t" : "",
                            part(depth + 1) + "\r\n");
    if (!one_in(10)) made += fmt::format("--{}--{}", boundary, one_in(2) ? "\r\n" : "");
    if (made.ends_with("\r\n") && one_in(3)) made += line(one_in(2), one_in(4) ? 2000 : 60);
    return made;
}

std::string RandomMail::part(std::size_t depth) {
    std::string fields;
    if (one_in(6)) {
        fields = "X-Long:";
        while (fields.size() < 1500) fields += " " + std::string(up_to(120), 'w') + "z";
        fields += "\r\n";
    }
    const auto choice = up_to(3);
    if (choice == 0 && depth < depth_max) return multipart(fields, depth);
    if (choice == 1 && depth < depth_max)
        return fmt::format("{}Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n{}", fields, part(depth + 1));
    return leaf(fields);
}

std::string RandomMail::make() {
    std::string fields = "From: a@b.test\r\nSubject: any\r\n";
    if (!one_in(4)) fields += "MIME-Version: 1.0\r\n";
    std::string made = one_in(4) ? leaf(fields) : multipart(fields, 0);
    if (!made.ends_with("\r\n")) made += "\r\n";
    return made;
}

}  // namespace support

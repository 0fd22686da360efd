#include "tests/support/smtp_readers.hpp"

namespace support {
namespace {

/// The bytes of the line that `bytes` begins with, and of its end; an end of 0: there is none.
struct Line {
    std::size_t bytes = 0;
    std::size_t end_bytes = 0;
};

template <class FirstLine>
ReadData read_data(std::string_view bytes, FirstLine first_line) {
    ReadData read;
    std::string mail;
    std::string_view unended = bytes;
    while (!bytes.empty()) {
        const Line line = first_line(bytes);
        if (line.end_bytes == 0) break;
        std::string_view text = bytes.substr(0, line.bytes);
        const std::string_view end = bytes.substr(line.bytes, line.end_bytes);
        bytes.remove_prefix(line.bytes + line.end_bytes);
        if (text == ".") {
            read.mails.push_back(std::move(mail));
            mail.clear();
            unended = bytes;
            continue;
        }
        if (text.starts_with('.')) text.remove_prefix(1);
        mail.append(text).append(end);
    }
    read.rest = unended;
    return read;
}

}  // namespace

ReadData read_data_strictly(std::string_view bytes) {
    return read_data(bytes, [](std::string_view text) {
        const std::size_t at = text.find("\r\n");
        return at == std::string_view::npos ? Line{text.size(), 0} : Line{at, 2};
    });
}

ReadData read_data_carelessly(std::string_view bytes) {
    return read_data(bytes, [](std::string_view text) {
        const std::size_t at = text.find_first_of("\r\n");
        if (at == std::string_view::npos) return Line{text.size(), 0};
        return Line{at, text.substr(at, 2) == "\r\n" ? std::size_t{2} : std::size_t{1}};
    });
}

}  // namespace support

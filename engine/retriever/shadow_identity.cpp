#include "engine/retriever/shadow_identity.hpp"

#include <algorithm>

#include "engine/retriever/mail_head.hpp"
#include "protocols/base/text.hpp"
#include "protocols/mime/headers.hpp"

namespace retriever {
namespace {

/// Files of other products mostly have bare LF. Servers have CRLF.
std::string with_crlf(std::string_view head) {
    std::string text;
    text.reserve(head.size() + head.size() / 32);
    for (const char c : head.substr(0, mime::header_bytes_max)) {
        if (c == '\n' && !text.ends_with('\r')) text += '\r';
        text += c;
    }
    return text;
}

}  // namespace

ShadowIdentity shadow_identity_of(std::string_view head) {
    const std::string text = with_crlf(head);
    ShadowIdentity identity;
    identity.message_id = plain_message_id(mime::scan_headers(text).message_id);
    identity.fingerprint = read_mail_head(text).fingerprint;
    return identity;
}

std::string plain_message_id(std::string_view field) {
    const auto begin = field.find('<');
    const auto end = begin == std::string_view::npos ? begin : field.find('>', begin);
    if (end != std::string_view::npos) field = field.substr(begin + 1, end - begin - 1);
    std::string id;
    for (const char c : field) {
        const auto code = static_cast<unsigned char>(c);
        if (code > 0x20 && code != 0x7f && c != '<' && c != '>') id += c;
        if (id.size() == message_id_bytes_max) break;
    }
    id = text::printable(id, message_id_bytes_max);
    id.resize(std::min(id.size(), message_id_bytes_max));
    return id;
}

}  // namespace retriever

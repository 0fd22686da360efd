#include "protocols/mime/field.hpp"

#include "protocols/base/text.hpp"
#include "protocols/mime/headers.hpp"

namespace mime {

std::string_view field_of(std::string_view message, std::string_view name) noexcept {
    std::string_view section = message.substr(0, header_bytes_max);
    while (!section.empty() && !section.starts_with("\r\n") && !section.starts_with('\n')) {
        std::size_t end = section.find('\n');
        while (end != std::string_view::npos && end + 1 < section.size() &&
               (section[end + 1] == ' ' || section[end + 1] == '\t')) {
            end = section.find('\n', end + 1);
        }
        if (end == std::string_view::npos || end + 1 == section.size()) break;  // more of it may follow
        const std::string_view field = section.substr(0, end);
        if (field.size() > name.size() && text::starts_with_same(field, name)) {
            std::string_view rest = field.substr(name.size());
            while (rest.starts_with(' ') || rest.starts_with('\t')) rest.remove_prefix(1);
            if (rest.starts_with(':')) return text::trimmed(rest.substr(1));
        }
        section.remove_prefix(end + 1);
    }
    return {};
}

}  // namespace mime

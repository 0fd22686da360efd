#include "protocols/mime/folding.hpp"

#include <algorithm>

#include "protocols/mime/entity.hpp"

namespace mime {
namespace {

constexpr std::size_t npos = std::string_view::npos;
constexpr std::size_t wanted_bytes_max = 78;
constexpr std::string_view blanks = " \t";

/// Where `line` may be parted behind its place `from`: at white space between two pieces that are more than that. As
/// far behind as wanted_bytes_max lets it be, else as soon as possible; npos: nowhere within line_bytes_max.
std::size_t fold_at(std::string_view line, std::size_t from) {
    std::size_t found = npos;
    for (std::size_t at = line.find_first_of(blanks, from); at <= line_bytes_max;) {
        const auto next = line.find_first_not_of(blanks, at);
        if (next == npos) return found;  // nothing but white space would be left
        if (at > wanted_bytes_max && found != npos) return found;
        found = at;
        at = line.find_first_of(blanks, next);
    }
    return found;
}

/// `name_bytes`: of a field's name with its colon, which had better not stand alone; 0: there is none.
bool fold_line(std::string_view line, std::size_t name_bytes, std::string& out) {
    bool left = line.size() > line_bytes_max;
    while (left) {
        const auto first = std::min(line.find_first_not_of(blanks, name_bytes), line.size());
        auto at = fold_at(line, first);
        if (at == npos && line.size() > line_bytes_max) at = fold_at(line, name_bytes > 0 ? 0 : first);
        if (at == npos) break;
        out.append(line.substr(0, at)).append("\r\n");
        line.remove_prefix(at);
        name_bytes = 0;
        left = line.size() > wanted_bytes_max;
    }
    if (line.size() > line_bytes_max) return false;
    out.append(line).append("\r\n");
    return true;
}

/// A field's whole bytes; false: a line of it cannot be folded.
bool fold_field(std::string_view field, std::string& out) {
    std::size_t name_bytes = field.find(':') + 1;  // 0: no field
    while (!field.empty()) {
        const auto end = field.find("\r\n");
        if (end == npos) {
            out += field;
            return field.size() <= line_bytes_max;
        }
        if (!fold_line(field.substr(0, end), name_bytes, out)) return false;
        name_bytes = 0;
        field.remove_prefix(end + 2);
    }
    return true;
}

}  // namespace

std::string fold(std::string_view section, std::string& out) {
    const auto before = out.size();
    while (const auto field = take_field(section)) {
        if (fold_field(field->whole, out)) continue;
        out.resize(before);
        return std::string(field->name);
    }
    out += section;
    return {};
}

}  // namespace mime

#include "protocols/mime/folding.hpp"

#include "protocols/mime/entity.hpp"

namespace mime {
namespace {

constexpr std::size_t npos = std::string_view::npos;
constexpr std::size_t wanted_bytes_max = 78;
constexpr std::string_view blanks = " \t";

/// Where `line` may be parted: at white space between two pieces that are more than that. As far behind as
/// wanted_bytes_max lets it be, else as soon as possible; npos: nowhere within line_bytes_max.
std::size_t fold_at(std::string_view line) {
    const auto first = line.find_first_not_of(blanks);
    std::size_t found = npos;
    for (std::size_t at = line.find_first_of(blanks, first); at <= line_bytes_max;) {
        const auto next = line.find_first_not_of(blanks, at);
        if (next == npos) return found;  // nothing but white space would be left
        if (at > wanted_bytes_max && found != npos) return found;
        found = at;
        at = line.find_first_of(blanks, next);
    }
    return found;
}

bool fold_line(std::string_view line, std::string& out) {
    while (line.size() > line_bytes_max) {
        const auto at = fold_at(line);
        if (at == npos) return false;
        out.append(line.substr(0, at)).append("\r\n");
        line.remove_prefix(at);
    }
    out.append(line).append("\r\n");
    return true;
}

/// A field's whole bytes; false: a line of it cannot be folded.
bool fold_field(std::string_view field, std::string& out) {
    while (!field.empty()) {
        const auto end = field.find("\r\n");
        if (end == npos) {
            out += field;
            return field.size() <= line_bytes_max;
        }
        if (!fold_line(field.substr(0, end), out)) return false;
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

#include "protocols/mime/structure.hpp"

#include <algorithm>
#include <utility>

#include "protocols/base/text.hpp"

namespace mime {
namespace {

constexpr std::size_t npos = std::string_view::npos;

bool is_field_line(std::string_view line) {
    const auto colon = line.find(':');
    return colon != npos && colon > 0 &&
           std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon),
                       [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

void Structure::put(std::string_view chunk) {
    while (!chunk.empty()) {
        const auto end = chunk.find('\n');
        const bool ends = end != npos;
        const auto piece = chunk.substr(0, ends ? end + 1 : npos);
        chunk.remove_prefix(piece.size());
        if (!line_begin_ || !holds_lines()) {  // nothing hangs on how this line goes on
            take(piece, false);
            line_begin_ = ends;
            continue;
        }
        const auto most = in_ == In::head ? header_bytes_max : boundary_line_bytes_max;
        if (ends && line_.empty()) {
            take(piece, piece.size() <= most);
            continue;
        }
        line_ += piece;
        if (!ends && line_.size() <= most) continue;
        const auto line = std::exchange(line_, {});
        take(line, line.size() <= most);
        line_begin_ = ends;
    }
}

/// A line from its begin on (whole or not), or more of one.
void Structure::take(std::string_view piece, bool whole_line) {
    const bool begins = line_begin_ && holds_lines();
    if (begins && !levels_.empty()) {
        const auto* match = boundary_at(piece);
        if (match != nullptr && whole_line) {
            end_part(*match, piece);
            return;
        }
        if (match != nullptr) ambiguous_ = true;
    }
    if (begins && in_ == In::head && whole_line) {
        take_head_line(piece);
        return;
    }
    if (in_ == In::head) {  // a line that is longer than a section may be
        broken_head_ = true;
        end_head();
    }
    take_text(piece);
}

void Structure::take_head_line(std::string_view line) {
    const bool folded = line.front() == ' ' || line.front() == '\t';
    if (line == "\r\n") {
        section_ += line;
        end_head();
    } else if ((folded ? section_.empty() : !is_field_line(line)) || section_.size() + line.size() > header_bytes_max) {
        broken_head_ = true;
        end_head();
        take(line, true);
    } else {
        section_ += line;
    }
}

/// The section is complete: its body is next.
void Structure::end_head() {
    const auto section = std::exchange(section_, {});
    Entity entity = entity_of(section, standard_);
    entity.number = entities_++;
    entity.root = std::exchange(root_, false);
    entity.sealed = sealed();
    standard_ = DefaultType::text_plain;
    if (std::exchange(broken_head_, false)) entity.readable = false;
    if (entity.kind != Entity::Kind::leaf && depth_ == depth_max) entity.too_deep = true;
    if (entity.too_deep || !entity.readable) entity.kind = Entity::Kind::leaf;
    listener_.head(entity, section);
    in_ = In::body;
    if (entity.kind == Entity::Kind::message) {
        ++depth_;
        in_ = In::head;
        root_ = true;
    } else if (entity.kind == Entity::Kind::multipart) {
        ++depth_;
        in_ = In::between;
        const bool seals = entity.type == "multipart/signed" || entity.type == "multipart/encrypted";
        const auto standard = entity.type == "multipart/digest" ? DefaultType::message_rfc822 : DefaultType::text_plain;
        levels_.push_back({entity.boundary, standard, entity.sealed || seals, depth_});
    }
}

void Structure::take_text(std::string_view piece) {
    if (pending_ == "\r" && piece.front() == '\n') {
        pending_ += '\n';
        piece.remove_prefix(1);
        if (piece.empty()) return;
    }
    if (!pending_.empty()) tell(std::exchange(pending_, {}));
    if (piece.ends_with("\r\n"))
        pending_ = "\r\n";
    else if (piece.ends_with('\r'))
        pending_ = "\r";
    piece.remove_suffix(pending_.size());
    if (!piece.empty()) tell(piece);
}

void Structure::tell(std::string_view bytes) {
    if (in_ == In::body)
        listener_.body(bytes);
    else
        listener_.between(bytes, sealed() ? Listener::Cover::sealed : Listener::Cover::open);
}

/// The innermost open boundary that stands at the front of `line` and, but for white space, is all of it. RFC 2046
/// §5.1.1 lets more stand behind it; no two readers agree about that.
const Structure::Match* Structure::boundary_at(std::string_view line) {
    if (!line.starts_with("--")) return nullptr;
    line.remove_prefix(2);
    bool begins_so = false;
    for (std::size_t level = levels_.size(); level-- > 0;) {
        if (!line.starts_with(levels_[level].boundary)) continue;
        auto rest = line.substr(levels_[level].boundary.size());
        const bool closing = rest.starts_with("--");
        if (closing) rest.remove_prefix(2);
        begins_so = true;
        if (!text::trimmed(rest).empty()) continue;
        match_ = {level, closing};
        return &match_;
    }
    ambiguous_ = ambiguous_ || begins_so;
    return nullptr;
}

void Structure::end_part(const Match& match, std::string_view line) {
    if (in_ == In::head) end_head();  // of a part without a body, which may be one that has parts
    const auto cover = sealed() ? Listener::Cover::sealed : Listener::Cover::open;
    if (!pending_.empty()) listener_.between(std::exchange(pending_, {}), cover);
    levels_.erase(levels_.begin() + static_cast<std::ptrdiff_t>(match.level) + 1, levels_.end());
    depth_ = levels_.back().depth;
    listener_.between(line, cover);
    if (match.closing) {
        levels_.pop_back();
        in_ = In::between;
        return;
    }
    in_ = In::head;
    root_ = false;
    standard_ = levels_.back().standard;
}

void Structure::finish() {
    if (!line_.empty()) {
        const auto line = std::exchange(line_, {});
        take(line, true);
    }
    if (in_ == In::head && (!section_.empty() || entities_ == 0)) end_head();
    if (pending_.empty()) return;
    if (!levels_.empty()) in_ = In::between;  // it belongs to the boundary that did not come
    tell(std::exchange(pending_, {}));
}

}  // namespace mime

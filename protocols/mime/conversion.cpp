#include "protocols/mime/conversion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "protocols/base/text.hpp"
#include "protocols/base/utf8.hpp"
#include "protocols/mime/folding.hpp"
#include "protocols/mime/transfer.hpp"

namespace mime {
namespace {

constexpr std::size_t utf8_bytes_max = 4;

bool is_foreign(char c) noexcept { return static_cast<unsigned char>(c) > 0x7f; }
bool has_foreign(std::string_view bytes) { return std::any_of(bytes.begin(), bytes.end(), is_foreign); }

bool has_long_line(std::string_view section) {
    while (!section.empty()) {
        const auto end = section.find('\n');
        const auto line = section.substr(0, end);
        if (line.size() > line_bytes_max + (line.ends_with('\r') ? 1 : 0)) return true;
        section.remove_prefix(end == std::string_view::npos ? section.size() : end + 1);
    }
    return false;
}

std::string_view name_of(Way way) { return way == Way::quoted_printable ? "quoted-printable" : "base64"; }

}  // namespace

std::string Unfit::words() const {
    switch (reason) {
        case Reason::sealed:
            return "what is signed or encrypted must not be altered (RFC 1847)";
        case Reason::header_line:
            return fmt::format("the header field {} has a line of more than {} bytes and no white space to fold it at",
                               text::printable(about, 60), line_bytes_max);
        case Reason::header_eight_bit:
            return fmt::format("the header field {} of a part has bytes beyond ASCII", text::printable(about, 60));
        case Reason::composite:
            return fmt::format("a part of type {} may not be encoded (RFC 2046)", text::printable(about, 60));
        case Reason::encoded:
            return fmt::format("a part of type {} is not encoded as its header says", text::printable(about, 60));
        case Reason::unreadable:
            return "the header of a part is malformed, or says something twice";
        case Reason::ambiguous:
            return "a line begins with the boundary of the parts and is none";
        case Reason::too_deep:
            return fmt::format("its parts are nested deeper than {} levels", Structure::depth_max);
        case Reason::too_many:
            return fmt::format("more than {} of its parts would have to be encoded", Plan::parts_max);
    }
    return "unknown reason";
}

void Survey::Sight::take(std::string_view piece) {
    bytes += piece.size();
    for (const char c : piece) {
        if (is_foreign(c) || !character.empty()) take_foreign(c);
        if (c == '\n') {
            line_bytes = 0;
        } else if (++line_bytes > line_bytes_max) {
            has_long_line = has_long_line || line_bytes > line_bytes_max + 1 || c != '\r';
        }
    }
}

void Survey::Sight::take_foreign(char c) {
    if (is_foreign(c)) ++foreign_bytes;
    if (!is_utf8) return;
    character += c;
    if (text::first_code_point(character)) {
        character.clear();
    } else if (character.size() == utf8_bytes_max || !is_foreign(c)) {
        is_utf8 = false;
        character.clear();
    }
}

void Survey::Sight::end() { is_utf8 = is_utf8 && character.empty(); }

bool Survey::falls_short(const Sight& sight) const {
    return sight.has_long_line || (plan_.goal == Goal::seven_bit && sight.foreign_bytes > 0);
}

void Survey::need(Unfit::Reason reason, std::string_view about) {
    plan_.needed = true;
    if (!plan_.unfit) plan_.unfit = Unfit{reason, std::string(about)};
}

void Survey::head(const Entity& entity, std::string_view section) {
    end_leaf();
    in_leaf_ = entity.kind == Entity::Kind::leaf;
    leaf_ = entity;
    sight_ = Sight();
    if (plan_.goal == Goal::seven_bit && has_foreign(section)) {
        auto rest = section;
        std::string_view about;
        while (const auto field = take_field(rest)) {
            if (about.empty() && has_foreign(field->whole)) about = field->name;
        }
        need(entity.sealed ? Unfit::Reason::sealed : Unfit::Reason::header_eight_bit, about);
    }
    if (!has_long_line(section)) return;
    std::string scratch;
    const auto about = fold(section, scratch);
    plan_.needed = true;
    if (entity.sealed) need(Unfit::Reason::sealed, {});
    if (!entity.readable) need(Unfit::Reason::unreadable, {});
    if (!about.empty()) need(Unfit::Reason::header_line, about);
}

void Survey::body(std::string_view bytes) { sight_.take(bytes); }

void Survey::between(std::string_view bytes, Cover cover) {
    end_leaf();
    outside_.take(bytes);
    const bool short_of = falls_short(outside_);
    outside_.has_long_line = false;
    outside_.foreign_bytes = 0;
    if (!short_of) return;
    plan_.needed = true;
    if (cover == Cover::sealed) need(Unfit::Reason::sealed, {});
}

/// Why the leaf cannot be encoded.
std::optional<Unfit::Reason> Survey::obstacle() const {
    using Reason = Unfit::Reason;
    if (leaf_.sealed) return Reason::sealed;
    if (leaf_.too_deep) return Reason::too_deep;
    if (!leaf_.readable || leaf_.encoding == Entity::Encoding::unknown) return Reason::unreadable;
    const bool long_base64 = leaf_.encoding == Entity::Encoding::base64 && sight_.foreign_bytes == 0;
    if (leaf_.encoding != Entity::Encoding::identity && !long_base64) return Reason::encoded;
    if (leaf_.is_composite()) return Reason::composite;
    if (plan_.parts.size() == Plan::parts_max) return Reason::too_many;
    return std::nullopt;
}

void Survey::end_leaf() {
    if (!std::exchange(in_leaf_, false)) return;
    sight_.end();
    if (!falls_short(sight_)) return;
    plan_.needed = true;
    if (const auto reason = obstacle()) {
        need(*reason, leaf_.type);
        return;
    }
    Plan::Part part{Way::base64, {}};
    const bool mostly_ascii = sight_.foreign_bytes * 3 <= sight_.bytes;  // else base64 is much shorter
    if (leaf_.is_text() && mostly_ascii) part.way = Way::quoted_printable;
    if (leaf_.encoding == Entity::Encoding::base64) part.way = Way::base64_lines;
    const bool before_mime = leaf_.root && !leaf_.has_version && !leaf_.has_type;
    if (before_mime && sight_.foreign_bytes > 0) part.charset = sight_.is_utf8 ? "utf-8" : "unknown-8bit";
    plan_.parts.emplace(leaf_.number, part);
}

Plan Survey::finish() {
    structure_.finish();
    end_leaf();
    if (plan_.needed && structure_.ambiguous()) need(Unfit::Reason::ambiguous, {});
    return std::move(plan_);
}

class Conversion::Coder {
public:
    explicit Coder(Way way) {
        if (way == Way::base64) coder_.emplace<Base64>();
        if (way == Way::base64_lines) coder_.emplace<Base64Lines>();
    }
    void put(std::string_view bytes, std::string& out) {
        std::visit([&](auto& coder) { coder.put(bytes, out); }, coder_);
    }
    void finish(std::string& out) {
        std::visit([&](auto& coder) { coder.finish(out); }, coder_);
    }
    [[nodiscard]] bool within_line() const {
        return std::visit([](const auto& coder) { return coder.within_line(); }, coder_);
    }

private:
    std::variant<QuotedPrintable, Base64, Base64Lines> coder_;
};

Conversion::Conversion(Plan plan) : plan_(std::move(plan)) {}
Conversion::~Conversion() = default;

void Conversion::put(std::string_view chunk, std::string& out) {
    out_ = &out;
    structure_.put(chunk);
}

void Conversion::finish(std::string& out) {
    out_ = &out;
    structure_.finish();
    if (coder_ == nullptr) return;
    coder_->finish(out);
    if (coder_->within_line()) out += "\r\n";
    coder_.reset();
}

void Conversion::end_leaf() {
    if (coder_ != nullptr) coder_->finish(*out_);
    coder_.reset();
}

void Conversion::head(const Entity& entity, std::string_view section) {
    end_leaf();
    const auto found = plan_.parts.find(entity.number);
    const bool encoded = found != plan_.parts.end() && entity.encoding == Entity::Encoding::identity;
    const bool relabelled = !encoded && plan_.goal == Goal::seven_bit && !entity.sealed && entity.readable &&
                            entity.labelled_beyond_seven_bit;
    if (found != plan_.parts.end()) coder_ = std::make_unique<Coder>(found->second.way);
    std::string fields;
    auto rest = section;
    while (const auto field = take_field(rest)) {
        const bool goes = (encoded || relabelled) && text::same(field->name, "Content-Transfer-Encoding");
        if (!goes) fields += field->whole;
    }
    if (encoded) {
        const auto& part = found->second;
        if (entity.root && !entity.has_version) fields += "MIME-Version: 1.0\r\n";
        if (!part.charset.empty()) fields += fmt::format("Content-Type: text/plain; charset={}\r\n", part.charset);
        fields += fmt::format("Content-Transfer-Encoding: {}\r\n", name_of(part.way));
    }
    if (relabelled) fields += "Content-Transfer-Encoding: 7bit\r\n";
    fields += rest;
    if (entity.sealed) {
        *out_ += section;
        return;
    }
    if (!fold(fields, *out_).empty()) *out_ += fields;  // the survey has seen that it can be
}

void Conversion::body(std::string_view bytes) {
    if (coder_ != nullptr)
        coder_->put(bytes, *out_);
    else
        *out_ += bytes;
}

/// What nobody reads: what is too long is cut there, what is no ASCII becomes "?".
void Conversion::between(std::string_view bytes, Cover cover) {
    end_leaf();
    if (cover == Cover::sealed) {
        *out_ += bytes;
        return;
    }
    for (const char c : bytes) {
        const bool ends = c == '\r' || c == '\n';
        outside_column_ = c == '\n' ? 0 : outside_column_ + (ends ? 0 : 1);
        if (outside_column_ > line_bytes_max && !ends) continue;
        *out_ += plan_.goal == Goal::seven_bit && is_foreign(c) ? '?' : c;
    }
}

}  // namespace mime

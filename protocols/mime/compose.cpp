#include "protocols/mime/compose.hpp"

#include <fmt/format.h>
#include <mimetic/mimetic.h>

#include <algorithm>
#include <memory>
#include <sstream>

#include "protocols/base/text.hpp"
#include "protocols/mime/transfer.hpp"
#include "protocols/mime/words.hpp"

namespace mime {
namespace {

constexpr std::size_t line_bytes_wanted = 76;

using Part = std::unique_ptr<mimetic::MimeEntity>;

/// A field of a part. mimetic folds it at blanks, and takes a fold of ours for something else: `value` has none, and no
/// blank within quotes unless it is short.
void add(mimetic::MimeEntity& entity, const std::string& name, const std::string& value) {
    mimetic::Field field;
    field.name(name);
    field.value(value);
    entity.header().push_back(field);
}

std::string list_of(const std::vector<Correspondent>& people, std::size_t column) {
    std::string out;
    for (const auto& one : people) {
        const auto item = one.name.empty() ? one.address : fmt::format("{} <{}>", phrase(one.name), one.address);
        if (!out.empty()) out += ',';
        const auto first_line = std::min(item.find('\r'), item.size());
        if (!out.empty() && column + first_line + 2 > line_bytes_wanted) {
            out += "\r\n";
            column = 0;
        }
        out += ' ' + item;
        const auto last_line = item.rfind('\n');
        column = last_line == std::string::npos ? column + item.size() + 2 : item.size() - last_line;
    }
    return out;
}

/// Words that nothing but blanks may stand between.
std::string folded(const std::vector<std::string_view>& words, std::size_t column) {
    std::string out;
    for (const auto word : words) {
        if (!out.empty() && column + 1 + word.size() > line_bytes_wanted) {
            out += "\r\n";
            column = 0;
        }
        out.append(" ").append(word);
        column += 1 + word.size();
    }
    return out;
}

/// The fields of the letter itself; their values begin with a blank.
class Fields {
public:
    void add(std::string_view name, std::string_view value) { text_ += fmt::format("{}:{}\r\n", name, value); }
    void add_people(std::string_view name, const std::vector<Correspondent>& people) {
        if (!people.empty()) add(name, list_of(people, name.size() + 1));
    }
    void add_ids(std::string_view name, const std::vector<std::string>& ids) {
        if (!ids.empty()) add(name, folded({ids.begin(), ids.end()}, name.size() + 1));
    }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
    std::string text_;
};

std::string fields_of(const Letter& letter) {
    Fields fields;
    fields.add_people("From", {letter.from});
    fields.add_people("To", letter.to);
    fields.add_people("Cc", letter.cc);
    fields.add_people("Reply-To", letter.reply_to);
    fields.add("Subject", unstructured(letter.subject, 8));
    fields.add_ids("In-Reply-To", letter.in_reply_to);
    fields.add_ids("References", letter.references);
    for (const auto& [name, value] : letter.fields) fields.add(name, unstructured(value, name.size() + 1));
    for (const auto& [name, value] : letter.structured_fields)
        fields.add(name, folded(text::split(value, ' '), name.size() + 1));
    fields.add("MIME-Version", " 1.0");
    return fields.text();
}

/// Each kind of line end becomes CRLF.
std::string with_crlf(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 32);
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '\r' && at + 1 < text.size() && text[at + 1] == '\n') ++at;
        if (c == '\r' || c == '\n')
            out += "\r\n";
        else
            out += c;
    }
    return out;
}

template <class Coder>
std::string coded(std::string_view bytes) {
    Coder coder;
    std::string out;
    out.reserve(bytes.size() + bytes.size() / 2);
    coder.put(bytes, out);
    coder.finish(out);
    return out;
}

Part text_part(std::string text, std::string_view subtype) {
    auto part = std::make_unique<mimetic::MimeEntity>();
    add(*part, "Content-Type", fmt::format("text/{}; charset=utf-8", subtype));
    text = with_crlf(text);
    const auto foreign = static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) > 0x7e; }));
    if (foreign * 3 <= text.size()) {
        add(*part, "Content-Transfer-Encoding", "quoted-printable");
        part->body().assign(coded<QuotedPrintable>(text));
    } else {
        add(*part, "Content-Transfer-Encoding", "base64");
        part->body().assign(coded<Base64>(text));
    }
    return part;
}

Part enclosure_part(Enclosure enclosure) {
    auto part = std::make_unique<mimetic::MimeEntity>();
    const auto& name = enclosure.file_name;
    add(*part, "Content-Type", enclosure.content_type + (name.empty() ? "" : old_parameter("name", name)));
    add(*part, "Content-Transfer-Encoding", "base64");
    add(*part, "Content-Disposition",
        (enclosure.is_inline ? "inline" : "attachment") + (name.empty() ? "" : parameter("filename", name)));
    if (!enclosure.content_id.empty()) add(*part, "Content-ID", fmt::format("<{}>", enclosure.content_id));
    part->body().assign(coded<Base64Lines>(enclosure.base64));
    std::string().swap(enclosure.base64);
    return part;
}

/// Puts parts together; their boundaries are numbered.
class Assembly {
public:
    explicit Assembly(std::string_view mark) : mark_(mark) {}

    Part multipart(std::string_view subtype, std::vector<Part> parts, std::string_view more = {}) {
        auto whole = std::make_unique<mimetic::MimeEntity>();
        // "=_" stands in no line of quoted-printable or base64. RFC 2045 §6.7
        add(*whole, "Content-Type",
            fmt::format("multipart/{}; boundary=\"=_{}_{}\"{}", subtype, mark_, ++boundaries_, more));
        for (auto& part : parts) whole->body().parts().push_back(part.release());
        return whole;
    }

private:
    std::string mark_;
    int boundaries_ = 0;
};

template <class... Parts>
std::vector<Part> list(Parts... parts) {
    std::vector<Part> made;
    (made.push_back(std::move(parts)), ...);
    return made;
}

}  // namespace

std::string composed(Letter letter, std::string_view mark) {
    Assembly assembly(mark);
    const auto shown = std::stable_partition(letter.enclosures.begin(), letter.enclosures.end(),
                                             [](const Enclosure& enclosure) { return enclosure.is_inline; });
    Part body;
    if (letter.html) body = text_part(std::move(*letter.html), "html");
    if (shown != letter.enclosures.begin() && body != nullptr) {
        auto related = list(std::move(body));
        for (auto at = letter.enclosures.begin(); at != shown; ++at) related.push_back(enclosure_part(std::move(*at)));
        letter.enclosures.erase(letter.enclosures.begin(), shown);
        body = assembly.multipart("related", std::move(related), "; type=\"text/html\"");
    }
    if (letter.text || body == nullptr) {
        auto text = text_part(std::move(letter.text).value_or(""), "plain");
        body = body == nullptr ? std::move(text)
                               : assembly.multipart("alternative", list(std::move(text), std::move(body)));
    }
    if (!letter.enclosures.empty()) {
        auto mixed = list(std::move(body));
        for (auto& enclosure : letter.enclosures) mixed.push_back(enclosure_part(std::move(enclosure)));
        body = assembly.multipart("mixed", std::move(mixed));
    }
    std::ostringstream out;
    out << fields_of(letter) << *body;
    return std::move(out).str();
}

}  // namespace mime

#include "engine/control/letter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/config/fields.hpp"
#include "engine/config/json_text.hpp"
#include "protocols/base/base64.hpp"
#include "protocols/base/text.hpp"
#include "protocols/mime/compose.hpp"
#include "protocols/mime/words.hpp"
#include "protocols/smtp/address.hpp"
#include "protocols/smtp/command.hpp"

namespace control {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

constexpr std::size_t depth_max = 8;
constexpr std::size_t line_bytes_max = 10'000;  // of a subject, a name, a field
constexpr std::size_t id_bytes_max = 900;
constexpr std::size_t people_max = 2 * submission::recipients_max;
constexpr std::size_t enclosures_max = 1000;
constexpr std::size_t fields_max = 100;
constexpr std::size_t structured_word_bytes_max = 900;  // it stands on one line
constexpr std::uint64_t life_seconds_max = 30 * 24 * 3600;
constexpr std::string_view envelope_id_expected = "at most 100 characters of ASCII on one line, as xtext";
constexpr std::string_view person_expected = "an address, \"Name <address>\" or {\"name\", \"address\"}";

std::string at(const std::string& path, std::string_view key) {
    std::string token;
    for (const char c : key) token += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return path + '/' + token;
}
std::string at(const std::string& path, std::size_t place) { return fmt::format("{}/{}", path, place); }

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool is_one_line(std::string_view text) { return std::none_of(text.begin(), text.end(), is_control); }
bool is_ascii_word(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

class Reading {
public:
    config::Faults faults;

    mime::Letter letter(object& document);
    void wishes(const object& document, submission::Order& order);
    void addresses(const object& document, const mime::Letter& letter, submission::Order& order);

private:
    void wrong(std::string path, const value& found, std::string_view expected) {
        faults.add(std::move(path), fmt::format("found {}, expected {}", config::described(found), expected));
    }
    void known(const object& from, const std::string& path, std::initializer_list<std::string_view> keys);
    std::string line(const value* found, std::string path, std::string_view expected);
    std::optional<std::string> body(object& from, std::string_view key);
    std::optional<mime::Correspondent> person(const value& found, const std::string& path);
    std::vector<mime::Correspondent> people(const object& from, std::string_view key);
    std::vector<std::string> ids(const object& from, std::string_view key);
    std::optional<mime::Enclosure> enclosure(value& found, const std::string& path, bool has_html);
    std::string content_type(const value* found, std::string path);
    void fields(const object& from, mime::Letter& letter);
    std::optional<std::uint64_t> number(const object& from, std::string_view key, std::uint64_t most);
    smtp::Notify notify(const value& found);
    void reports(const value& found, submission::Order& order);
};

void Reading::known(const object& from, const std::string& path, std::initializer_list<std::string_view> keys) {
    const std::span<const std::string_view> words(keys.begin(), keys.size());
    for (const auto& entry : from) {
        if (std::find(words.begin(), words.end(), std::string_view(entry.key())) != words.end()) continue;
        auto hint = config::suggestion(entry.key(), words);
        if (hint.empty()) hint = "; expected " + config::either_of(words);
        faults.add(at(path, text::printable(entry.key(), 60)), "unknown key" + hint);
    }
}

/// Empty when it is absent or wrong.
std::string Reading::line(const value* found, std::string path, std::string_view expected) {
    if (found == nullptr) return {};
    const auto* text = found->if_string();
    if (text != nullptr && text->size() <= line_bytes_max && is_one_line(*text)) return std::string(*text);
    wrong(std::move(path), *found, expected);
    return {};
}

std::optional<std::string> Reading::body(object& from, std::string_view key) {
    auto* found = from.if_contains(key);
    if (found == nullptr) return std::nullopt;
    const auto* text = found->if_string();
    if (text != nullptr && text->find('\0') == boost::json::string::npos) {
        std::string taken(*text);
        *found = nullptr;  // it is not held twice
        return taken;
    }
    wrong(at("", key), *found, "a text without NUL");
    return std::nullopt;
}

std::optional<mime::Correspondent> Reading::person(const value& found, const std::string& path) {
    mime::Correspondent one;
    if (const auto* parts = found.if_object()) {
        known(*parts, path, {"name", "address"});
        one.name = line(parts->if_contains("name"), at(path, "name"), "a name on one line");
        one.address = line(parts->if_contains("address"), at(path, "address"), "an address");
    } else {
        one.address = line(&found, path, person_expected);
        if (one.address.ends_with('>')) {
            const auto bracket = one.address.rfind('<');
            one.name = text::trimmed(std::string_view(one.address).substr(0, std::min(bracket, one.address.size())));
            one.address = one.address.substr(bracket == std::string::npos ? 0 : bracket + 1);
            if (bracket != std::string::npos) one.address.pop_back();
            if (one.name.size() > 1 && one.name.front() == '"' && one.name.back() == '"') {
                std::string plain;
                for (std::size_t place = 1; place + 1 < one.name.size(); ++place) {
                    if (one.name[place] == '\\' && place + 2 < one.name.size()) ++place;
                    plain += one.name[place];
                }
                one.name = std::move(plain);
            } else if (one.name.find_first_of(",;<>@\"") != std::string::npos) {
                faults.add(path,
                           "the name has one of , ; < > @ \" and no quotes around it: write {\"name\", \"address\"}");
                return std::nullopt;
            }
        }
    }
    const auto address = smtp::Address::of(one.address);
    if (address) return one;
    if (!faults.concern(path) && !faults.concern(at(path, "address"))) wrong(path, found, person_expected);
    return std::nullopt;
}

std::vector<mime::Correspondent> Reading::people(const object& from, std::string_view key) {
    std::vector<mime::Correspondent> list;
    const auto* found = from.if_contains(key);
    if (found == nullptr) return list;
    const auto path = at("", key);
    const auto* several = found->if_array();
    if (several == nullptr) {
        if (auto one = person(*found, path)) list.push_back(std::move(*one));
        return list;
    }
    if (several->size() > people_max) {
        faults.add(path, fmt::format("has {} people, expected at most {}", several->size(), people_max));
        return list;
    }
    for (std::size_t place = 0; place < several->size(); ++place) {
        if (auto one = person((*several)[place], at(path, place))) list.push_back(std::move(*one));
    }
    return list;
}

/// Message ids with their brackets: one text with blanks between them, or a list.
std::vector<std::string> Reading::ids(const object& from, std::string_view key) {
    std::vector<std::string> list;
    const auto* found = from.if_contains(key);
    if (found == nullptr) return list;
    const auto take = [&](const value& one, const std::string& path) {
        constexpr std::string_view expected = "message ids: \"<id@example.org>\", several with blanks between them";
        const auto told = line(&one, path, expected);
        for (const auto word : text::split(told, ' ')) {
            if (word.empty()) continue;
            if (is_ascii_word(word) && word.size() > 2 && word.size() <= id_bytes_max && word.front() == '<' &&
                word.find_first_of("<>", 1) == word.size() - 1 && word.back() == '>')
                list.emplace_back(word);
            else
                wrong(path, one, expected);
        }
    };
    if (const auto* several = found->if_array()) {
        for (std::size_t place = 0; place < several->size(); ++place) take((*several)[place], at(at("", key), place));
    } else {
        take(*found, at("", key));
    }
    return list;
}

/// type/subtype, and perhaps a charset. What would need a structure of its own is none.
std::string Reading::content_type(const value* found, std::string path) {
    constexpr std::string_view expected =
        "type/subtype, perhaps with \"; charset=NAME\"; not multipart/… or message/…, which cannot be encoded";
    if (found == nullptr) return "application/octet-stream";
    const auto whole = line(found, path, expected);
    const auto is_token = [](std::string_view text) {
        return is_ascii_word(text) && text.size() <= 100 && text.find_first_of("()<>@,;:\\\"[]?=/") == text.npos;
    };
    const auto semicolon = whole.find(';');
    const auto type = text::lowered(text::trimmed(std::string_view(whole).substr(0, semicolon)));
    const auto slash = type.find('/');
    bool right = slash != std::string::npos && is_token(std::string_view(type).substr(0, slash)) &&
                 is_token(std::string_view(type).substr(slash + 1)) && !type.starts_with("multipart/") &&
                 !type.starts_with("message/");
    if (!right || semicolon == std::string::npos) {
        if (!right && !faults.concern(path)) wrong(std::move(path), *found, expected);
        return type;
    }
    auto rest = text::trimmed(std::string_view(whole).substr(semicolon + 1));
    constexpr std::string_view charset = "charset=";
    right = text::starts_with_same(rest, charset);
    if (right) rest.remove_prefix(charset.size());
    if (rest.size() > 2 && rest.front() == '"' && rest.back() == '"') rest = rest.substr(1, rest.size() - 2);
    if (right && is_token(rest)) return fmt::format("{}; charset={}", type, rest);
    wrong(std::move(path), *found, expected);
    return type;
}

std::optional<mime::Enclosure> Reading::enclosure(value& found, const std::string& path, bool has_html) {
    auto* parts = found.if_object();
    if (parts == nullptr) {
        wrong(path, found, "an object");
        return std::nullopt;
    }
    known(*parts, path, {"filename", "content_type", "content", "content_id", "inline"});
    mime::Enclosure one;
    one.file_name = line(parts->if_contains("filename"), at(path, "filename"), "a file name");
    one.content_type = content_type(parts->if_contains("content_type"), at(path, "content_type"));
    one.content_id = line(parts->if_contains("content_id"), at(path, "content_id"), "an id");
    if (one.content_id.starts_with('<') && one.content_id.ends_with('>'))
        one.content_id = one.content_id.substr(1, one.content_id.size() - 2);
    const bool good_id = is_ascii_word(one.content_id) && one.content_id.size() <= id_bytes_max &&
                         one.content_id.find_first_of("<>\"\\") == std::string::npos;
    if (!one.content_id.empty() && !good_id)
        wrong(at(path, "content_id"), parts->at("content_id"), "an id of printable ASCII without brackets");
    if (const auto* shown = parts->if_contains("inline")) {
        if (!shown->is_bool()) wrong(at(path, "inline"), *shown, "true or false");
        one.is_inline = shown->is_bool() && shown->get_bool();
    }
    if (one.is_inline && !has_html) faults.add(at(path, "inline"), "there is no \"html\" that could show it");
    if (one.is_inline && one.content_id.empty())
        faults.add(at(path, "content_id"), "missing, expected the id by which \"html\" shows it (cid:ID)");
    auto* content = parts->if_contains("content");
    const auto* text = content == nullptr ? nullptr : content->if_string();
    if (text == nullptr) {
        faults.add(at(path, "content"),
                   content == nullptr ? "missing, expected its bytes in base64" : "expected its bytes in base64");
        return std::nullopt;
    }
    one.base64.reserve(text->size());
    for (const char c : *text)
        if (c != '\r' && c != '\n') one.base64 += c;
    *content = nullptr;
    if (!base64_decoded(one.base64)) faults.add(at(path, "content"), "is not base64 (RFC 4648, with its padding)");
    return one;
}

void Reading::fields(const object& from, mime::Letter& letter) {
    constexpr std::array<std::string_view, 6> others{"Auto-Submitted", "Comments",   "Importance",
                                                     "Keywords",       "Precedence", "Sensitivity"};
    const auto* found = from.if_contains("headers");
    if (found == nullptr) return;
    const auto* list = found->if_object();
    if (list == nullptr || list->size() > fields_max) {
        wrong("/headers", *found, fmt::format("an object of at most {} fields", fields_max));
        return;
    }
    for (const auto& entry : *list) {
        const std::string name(entry.key());
        const auto path = at("/headers", text::printable(name, 60));
        const bool is_list = text::starts_with_same(name, "List-");
        const bool own = text::starts_with_same(name, "X-") && !text::starts_with_same(name, "X-Rohrpost-");
        const bool other =
            std::any_of(others.begin(), others.end(), [&](std::string_view word) { return text::same(word, name); });
        if (!is_ascii_word(name) || name.find(':') != std::string::npos || name.size() > 70 || name.size() < 3 ||
            !(is_list || own || other)) {
            faults.add(path, "is not a field that may be set here; expected X-…, List-…, " +
                                 fmt::format("{}", fmt::join(others, ", ")));
            continue;
        }
        const auto text = line(&entry.value(), path, "a text on one line");
        if (!is_list) {
            letter.fields.emplace_back(name, text);
            continue;
        }
        const auto words = text::split(text, ' ');
        const bool fits = mime::is_plain(text) && std::all_of(words.begin(), words.end(), [](std::string_view word) {
                              return !word.empty() && word.size() <= structured_word_bytes_max;
                          });
        if (fits)
            letter.structured_fields.emplace_back(name, text);
        else if (!faults.concern(path))
            wrong(path, entry.value(), "ASCII with single blanks between its words, as RFC 2369 has it");
    }
}

mime::Letter Reading::letter(object& document) {
    known(document, "",
          {"from", "to", "cc", "bcc", "reply_to", "subject", "text", "html", "attachments", "headers", "in_reply_to",
           "references", "key", "lane", "not_before_ms", "life_s", "dsn"});
    mime::Letter letter;
    if (const auto* from = document.if_contains("from")) {
        if (auto one = person(*from, "/from")) letter.from = std::move(*one);
    } else {
        faults.add("/from", fmt::format("missing, expected {}", person_expected));
    }
    letter.to = people(document, "to");
    letter.cc = people(document, "cc");
    letter.reply_to = people(document, "reply_to");
    letter.subject = line(document.if_contains("subject"), "/subject", "a text on one line");
    letter.text = body(document, "text");
    letter.html = body(document, "html");
    letter.in_reply_to = ids(document, "in_reply_to");
    letter.references = ids(document, "references");
    fields(document, letter);
    auto* enclosures = document.if_contains("attachments");
    if (enclosures == nullptr) return letter;
    auto* list = enclosures->if_array();
    if (list == nullptr || list->size() > enclosures_max) {
        wrong("/attachments", *enclosures, fmt::format("a list of at most {}", enclosures_max));
        return letter;
    }
    for (std::size_t place = 0; place < list->size(); ++place) {
        if (auto one = enclosure((*list)[place], at("/attachments", place), letter.html.has_value()))
            letter.enclosures.push_back(std::move(*one));
    }
    return letter;
}

std::optional<std::uint64_t> Reading::number(const object& from, std::string_view key, std::uint64_t most) {
    const auto* found = from.if_contains(key);
    if (found == nullptr) return std::nullopt;
    error_code wrong_kind;
    const auto read = found->is_number() ? found->to_number<std::uint64_t>(wrong_kind) : 0;
    if (found->is_number() && !found->is_double() && !wrong_kind && read > 0 && read <= most) return read;
    wrong(at("", key), *found, fmt::format("a whole number from 1 to {}", most));
    return std::nullopt;
}

void Reading::wishes(const object& document, submission::Order& order) {
    order.key = line(document.if_contains("key"), "/key", "a text");
    if (order.key.size() > submission::key_bytes_max)
        faults.add("/key", fmt::format("expected at most {} bytes", submission::key_bytes_max));
    if (const auto* found = document.if_contains("lane")) {
        const auto* word = found->if_string();
        const auto lane = word == nullptr || word->empty() ? std::nullopt : submission::lane_of(*word);
        if (lane)
            order.lane = *lane;
        else
            wrong("/lane", *found, "\"alarm\", \"interactive\" or \"bulk\"");
    }
    if (const auto not_before = number(document, "not_before_ms", std::uint64_t{1} << 43U))
        order.not_before = store::Millis(std::chrono::milliseconds(*not_before));
    if (const auto life = number(document, "life_s", life_seconds_max)) order.life = std::chrono::seconds(*life);
    if (const auto* dsn = document.if_contains("dsn")) reports(*dsn, order);
}

/// When the recipients' servers are to report. RFC 3461 §4.1.
smtp::Notify Reading::notify(const value& found) {
    smtp::Notify when;
    if (found.is_string() && found.get_string() == "never") {
        when.never = true;
        return when;
    }
    const auto* words = found.if_array();
    bool known = words != nullptr && !words->empty();
    for (std::size_t place = 0; known && place < words->size(); ++place) {
        const auto* word = (*words)[place].if_string();
        bool* const which = word == nullptr      ? nullptr
                            : *word == "success" ? &when.success
                            : *word == "failure" ? &when.failure
                            : *word == "delay"   ? &when.delay
                                                 : nullptr;
        known = which != nullptr;
        if (known) *which = true;
    }
    if (!known) wrong("/dsn/notify", found, R"("never", or a list of "success", "failure", "delay")");
    return when;
}

/// What is asked of the servers on the way about their reports. RFC 3461.
void Reading::reports(const value& found, submission::Order& order) {
    const auto* parts = found.if_object();
    if (parts == nullptr) {
        wrong("/dsn", found, R"({"notify", "return", "envelope_id"})");
        return;
    }
    known(*parts, "/dsn", {"notify", "return", "envelope_id"});
    if (const auto* when = parts->if_contains("notify")) order.notify = notify(*when);
    if (const auto* what = parts->if_contains("return")) {
        const auto* word = what->if_string();
        if (word != nullptr && *word == "full")
            order.returned = smtp::Returned::full;
        else if (word != nullptr && *word == "headers")
            order.returned = smtp::Returned::headers;
        else
            wrong("/dsn/return", *what, R"("full" or "headers")");
    }
    const auto* id = parts->if_contains("envelope_id");
    order.envelope_id = line(id, "/dsn/envelope_id", envelope_id_expected);
    if (!smtp::is_envelope_id(order.envelope_id)) wrong("/dsn/envelope_id", *id, envelope_id_expected);
}

/// Those of to, cc and bcc; the last are named nowhere else.
void Reading::addresses(const object& document, const mime::Letter& letter, submission::Order& order) {
    order.sender = letter.from.address;
    const auto hidden = people(document, "bcc");
    for (const auto* list : {&letter.to, &letter.cc, &hidden})
        for (const auto& one : *list) order.recipients.push_back(one.address);
    const bool named = document.contains("to") || document.contains("cc") || document.contains("bcc");
    if (order.recipients.empty() && !named) faults.add("/to", "missing, expected somebody in to, cc or bcc");
}

std::string mark_of(Random& random) { return fmt::format("{:016x}{:016x}", random.next(), random.next()); }

}  // namespace

std::variant<submission::Order, config::Faults> order_of_letter(std::string document, Random& random) {
    Reading reading;
    auto parsed = config::json_of(document, depth_max, reading.faults);
    if (!parsed) return std::move(reading.faults);
    std::string().swap(document);
    auto* whole = parsed->if_object();
    if (whole == nullptr) {
        reading.faults.add({}, fmt::format("found {}, expected an object", config::described(*parsed)));
        return std::move(reading.faults);
    }
    submission::Order order;
    auto letter = reading.letter(*whole);
    reading.wishes(*whole, order);
    reading.addresses(*whole, letter, order);
    if (!reading.faults.empty()) return std::move(reading.faults);
    order.message = mime::composed(std::move(letter), mark_of(random));
    return order;
}

}  // namespace control

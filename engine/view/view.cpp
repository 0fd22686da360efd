#include "engine/view/view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <utility>

#include "protocols/base/text.hpp"
#include "protocols/mime/automatic.hpp"
#include "protocols/mime/charsets.hpp"
#include "protocols/mime/complaint.hpp"
#include "protocols/mime/dates.hpp"
#include "protocols/mime/delivery_report.hpp"
#include "protocols/mime/encoded_words.hpp"
#include "protocols/mime/parties.hpp"

namespace view {
namespace {

namespace json = boost::json;
using mime::Part;

constexpr std::size_t calendar_bytes_looked_at = 4096;
constexpr std::size_t name_bytes_max = 200;
constexpr std::size_t keys = 40;  // of a document

/// JSON has no place for bytes that are no text.
std::string valid(std::string text) {
    std::replace(text.begin(), text.end(), '\0', ' ');
    if (!mime::is_utf8(text)) return mime::decoded_text(text, "utf-8").utf8;
    return text;
}

/// In lower case, without quotes or language; empty: it says nothing about other bytes.
std::string likely_charset(const std::vector<Part>& parts) {
    for (const auto& part : parts) {
        if (!part.type.value.starts_with("text/")) continue;
        auto charset = text::lowered(part.type.at("charset"));
        if (charset != "utf-8" && charset != "us-ascii" && mime::is_charset(charset)) return charset;
    }
    return {};
}

std::string name_of(const Part& part) {
    const auto of_disposition = part.disposition.at("filename");
    return std::string(of_disposition.empty() ? part.type.at("name") : of_disposition);
}

std::string content_id_of(const Part& part) {
    const auto ids = mime::message_ids_in(part.head.value("Content-ID"));
    if (ids.empty()) return {};
    const auto& id = ids.front();
    return id.starts_with('<') ? id.substr(1, id.size() - 2) : id;
}

/// The end of the longest piece of whole characters within `bytes_max`.
std::size_t cut(std::string_view utf8, std::size_t bytes_max) {
    if (utf8.size() <= bytes_max) return utf8.size();
    while (bytes_max > 0 && (static_cast<unsigned char>(utf8[bytes_max]) & 0xc0U) == 0x80) --bytes_max;
    return bytes_max;
}

/// Builds the document of one mail.
class Document {
public:
    Document(std::string_view mail, const Limits& limits, const json::storage_ptr& memory)
        : mail_(mail), limits_(limits), out_(memory) {
        out_.reserve(keys);
    }

    json::object whole() {
        parts_ = mime::read_parts(mail_, limits_.mime);
        likely_ = likely_charset(parts_.all);
        out_["readable"] = parts_.unreadable_because.empty();
        if (!parts_.unreadable_because.empty()) out_["why"] = parts_.unreadable_because;
        put_head(parts_.all.front().head);
        if (parts_.unreadable_because.empty()) put_body();
        return std::move(out_);
    }

    json::object head_alone() {
        const auto head = mime::read_header_section(mail_, limits_.mime);
        likely_ = text::lowered(mime::read_parameters(head.value("Content-Type")).at("charset"));
        put_head(head);
        return std::move(out_);
    }

private:
    using Section = mime::HeaderSection;

    std::string words(std::string_view value) const { return mime::decoded_words(value, likely_); }

    void put_head(const Section& head) {
        subject_ = words(head.value("Subject"));
        out_["subject"] = subject_;
        for (const auto& [field, key] :
             {std::pair("From", "from"), std::pair("Sender", "sender"), std::pair("Reply-To", "reply_to"),
              std::pair("To", "to"), std::pair("Cc", "cc"), std::pair("Bcc", "bcc")})
            put_parties(head, field, key);
        put_date(head);
        put_ids(head);
        json::array fields(out_.storage());
        fields.reserve(head.fields.size());
        for (const auto& field : head.fields) {
            auto& entry = fields.emplace_back(json::object(out_.storage())).as_object();
            entry.reserve(2);
            entry.emplace("name", field.name);
            if (mime::is_decoded(field.value))
                entry.emplace("value", field.value);
            else
                entry.emplace("value", words(field.value));
        }
        out_["headers"] = std::move(fields);
        put_automatic(head);
        if (head.broken || !head.complete) flaw("the header section has lines that are no fields, or no end");
    }

    void put_parties(const Section& head, std::string_view field, std::string_view key) {
        json::array list(out_.storage());
        for (const auto& one : head.fields) {
            if (!text::same(one.name, field)) continue;
            for (const auto& party : mime::parties_in(one.value, likely_)) {
                if (list.size() == mime::parties_max) break;
                auto& entry = list.emplace_back(json::object(out_.storage())).as_object();
                entry.emplace("name", party.name);
                entry.emplace("address", party.address);
                if (!party.group.empty()) entry.emplace("group", party.group);
            }
        }
        if (!list.empty() || key == "from" || key == "to") out_[key] = std::move(list);
    }

    void put_date(const Section& head) {
        const auto date = mime::read_date(head.value("Date"));
        if (date) {
            out_["date"] = mime::date_text({date->at, std::chrono::minutes(0)});
            out_["date_local"] = mime::date_text(*date);
        } else {
            out_["date"] = nullptr;
        }
    }

    void put_ids(const Section& head) {
        const auto ids = mime::message_ids_in(head.value("Message-ID"));
        if (ids.empty())
            out_["message_id"] = nullptr;
        else
            out_["message_id"] = ids.front();
        put_list("in_reply_to", mime::message_ids_in(head.value("In-Reply-To")));
        put_list("references", mime::message_ids_in(head.value("References")));
        for (const auto& [field, key] :
             {std::pair("Thread-Topic", "thread_topic"), std::pair("Thread-Index", "thread_index")}) {
            if (head.field(field) != nullptr) out_[key] = words(head.value(field));
        }
        if (limits_.mark_field.empty() || head.field(limits_.mark_field) == nullptr) return;
        out_["submission_mark"] = words(head.value(limits_.mark_field));
    }

    void put_list(std::string_view key, const std::vector<std::string>& items) {
        json::array list(out_.storage());
        for (const auto& item : items) list.emplace_back(item);
        out_[key] = std::move(list);
    }

    /// What the header section says by itself; reports may say otherwise.
    void put_automatic(const Section& head) {
        out_["is_bounce"] = false;
        out_["is_complaint"] = false;
        const auto reply = mime::why_auto_reply(head, subject_);
        out_["is_auto_reply"] = !reply.empty();
        if (!reply.empty()) out_["auto_reply"] = json::object({{"by", reply}}, out_.storage());
        const auto list = mime::read_list(head);
        out_["is_list"] = list.is_list;
        if (list.is_list || !list.unsubscribe.empty()) {
            json::object about(out_.storage());
            if (!list.id.empty()) about["id"] = list.id;
            if (!list.post.empty()) about["post"] = list.post;
            json::array urls(out_.storage());
            for (const auto& url : list.unsubscribe) urls.emplace_back(url);
            about["unsubscribe"] = std::move(urls);
            about["one_click"] = list.one_click;
            out_["list"] = std::move(about);
        }
        const auto loop = mime::why_loop(head);
        out_["is_loop"] = !loop.empty();
        if (!loop.empty()) out_["loop"] = json::object({{"why", loop}}, out_.storage());
    }

    void put_body() {
        json::array attachments(out_.storage()), calendars(out_.storage());
        std::string text, html;
        bool has_text = false, has_html = false;
        bool tnef = false;
        for (std::size_t number = 0; number < parts_.all.size(); ++number) {
            const auto& part = parts_.all[number];
            if (part.kind == Part::Kind::multipart) note_seal(part);
            if (part.kind == Part::Kind::multipart || !mime::is_own(parts_, part)) continue;
            const auto kind = kind_of(part);
            if (kind == "text" || kind == "html") {
                const bool plain = kind == "text";
                add_text(part, plain ? text : html, plain ? has_text : has_html);
                continue;
            }
            if (part.type.value == "application/pkcs7-mime" || part.type.value == "application/x-pkcs7-mime")
                note_envelope(part);
            tnef = tnef || kind == "tnef";
            attachments.push_back(attachment(part, number, kind));
            if (kind == "calendar") calendars.push_back(calendar(part, number));
        }
        put_text("text", text, has_text);
        put_text("html", html, has_html);
        out_["attachments"] = std::move(attachments);
        if (!calendars.empty()) out_["calendars"] = std::move(calendars);
        out_["has_tnef"] = tnef;
        out_["is_signed"] = signed_;
        out_["is_encrypted"] = encrypted_;
        out_["parts"] = parts_.all.size();
        if (parts_.unended) flaw("a multipart without its last boundary");
        put_reports();
        if (!flaws_.empty()) put_list("flaws", flaws_);
    }

    /// What a leaf, or a mail within, is for whoever reads the mail.
    std::string_view kind_of(const Part& part) const {
        const std::string_view type = part.type.value;
        if (part.kind == Part::Kind::message || type == "message/rfc822" || type == "message/global") return "message";
        if (type == "application/ms-tnef" || type == "application/vnd.ms-tnef") return "tnef";
        if (text::same(name_of(part), "winmail.dat")) return "tnef";
        if (type == "text/calendar" || type == "application/ics") return "calendar";
        if (type == "application/pkcs7-signature" || type == "application/x-pkcs7-signature" ||
            type == "application/pgp-signature")
            return "signature";
        if (type == "application/pkcs7-mime" || type == "application/x-pkcs7-mime") return "envelope";
        if (type.starts_with("message/")) return "report";
        const bool shown = part.disposition.value != "attachment" && name_of(part).empty();
        if (shown && type == "text/plain") return "text";
        if (shown && type == "text/html") return "html";
        // A multipart that nobody can take apart, with what it holds: better shown than lost.
        if (shown && type.starts_with("multipart/")) return "text";
        return "file";
    }

    void note_seal(const Part& part) {
        if (!mime::is_own(parts_, part)) return;
        signed_ = signed_ || part.type.value == "multipart/signed";
        encrypted_ = encrypted_ || part.type.value == "multipart/encrypted";
    }
    /// RFC 8551 §3.2.2: without the parameter it is enveloped.
    void note_envelope(const Part& part) {
        const auto smime = text::lowered(part.type.at("smime-type"));
        signed_ = signed_ || smime == "signed-data";
        encrypted_ = encrypted_ || smime.empty() || smime == "enveloped-data" || smime == "authenveloped-data";
    }

    void add_text(const Part& part, std::string& to, bool& has) {
        const bool html = part.type.value == "text/html";
        std::string declared(part.type.at("charset"));
        if (to.size() >= limits_.text_bytes_max) {
            truncated_ = true;
            return;
        }
        // A character of most charsets takes no more bytes there than in UTF-8, but for those of UTF-16 and -32.
        const auto wanted = 4 * (limits_.text_bytes_max - to.size()) + 4;
        const bool identity = part.encoding == mime::Entity::Encoding::identity;
        std::string decoded = identity ? std::string() : mime::decoded_body(part, wanted);
        const std::string_view bytes = identity ? part.body.substr(0, wanted) : std::string_view(decoded);
        if (html && !mime::is_charset(declared)) declared = mime::charset_of_html(bytes);
        auto text = mime::decoded_text(bytes, declared, likely_);
        if (text.damaged) flaw("text with bytes that are not of its charset");
        if (part.encoding == mime::Entity::Encoding::unknown) flaw("text in an unknown transfer encoding");
        if (has && !to.ends_with('\n')) to += '\n';
        has = true;
        append_lines(text.utf8, to);
    }

    /// With LF alone as its line end, and no NUL, which many stores of JSON refuse.
    void append_lines(std::string_view text, std::string& to) {
        to.reserve(to.size() + text.size());
        const auto begin = to.size();
        while (!text.empty()) {
            const auto stop = std::min(text.find('\r'), text.size());
            to += text.substr(0, stop);
            text.remove_prefix(stop);
            if (text.empty()) break;
            if (!text.substr(1).starts_with('\n')) to += '\n';
            text.remove_prefix(1);
        }
        if (to.find('\0', begin) != std::string::npos) {
            const std::string all = std::exchange(to, {});
            for (const char c : all) to += c == '\0' ? std::string_view("\xef\xbf\xbd") : std::string_view(&c, 1);
        }
        const auto end = cut(to, limits_.text_bytes_max);
        truncated_ = truncated_ || end < to.size();
        to.resize(end);
    }

    void put_text(std::string_view key, const std::string& text, bool has) {
        if (has)
            out_[key] = text;
        else
            out_[key] = nullptr;
        out_["truncated"] = truncated_;
    }

    json::object attachment(const Part& part, std::size_t number, std::string_view kind) const {
        json::object about(out_.storage());
        about["part"] = number;
        about["kind"] = kind;
        about["name"] = valid(name_of(part));
        about["type"] = valid(part.type.value);
        about["size"] = mime::decoded_body_bytes(part);
        about["disposition"] = valid(part.disposition.value);
        if (const auto id = content_id_of(part); !id.empty()) about["content_id"] = valid(id);
        if (const auto charset = part.type.at("charset"); !charset.empty())
            about["charset"] = valid(std::string(charset));
        return about;
    }

    json::object calendar(const Part& part, std::size_t number) const {
        std::string method(part.type.at("method"));
        if (method.empty()) {
            const auto text = mime::text_of(part, calendar_bytes_looked_at);
            const auto at = text::find_same(text, "\nMETHOD:");
            if (at != std::string_view::npos) {
                const auto value = std::string_view(text).substr(at + 8);
                method = text::trimmed(value.substr(0, value.find('\n')));
            }
        }
        std::transform(method.begin(), method.end(), method.begin(), text::upper);
        json::object about(out_.storage());
        about["part"] = number;
        about["method"] = valid(method);
        return about;
    }

    void put_reports() {
        if (auto report = mime::read_feedback_report(parts_, limits_.mark_field)) {
            out_["is_complaint"] = report->is_complaint();
            out_["complaint"] = of(*report);
            no_reply();
        } else if (auto delivery = mime::read_delivery_report(parts_, limits_.mark_field)) {
            out_["is_bounce"] = delivery->is_bounce();
            out_["delivery_report"] = of(*delivery);
            no_reply();
        }
    }
    /// A report is sent by a program, and answers a mail: it is a report all the same.
    void no_reply() {
        out_["is_auto_reply"] = false;
        out_.erase("auto_reply");
    }

    json::object of(const mime::ReportedMail& mail) const {
        json::object about(out_.storage());
        if (!mail.message_id.empty()) about["message_id"] = valid(mail.message_id);
        if (!mail.subject.empty()) about["subject"] = valid(mail.subject);
        if (!mail.mark.empty()) about["submission_mark"] = valid(mail.mark);
        if (mail.date) about["date"] = mime::date_text({mail.date->at, std::chrono::minutes(0)});
        return about;
    }

    json::object of(const mime::FeedbackReport& report) const {
        json::object about(out_.storage());
        about["type"] = valid(report.type);
        if (!report.user_agent.empty()) about["user_agent"] = valid(report.user_agent);
        if (!report.source_ip.empty()) about["source_ip"] = valid(report.source_ip);
        if (const auto date = mime::read_date(report.arrived))
            about["arrived_at"] = mime::date_text({date->at, std::chrono::minutes(0)});
        json::array recipients(out_.storage());
        for (const auto& recipient : report.recipients) recipients.emplace_back(valid(recipient));
        about["recipients"] = std::move(recipients);
        about["about"] = of(report.about);
        return about;
    }

    json::object of(const mime::DeliveryReport& report) const {
        json::object about(out_.storage());
        about["dialect"] = report.dialect;
        if (!report.reporter.empty()) about["reporter"] = valid(report.reporter);
        if (!report.envelope_id.empty()) about["envelope_id"] = valid(report.envelope_id);
        json::array recipients(out_.storage());
        for (const auto& recipient : report.recipients) {
            json::object one(out_.storage());
            one["address"] = valid(recipient.address);
            if (!recipient.original.empty()) one["original"] = valid(recipient.original);
            one["action"] = valid(recipient.action);
            one["status"] = valid(recipient.status);
            one["diagnostic"] = valid(recipient.diagnostic);
            if (!recipient.remote.empty()) one["remote"] = valid(recipient.remote);
            recipients.push_back(std::move(one));
        }
        about["recipients"] = std::move(recipients);
        about["about"] = of(report.about);
        return about;
    }

    void flaw(std::string_view what) {
        if (std::find(flaws_.begin(), flaws_.end(), what) == flaws_.end()) flaws_.emplace_back(what);
    }

    std::string_view mail_;
    Limits limits_;
    json::object out_;
    mime::Parts parts_;
    std::string likely_;
    std::string subject_;
    std::vector<std::string> flaws_;
    bool truncated_ = false;
    bool signed_ = false;
    bool encrypted_ = false;
};

}  // namespace

json::object view_of(std::string_view mail, const Limits& limits, const json::storage_ptr& memory) {
    return Document(mail, limits, memory).whole();
}

json::object headers_of(std::string_view mail, const Limits& limits, const json::storage_ptr& memory) {
    return Document(mail, limits, memory).head_alone();
}

std::optional<File> file_of(std::string_view mail, std::size_t number, const Limits& limits) {
    const auto parts = mime::read_parts(mail, limits.mime);
    if (number >= parts.all.size()) return std::nullopt;
    const auto& part = parts.all[number];
    return File{valid(name_of(part)), valid(part.type.value), mime::decoded_body(part)};
}

std::string disposition_of(std::string_view name) {
    if (const auto folder = name.find_last_of("/\\"); folder != std::string_view::npos) name.remove_prefix(folder + 1);
    name = name.substr(0, cut(name, name_bytes_max));
    std::string ascii, percent;
    bool plain = true;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        const bool letter = (c >= '0' && c <= '9') || (text::lower(c) >= 'a' && text::lower(c) <= 'z');
        const bool harmless = letter || std::string_view("-_.").find(c) != std::string_view::npos;
        if (byte < 0x20 || byte == 0x7f) continue;
        plain = plain && (harmless || c == ' ');
        ascii += harmless || c == ' ' ? c : '_';
        if (harmless)
            percent += c;
        else
            percent += fmt::format("%{:02X}", byte);
    }
    if (ascii.empty() || ascii == "." || ascii == "..") return "attachment";
    auto value = fmt::format("attachment; filename=\"{}\"", ascii);
    if (!plain) value += "; filename*=UTF-8''" + percent;
    return value;
}

}  // namespace view

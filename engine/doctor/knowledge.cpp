#include "engine/doctor/knowledge.hpp"

#include <algorithm>
#include <utility>

#include "protocols/base/ensure.hpp"
#include "protocols/base/text.hpp"

namespace doctor {
namespace {

/// Whether the parts of `wanted`, which * keeps apart, are in `says` in their order.
bool holds(std::string_view says, std::string_view wanted) noexcept {
    while (!wanted.empty()) {
        const auto part = wanted.substr(0, wanted.find('*'));
        wanted.remove_prefix(std::min(part.size() + 1, wanted.size()));
        const auto at = text::find_same(says, part);
        if (at == std::string_view::npos) return false;
        says.remove_prefix(at + part.size());
    }
    return true;
}

bool shows(std::string_view says, const Knowledge& row) noexcept {
    return std::any_of(row.texts.begin(), row.texts.end(),
                       [says](std::string_view text) { return !text.empty() && holds(says, text); });
}

}  // namespace

std::span<const std::span<const Knowledge>> knowledge() noexcept {
    static const std::array tables{exchange_smtp_texts(), exchange_pop3_texts(), exchange_imap_texts(),
                                   gmail_texts(),         own_texts(),           account_knowledge(),
                                   way_knowledge(),       imap_codes(),          pop3_codes()};
    return tables;
}

const Knowledge* known(std::string_view id) noexcept {
    for (const auto table : knowledge()) {
        for (const auto& row : table) {
            if (row.id == id) return &row;
        }
    }
    return nullptr;
}

const Knowledge* known_by(std::string_view says) noexcept { return known_by(says, {}); }

const Knowledge* known_by(std::string_view says, std::string_view about) noexcept {
    for (const auto table : knowledge()) {
        for (const auto& row : table) {
            if (row.about.starts_with(about) && shows(says, row)) return &row;
        }
    }
    return nullptr;
}

std::string filled(std::string_view text, const Names& names) {
    const std::pair<std::string_view, const std::string&> known[]{
        {"id", names.id},         {"host_name", names.host_name},   {"mailbox", names.mailbox},
        {"user", names.user},     {"credential", names.credential}, {"client_id", names.client_id},
        {"tenant", names.tenant}, {"object_id", names.principal},   {"provider", names.provider},
        {"host", names.host},     {"folder", names.folder},         {"redirect_uri", names.redirect_uri}};
    std::string out;
    while (!text.empty()) {
        const auto open = std::min(text.find('{'), text.size());
        out += text.substr(0, open);
        text.remove_prefix(open);
        const auto close = text.find('}');
        if (close == std::string_view::npos) break;
        const auto name = text.substr(1, close - 1);
        const auto* place =
            std::find_if(std::begin(known), std::end(known), [name](const auto& one) { return one.first == name; });
        if (place == std::end(known)) {
            out += text.substr(0, close + 1);
        } else if (!place->second.empty()) {
            out += place->second;
        } else {
            for (const char c : name) out += text::upper(c);
        }
        text.remove_prefix(close + 1);
    }
    return out += text;
}

Finding found(std::string_view id, Subject subject, std::string did, std::string got, const Names& names) {
    const auto* row = known(id);
    ensure(row != nullptr, "what is found is known");
    Finding finding;
    finding.id = id;
    finding.severity = row->severity;
    finding.owner = row->owner;
    finding.subject = std::move(subject);
    finding.did = std::move(did);
    finding.got = std::move(got);
    finding.cause = filled(row->cause, names);
    finding.remedy = filled(row->remedy, names);
    return finding;
}

Finding fine(std::string id, Subject subject, std::string did, std::string got) {
    Finding finding;
    finding.id = std::move(id);
    finding.subject = std::move(subject);
    finding.did = std::move(did);
    finding.got = std::move(got);
    return finding;
}

}  // namespace doctor

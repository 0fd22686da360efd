// What a session does with folders and messages.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "protocols/base/text.hpp"
#include "tools/rohrpost-sim/imap_session.hpp"

namespace sim {

namespace {

std::string quoted(std::string_view name) { return fmt::format("\"{}\"", name); }

std::uint32_t largest_uid(const Folder& folder) {
    const auto last =
        std::find_if(folder.entries.rbegin(), folder.entries.rend(), [](const Entry& entry) { return !entry.hidden; });
    return last == folder.entries.rend() ? 0 : last->uid;
}

/// "1-Feb-2026" at 00:00 UTC as seconds since 1970.
std::optional<std::uint32_t> read_date(std::string_view text) {
    constexpr std::string_view months = "janfebmaraprmayjunjulaugsepoctnovdec";
    const auto parts = text::split(text, '-');
    if (parts.size() != 3) return std::nullopt;
    const auto day = text::number<unsigned>(parts[0]);
    const auto year = text::number<int>(parts[2]);
    const std::size_t month = months.find(text::lowered(parts[1]));
    if (!day || !year || month == std::string_view::npos) return std::nullopt;
    const std::chrono::year_month_day date{
        std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(month / 3 + 1)), std::chrono::day(*day)};
    if (!date.ok()) return std::nullopt;
    const auto since = std::chrono::sys_days(date).time_since_epoch();
    return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(since).count());
}

/// What a SEARCH looks for; all of it must hold.
struct Criteria {
    std::vector<Range> uids{{0, UINT32_MAX}};
    std::uint32_t received_from = 0;
    std::uint32_t received_before = UINT32_MAX;
    std::uint8_t with = 0, without = 0;  // flags
    struct Field {
        std::string name, value;
        bool wanted = true;  // false: NOT
    };
    std::vector<Field> fields;  // HEADER; an empty value: the field is there

    [[nodiscard]] bool met_by(const Entry& entry, const Folder& folder, const Sizes& sizes) const {
        const bool named = std::any_of(uids.begin(), uids.end(), [&](const Range& range) {
            return range.first <= entry.uid && entry.uid <= range.last;
        });
        if (!named || entry.hidden || entry.received < received_from || entry.received >= received_before) return false;
        if ((entry.flags & with) != with || (entry.flags & without) != 0) return false;
        return std::all_of(fields.begin(), fields.end(), [&](const Field& field) {
            Wanted::Section section;
            section.name = "HEADER.FIELDS";
            section.fields = {field.name};
            const std::string found = section_of(folder.bytes_of(entry, sizes), section);
            return (found.size() > 2 && text::find_same(found, field.value) != std::string_view::npos) == field.wanted;
        });
    }
};

/// nullopt: a key that this server doesn't know.
std::optional<Criteria> read_criteria(const std::vector<std::string>& words, std::uint32_t largest) {
    constexpr std::uint32_t day = 86'400;
    Criteria criteria;
    for (std::size_t at = 0; at < words.size(); ++at) {
        const std::string key = text::lowered(words[at]);
        const std::string value = at + 1 < words.size() ? words[at + 1] : "";
        if (key == "all") continue;
        if (key == "seen" || key == "unseen") {
            (key == "seen" ? criteria.with : criteria.without) |= Flag::seen;
        } else if (key == "deleted" || key == "undeleted") {
            (key == "deleted" ? criteria.with : criteria.without) |= Flag::deleted;
        } else if (key == "uid") {
            auto set = read_set(value, largest);
            if (!set) return std::nullopt;
            criteria.uids = std::move(*set);
            ++at;
        } else if (key == "since" || key == "before" || key == "on") {
            const auto date = read_date(value);
            if (!date) return std::nullopt;
            if (key != "before") criteria.received_from = *date;
            if (key != "since") criteria.received_before = key == "on" ? *date + day : *date;
            ++at;
        } else if (key == "header" && at + 2 < words.size()) {
            const bool negated = at > 0 && text::same(words[at - 1], "not");
            criteria.fields.push_back({value, words[at + 2], !negated});
            at += 2;
        } else if (key == "not" && text::same(value, "header")) {
            continue;  // the next key looks back
        } else {
            return std::nullopt;
        }
    }
    return criteria;
}

}  // namespace

void ImapSession::list(const Command& command) {
    const std::string& pattern = command.words[1];
    if (pattern.empty()) say("* LIST (\\Noselect) \"/\" \"\"");
    for (const Folder* folder : world_.folders(mailbox_)) {
        if (folder->name == "Sent Items" && world_.faults.looms(FaultKind::hide_sent, mailbox_)) continue;
        const bool wanted = pattern == "*" || pattern == "%" || text::same(pattern, folder->name);
        const std::string_view use = folder->name == "Sent Items"      ? " \\Sent"
                                     : folder->name == "Deleted Items" ? " \\Trash"
                                     : folder->name == "Archive"       ? " \\Archive"
                                                                       : "";
        if (wanted) say(fmt::format("* LIST (\\HasNoChildren{}) \"/\" {}", use, quoted(folder->name)));
    }
    ok(command);
}

void ImapSession::status(const Command& command) {
    const Folder* folder = world_.folder(mailbox_, command.words[0]);
    if (folder == nullptr) return no(command, "[NONEXISTENT] " + command.words[0] + " doesn't exist.");
    say(fmt::format("* STATUS {} (MESSAGES {} UIDNEXT {} UIDVALIDITY {})", quoted(folder->name), folder->entries.size(),
                    folder->uid_next, folder->uid_validity));
    ok(command);
}

void ImapSession::open(const Command& command) {
    leave_folder();
    Folder* folder = world_.folder(mailbox_, command.words[0]);
    if (folder == nullptr) return no(command, "[NONEXISTENT] " + command.words[0] + " doesn't exist.");
    folder_ = folder;
    folder_->watch(*this);
    read_only_ = command.verb == "EXAMINE";
    say(fmt::format("* {} EXISTS", folder->entries.size()));
    say("* 0 RECENT");
    say("* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $MDNSent)");
    say("* OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $MDNSent)] Permanent flags");
    say(fmt::format("* OK [UIDVALIDITY {}] UIDVALIDITY value", folder->uid_validity));
    say(fmt::format("* OK [UIDNEXT {}] The next unique identifier value", folder->uid_next));
    ok(command, fmt::format("[{}] {} completed.", read_only_ ? "READ-ONLY" : "READ-WRITE", command.verb));
}

void ImapSession::leave_folder() {
    if (folder_ != nullptr) folder_->unwatch(*this);
    folder_ = nullptr;
    news_.clear();
}

std::optional<std::vector<Range>> ImapSession::uids_of(const Command& command) const {
    if (command.verb.starts_with("UID ")) return read_set(command.words[0], largest_uid(*folder_));
    const auto count = static_cast<std::uint32_t>(folder_->entries.size());
    auto ranges = read_set(command.words[0], count);
    if (!ranges) return std::nullopt;
    for (Range& range : *ranges) {
        if (range.first == 0 || range.last > count) return std::nullopt;
        range = {folder_->entries[range.first - 1].uid, folder_->entries[range.last - 1].uid};
    }
    return ranges;
}

void ImapSession::search(const Command& command) {
    ++world_.counters.searches;
    const bool by_uid = command.verb == "UID SEARCH";
    const auto criteria = read_criteria(command.words, largest_uid(*folder_));
    if (!criteria) return bad(command);
    if (by_uid) tell_news();
    std::string line = "* SEARCH";
    for (std::size_t at = 0; at < folder_->entries.size(); ++at) {
        const Entry& entry = folder_->entries[at];
        if (!criteria->met_by(entry, *folder_, world_.population().sizes)) continue;
        line += ' ';
        line += std::to_string(by_uid ? entry.uid : at + 1);
    }
    say(line);
    ok(command);
}

void ImapSession::store(const Command& command) {
    if (read_only_) return no(command, "Command received in Invalid state.");
    const auto ranges = uids_of(command);
    const std::string action = text::lowered(command.words[1]);
    if (!ranges || action.find("flags") == std::string::npos) return bad(command);
    if (refuse_change(command)) return;
    tell_news();
    const std::uint8_t named = read_flags(command.words[2]);
    for (const Range& range : *ranges)
        for (std::size_t at = folder_->index_from(range.first);
             at < folder_->entries.size() && folder_->entries[at].uid <= range.last; ++at) {
            Entry& entry = folder_->entries[at];
            const int kept = action.front() == '-' ? entry.flags & ~named : action.front() == '+' ? entry.flags : 0;
            entry.flags = static_cast<std::uint8_t>(action.front() == '-' ? kept : kept | named);
            const std::string line =
                fmt::format("* {} FETCH (UID {} FLAGS ({}))", at + 1, entry.uid, flags_text(entry.flags));
            if (!action.ends_with(".silent")) say(line);
            folder_->tell(line, this);
        }
    changed(command);
}

void ImapSession::create(const Command& command) {
    if (!world_.make_folder(mailbox_, command.words[0])) return no(command, "[ALREADYEXISTS] Folder exists.");
    ok(command);
}

void ImapSession::copy(const Command& command) {
    const bool moving = command.verb == "UID MOVE";
    if (moving && world_.faults.looms(FaultKind::no_move, mailbox_)) return bad(command);
    if (moving && read_only_) return no(command, "Command received in Invalid state.");
    const auto ranges = uids_of(command);
    if (!ranges) return bad(command);
    Folder* const to = world_.folder(mailbox_, command.words[1]);
    if (to == nullptr) return no(command, "[TRYCREATE] " + command.words[1] + " doesn't exist.");
    if (refuse_change(command)) return;
    tell_news();
    std::string originals, copies;
    std::vector<std::uint32_t> moved;
    for (const Range& range : *ranges)
        for (std::size_t at = folder_->index_from(range.first);
             at < folder_->entries.size() && folder_->entries[at].uid <= range.last; ++at) {
            const Entry entry = folder_->entries[at];
            if (entry.hidden) continue;
            originals += (originals.empty() ? "" : ",") + std::to_string(entry.uid);
            copies += (copies.empty() ? "" : ",") + std::to_string(world_.copy(*folder_, entry, *to));
            moved.push_back(entry.uid);
        }
    const std::string code = fmt::format("[COPYUID {} {} {}]", to->uid_validity, originals, copies);
    if (moving && !moved.empty()) say(fmt::format("* OK {} moved", code));
    for (std::size_t at = 0; moving && at < moved.size(); ++at) {
        say(fmt::format("* {} EXPUNGE", folder_->index_from(moved[at]) + 1));
        folder_->remove(moved[at], this);
    }
    changed(command, moving || moved.empty() ? "" : code + " copied.");
}

bool ImapSession::refuse_change(const Command& command) {
    const auto ranges = command.words.empty() ? std::nullopt : uids_of(command);
    const auto fault = world_.faults.pick(FaultKind::refuse_change, mailbox_, [&](std::uint32_t uid) {
        return uid == 0 || !ranges || std::any_of(ranges->begin(), ranges->end(), [uid](const Range& range) {
                   return range.first <= uid && uid <= range.last;
               });
    });
    if (!fault) return false;
    std::string words = fault->row.empty() ? "[NOPERM] Permission denied." : fault->row;
    std::replace(words.begin(), words.end(), '_', ' ');
    no(command, words);
    return true;
}

void ImapSession::changed(const Command& command, std::string_view text) {
    if (!world_.faults.strike(FaultKind::change_lost_reply, mailbox_)) return ok(command, text);
    leave_folder();
    connection_->cut();
}

void ImapSession::expunge(const Command& command) {
    if (read_only_) return no(command, "Command received in Invalid state.");
    tell_news();
    std::vector<Range> ranges{{0, UINT32_MAX}};
    if (command.verb == "UID EXPUNGE") {
        auto named = uids_of(command);
        if (!named) return bad(command);
        ranges = std::move(*named);
        if (world_.faults.looms(FaultKind::no_uidplus, mailbox_)) return bad(command);
    }
    if (refuse_change(command)) return;
    std::vector<std::uint32_t> doomed;
    for (const Entry& entry : folder_->entries) {
        const bool named = std::any_of(ranges.begin(), ranges.end(), [&](const Range& range) {
            return range.first <= entry.uid && entry.uid <= range.last;
        });
        if (named && (entry.flags & Flag::deleted) != 0) doomed.push_back(entry.uid);
    }
    for (const std::uint32_t uid : doomed) {
        if (command.verb != "CLOSE") say(fmt::format("* {} EXPUNGE", folder_->index_from(uid) + 1));
        folder_->remove(uid, this);
    }
    changed(command);
}

awaitable<void> ImapSession::fetch(Command command) {
    const auto ranges = uids_of(command);
    auto wanted = read_wanted(command.words[1]);
    const bool tells_email_ids = style_.after_login.find("X-GM-EXT-1") != std::string_view::npos;
    if (wanted && wanted->email_id && !tells_email_ids) wanted.reset();
    if (!ranges || !wanted) {
        bad(command, ranges ? "Command Argument Error. 12" : "The specified message set is invalid.");
        co_return;
    }
    const bool by_uid = command.verb == "UID FETCH";
    wanted->uid = wanted->uid || by_uid;
    bool refused = false;
    for (const Range& range : *ranges) {
        std::uint32_t next = range.first;
        while (folder_ != nullptr) {
            if (by_uid) tell_news();
            const std::size_t at = folder_->index_from(next);
            if (at == folder_->entries.size() || folder_->entries[at].uid > range.last) break;
            const Entry& entry = folder_->entries[at];
            next = entry.uid + 1;
            if (entry.hidden || world_.faults.strike(FaultKind::no_data, mailbox_, entry.uid)) continue;
            if (world_.faults.strike(FaultKind::refuse_uid, mailbox_, entry.uid)) {
                refused = true;
                continue;
            }
            const bool going_on = co_await fetch_one(entry.uid, *wanted);
            if (!going_on) co_return;
        }
    }
    if (folder_ == nullptr) co_return;
    if (refused)
        no(command, "The requested message could not be converted to an RFC-822 compatible format.");
    else
        ok(command);
}

awaitable<bool> ImapSession::fetch_one(std::uint32_t uid, const Wanted& wanted) {
    const Sizes& sizes = world_.population().sizes;
    const std::size_t at = folder_->index_from(uid);
    Entry& entry = folder_->entries[at];
    const bool uid_last = world_.faults.strike(FaultKind::uid_last, mailbox_, uid).has_value();
    std::string line = fmt::format("* {} FETCH (", at + 1);
    const auto add = [&line](std::string_view item) {
        if (line.back() != '(') line += ' ';
        line += item;
    };
    if (wanted.uid && !uid_last) add(fmt::format("UID {}", uid));
    if (wanted.email_id) add(fmt::format("X-GM-MSGID {}", entry.email_id));
    if (wanted.flags) add(fmt::format("FLAGS ({})", flags_text(entry.flags)));
    if (wanted.internal_date) add(fmt::format("INTERNALDATE \"{}\"", internal_date(entry.received)));
    if (wanted.size) {
        const auto wrong = world_.faults.strike(FaultKind::wrong_size, mailbox_, uid);
        const std::uint64_t error = !wrong ? 0 : wrong->value == 0 ? 1000 : wrong->value;
        add(fmt::format("RFC822.SIZE {}", folder_->size_of(entry, sizes) + error));
    }
    for (const Wanted::Section& section : wanted.sections) {
        const std::string part = section_of(folder_->bytes_of(entry, sizes), section);
        std::string fields = fmt::format("{}", fmt::join(section.fields, " "));
        if (!fields.empty()) fields = fmt::format(" ({})", fields);
        const std::string origin = section.partial ? fmt::format("<{}>", section.offset) : "";
        add(fmt::format("BODY[{}{}]{} {{{}}}\r\n", section.name, fields, origin, part.size()));
        if (const auto dropped = world_.faults.strike(FaultKind::drop_in_literal, mailbox_, uid)) {
            const std::size_t kept = dropped->value == 0 ? part.size() / 2 : dropped->value;
            connection_->send(line + part.substr(0, kept));
            co_await connection_->sent();
            connection_->cut();
            co_return false;
        }
        line += part;
        ++world_.counters.bodies_fetched;
        world_.counters.body_bytes_fetched += part.size();
        if (section.sets_seen && !read_only_) entry.flags |= Flag::seen;
    }
    if (wanted.uid && uid_last) add(fmt::format("UID {}", uid));
    connection_->send(line);
    connection_->send(")\r\n");
    const bool going_on = co_await connection_->room();
    co_return going_on;
}

awaitable<void> ImapSession::idle(Command command) {
    if (world_.faults.looms(FaultKind::no_idle, mailbox_)) {
        bad(command);
        co_return;
    }
    ++world_.counters.idles;
    say(fmt::format("+ {}", style_.idle_accepted));
    tell_news();
    idling_ = true;
    const auto line = co_await connection_->read_line(1024);
    idling_ = false;
    if (!line) co_return;
    if (text::same(*line, "DONE"))
        ok(command);
    else
        bad(command);
}

}  // namespace sim

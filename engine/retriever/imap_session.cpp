#include "engine/retriever/imap_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "engine/retriever/first_look.hpp"
#include "engine/runtime/log.hpp"
#include "protocols/imap/folder_choice.hpp"

namespace retriever {

using namespace std::chrono_literals;

namespace {

constexpr auto late_looks = 3U;  // Exchange announces mail before it can be fetched: look again soon, so often
constexpr auto late_pause = std::chrono::milliseconds(2s);
constexpr auto backfill_pause = std::chrono::milliseconds(1s);  // between two slices: what arrives goes first

constexpr auto vain_looks = 3U;  // a folder may promise what it never shows

}  // namespace

ImapSession::~ImapSession() {
    for (const auto& watch : watches_) watch->stop();
}

/// Fetches what is new, waits for news, and proves again and again that nothing was missed.
awaitable<Ended> ImapSession::stay(imap::Client& client) {
    Stay stay;
    auto unlooked = co_await find_folders(client, stay);
    if (unlooked) co_return std::move(*unlooked);
    if (hindered_.size() >= stay.folders.size()) hindered_.try_all();
    for (;;) {
        stay.audit_due = take_audit_due();
        stay.audit.reset();
        if (stay.audit_due != AuditDue::no) stay.audit.emplace();
        auto hindered = co_await take_all(client, stay);
        if (hindered) co_return std::move(*hindered);
        if (stay.audit && !told_to_stop()) hindered = co_await finish_audit(*std::exchange(stay.audit, std::nullopt));
        if (hindered) co_return std::move(*hindered);
        if (told_to_stop()) break;
        note_proof();
        stay.backfills = take_rung() || stay.backfills;
        const auto rings = house_.bell.rings(state_.number);
        hindered = co_await deal_with_mail(client, stay);
        if (hindered) co_return std::move(*hindered);
        if (told_to_stop()) break;
        if (stay.opened == nullptr) continue;  // for reading only again, before anything else
        house_.bell.answered(state_.number, rings);
        state_.caught_up = true;
        if (stay.backfills) {
            hindered = co_await take_older(client, stay);
            if (hindered) co_return std::move(*hindered);
            if (told_to_stop()) break;
            auto& waited_in = home(stay);
            if (stay.opened != &waited_in && !stay.backfills) continue;
            hindered = co_await open(client, stay, waited_in);
            if (hindered) co_return std::move(*hindered);
        }
        watch_folders(client, stay);
        News woken;
        if (has_heard(client, stay))
            woken.by = imap::Client::Woken::told;
        else
            woken = co_await wait_for_news(client, longest_wait(client, stay));
        seat().work();
        if (woken.ended) co_return std::move(*woken.ended);
        if (told_to_stop()) break;
        stay.pendings = FolderIntake::Pendings::leave;
        auto lost = co_await hear_watches(client, stay);
        if (lost) co_return std::move(*lost);
        if (woken.by != imap::Client::Woken::time || stay.backfills) continue;
        stay.pendings = FolderIntake::Pendings::retry;
        lost = co_await look_from_outside(client, stay);
        if (lost) co_return std::move(*lost);
    }
    auto ended = co_await take_leave(client);
    co_return ended;
}

/// Finds the folders that are fetched, and looks at new ones before anything is.
awaitable<std::optional<Ended>> ImapSession::find_folders(imap::Client& client, Stay& stay) {
    std::vector<std::string> names;
    const auto policy = after_policy_of(*mailbox_, place_->provider);
    auto except = policy.moves() ? policy.target : std::string();
    auto unfound = co_await find_names(client, std::move(except), names);
    if (unfound) co_return unfound;
    auto late = mailbox_->start;
    if (std::any_of(mailbox_->folders.begin(), mailbox_->folders.end(), imap::is_looked_up)) {
        auto start = co_await start_of_late_folders();
        if (!start) {
            Ended ended;
            ended.how = Ended::How::store;
            ended.reason = fmt::format("the store cannot be read: {}", start.error().message());
            co_return ended;
        }
        late = *start;
    }
    const auto is_named = [&names](const Folder& folder) {
        return std::find(names.begin(), names.end(), folder.intake.name()) != names.end();
    };
    hindered_.keep(names);
    for (auto folder = stay.folders.begin(); folder != stay.folders.end();) {
        if (is_named(*folder)) {
            ++folder;
            continue;
        }
        spdlog::info("mailbox={} folder={} is gone from the server, or not chosen any more", mailbox_->id,
                     runtime::value(folder->intake.name()));
        if (stay.opened == &*folder) stay.opened = nullptr;
        folder = stay.folders.erase(folder);
    }
    for (const auto& name : names) {
        const bool known = std::any_of(stay.folders.begin(), stay.folders.end(),
                                       [&name](const Folder& folder) { return folder.intake.name() == name; });
        if (known) continue;
        const auto& wanted = mailbox_->folders;
        const bool by_name = std::find(wanted.begin(), wanted.end(), name) != wanted.end();
        const auto start = by_name ? mailbox_->start : late;
        add_folder(stay, name, start);
        stay.opened = nullptr;
        auto& folder = stay.folders.back();
        if (is_left_out(stay, folder)) continue;
        auto ended = co_await look_first(client, folder);
        if (ended && ended->how != Ended::How::folder) co_return ended;
        if (ended) leave_out(stay, folder, *ended);
        if (told_to_stop()) break;
    }
    co_return std::nullopt;
}

/// A folder that appears when its pattern has been in use for a while holds mail that is new, whatever `start` says of
/// what was there before.
awaitable<Result<config::Start>> ImapSession::start_of_late_folders() {
    auto start = mailbox_->start;
    if (start.from != config::Start::From::fresh) co_return start;
    auto look_up = [name = fmt::format("folders of {}: {}", state_.number, fmt::join(mailbox_->folders, "\n")),
                    at = now()](store::Workbench bench) -> Result<std::optional<store::Millis>> {
        const auto known = bench.store.meta(name);
        if (!known) return known.error();
        std::int64_t millis = 0;
        if (*known && std::from_chars((*known)->data(), (*known)->data() + (*known)->size(), millis).ec == std::errc())
            return std::optional(store::Millis(std::chrono::milliseconds(millis)));
        const auto put = bench.store.put_meta(name, fmt::format_int(at.time_since_epoch().count()).str());
        if (!put) return put.error();
        return std::optional<store::Millis>();
    };
    auto since = co_await house_.committer.run(house_.inbox, std::move(look_up));
    if (!since) co_return since.error();
    if (*since) start = {config::Start::From::date, std::chrono::floor<std::chrono::days>(**since)};
    co_return start;
}

void ImapSession::add_folder(Stay& stay, const std::string& name, config::Start start) {
    const auto house = intake_house();
    std::vector<std::string> fetched{name};
    for (const auto& folder : stay.folders) fetched.push_back(folder.intake.name());
    for (const auto& folder : mailbox_->folders) fetched.push_back(folder);
    std::unique_ptr<AfterWork> after;
    if (mailbox_->after != config::After::keep) {
        AfterWork::Facts facts{mailbox_->id, state_.number, name, std::move(fetched),
                               after_policy_of(*mailbox_, place_->provider)};
        after = std::make_unique<AfterWork>(std::move(facts), house);
    }
    const auto& chosen = mailbox_->folders;
    const bool has_siblings = chosen.size() > 1 || std::any_of(chosen.begin(), chosen.end(), imap::is_looked_up);
    FolderIntake::Facts facts{mailbox_->id, state_.number, name, start, has_siblings};
    FolderIntake intake(std::move(facts), house_.options.sizes, house, house_.options.fetch);
    Backfilling older({mailbox_->id, state_.number, name}, house);
    stay.folders.push_back({std::move(intake), std::move(older), std::move(after), start});
}

/// What is there before anything is fetched.
awaitable<std::optional<Ended>> ImapSession::look_first(imap::Client& client, Folder& folder) {
    if (folder.looked_at) co_return std::nullopt;
    FirstLook::Facts facts{mailbox_->id, state_.number, folder.intake.name(), folder.start};
    FirstLook look(std::move(facts), intake_house());
    auto ended = co_await look.take(client);
    folder.looked_at = !ended;
    co_return ended;
}

/// It is tried again later, and by whoever asks for an audit.
void ImapSession::leave_out(Stay& stay, const Folder& folder, const Ended& hindered) {
    if (stay.opened == &folder) stay.opened = nullptr;
    const bool is_news = hindered_.note(folder.intake.name(), hindered, now(), house_.seams.random.fraction());
    if (!is_news || stay.folders.size() == 1) return;
    spdlog::warn("mailbox={} folder={} id=folder-left-out reason={}", mailbox_->id,
                 runtime::value(folder.intake.name()), runtime::value(hindered.reason));
}

void ImapSession::take_in(const Folder& folder) {
    if (!hindered_.contains(folder.intake.name())) return;
    hindered_.forget(folder.intake.name());
    spdlog::info("mailbox={} folder={} id=folder-left-out it can be fetched again", mailbox_->id,
                 runtime::value(folder.intake.name()));
}

bool ImapSession::is_left_out(const Stay& stay, const Folder& folder) const {
    const bool asked = stay.audit && stay.audit_due == AuditDue::all;
    return !asked && hindered_.waits(folder.intake.name(), now());
}

/// The folder that is waited in: the first one that can be fetched.
ImapSession::Folder& ImapSession::home(Stay& stay) const {
    for (auto& folder : stay.folders) {
        if (!hindered_.contains(folder.intake.name())) return folder;
    }
    return stay.folders.front();
}

/// For reading, unless it is open.
awaitable<std::optional<Ended>> ImapSession::open(imap::Client& client, Stay& stay, Folder& folder) {
    if (stay.opened == &folder) co_return std::nullopt;
    stay.opened = nullptr;
    auto ended = co_await look_first(client, folder);
    if (ended) co_return ended;
    ended = co_await folder.intake.open(client);
    if (!ended) stay.opened = &folder;
    co_return ended;
}

/// Fetches what is new, in every folder in which something may be. It ends the session when no folder can be fetched.
awaitable<std::optional<Ended>> ImapSession::take_all(imap::Client& client, Stay& stay) {
    std::uint64_t stored = 0;
    bool announced = false;  // and not to be had yet
    const bool was_open = stay.opened == &home(stay);
    const auto exists_before = was_open ? client.selected().exists : 0;
    const bool retry = stay.pendings == FolderIntake::Pendings::retry;
    for (auto at = stay.folders.rbegin(); at != stay.folders.rend(); ++at) {  // the first stays open
        auto& folder = *at;
        const bool waited_in = &folder == &home(stay);
        const bool was_hindered = hindered_.contains(folder.intake.name());
        if (!waited_in && !folder.due && !was_hindered && !stay.audit && !(retry && folder.intake.pending() > 0))
            continue;
        if (told_to_stop()) co_return std::nullopt;
        std::optional<Ended> hindered;
        const bool left_out = is_left_out(stay, folder);
        if (left_out)
            hindered = hindered_.reason(folder.intake.name());
        else
            hindered = co_await open(client, stay, folder);
        if (hindered && hindered->how != Ended::How::folder) co_return hindered;
        if (hindered) {
            if (!left_out) leave_out(stay, folder, *hindered);
            if (stay.audit)
                stay.audit->folders.push_back({.folder = folder.intake.name(), .not_compared = hindered->reason});
            continue;
        }
        if (told_to_stop()) co_return std::nullopt;
        enter(Phase::fetching);
        if (waited_in) stay.heard = client.arrivals();
        const auto began = house_.seams.timers.now();
        auto taken = co_await folder.intake.take_new(client, stay.pendings, leaving(), unfinished_);
        stored += taken.stored;
        state_.stored += taken.stored;
        if (taken.stored > 0) note_news();
        if (taken.stored + taken.known_before + taken.pending > 0) {
            const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(house_.seams.timers.now() - began);
            spdlog::info("mailbox={} folder={} stored={} bytes={} known_before={} pending={} through_uid={} took_ms={}",
                         mailbox_->id, runtime::value(folder.intake.name()), taken.stored, taken.bytes,
                         taken.known_before, taken.pending, folder.intake.cursor(), took.count());
        }
        if (taken.ended) {
            auto ended = std::move(*taken.ended);
            if (ended.how == Ended::How::folder) leave_out(stay, folder, ended);
            if (ended.how == Ended::How::folder && hindered_.size() < stay.folders.size()) {
                // In the middle of an answer, perhaps: a new connection goes on without the folder.
                ended.how = Ended::How::connection;
                ended.person_needed = false;
            }
            co_return ended;
        }
        take_in(folder);
        if (told_to_stop()) continue;
        folder.due =
            std::exchange(folder.announced, false) && taken.stored + taken.known_before == 0 && stay.late < late_looks;
        folder.announced = folder.due;
        announced = announced || folder.due;
        if (!stay.audit) continue;
        auto ended = co_await audit(client, folder.intake, stay);
        if (ended) co_return ended;
    }
    state_.hindered = hindered_.size() < stay.folders.size() ? hindered_.text() : std::string();
    if (hindered_.size() == stay.folders.size() && !told_to_stop())
        co_return hindered_.reason(stay.folders.front().intake.name());
    announced = announced || (client.selected().exists > exists_before && exists_before > 0);
    announced = announced || (stay.opened == &home(stay) && client.arrivals() != stay.heard);
    stay.late = announced && stored == 0 && stay.late < late_looks ? stay.late + 1 : 0;
    co_return std::nullopt;
}

/// What it finds is fetched at once, and compared again.
awaitable<std::optional<Ended>> ImapSession::audit(imap::Client& client, FolderIntake& folder, Stay& stay) {
    const bool is_long = !client.can("ESEARCH") && client.selected().exists > audited_each_time_max;
    if (is_long && stay.audit_due != AuditDue::all) {
        stay.audit->folders.push_back({.folder = folder.name(), .not_compared = "it is large: compared at night"});
        co_return std::nullopt;
    }
    auto audited = co_await folder.audit(client);
    if (audited.ended) co_return std::move(audited.ended);
    if (audited.unknown > 0) {
        stay.audit->found += audited.unknown;
        auto taken = co_await folder.take_new(client, FolderIntake::Pendings::retry, leaving(), unfinished_);
        state_.stored += taken.stored;
        if (taken.ended) co_return std::move(taken.ended);
        audited = co_await folder.audit(client);
        if (audited.ended) co_return std::move(audited.ended);
    }
    stay.audit->folders.push_back(std::move(audited.result));
    co_return std::nullopt;
}

/// One slice of what an operator asked for; what arrives meanwhile goes before the next one.
awaitable<std::optional<Ended>> ImapSession::take_older(imap::Client& client, Stay& stay) {
    stay.backfills = false;
    for (auto& folder : stay.folders) {
        if (hindered_.contains(folder.intake.name())) continue;
        auto asked = co_await folder.older.asked_for();
        if (!asked) {
            Ended ended;
            ended.how = Ended::How::store;
            ended.reason = fmt::format("the store cannot be read: {}", asked.error().message());
            co_return ended;
        }
        if (!*asked) continue;
        auto ended = co_await open(client, stay, folder);
        if (ended) co_return ended;
        auto slice = co_await folder.older.take(client, folder.intake, leaving());
        state_.stored += slice.stored;
        stay.backfills = stay.backfills || slice.running;
        if (slice.ended) co_return std::move(slice.ended);
        if (told_to_stop()) break;
    }
    if (stay.backfills) stay.next_after = now() + backfill_pause;
    co_return std::nullopt;
}

/// Does what is due with mail that was taken in. Where something was done, no folder counts as open.
awaitable<std::optional<Ended>> ImapSession::deal_with_mail(imap::Client& client, Stay& stay) {
    stay.next_after.reset();
    for (auto& folder : stay.folders) {
        if (!folder.after || hindered_.contains(folder.intake.name())) continue;
        auto& after = *folder.after;
        auto done = co_await after.perform(client, leaving());
        if (done.opened) stay.opened = nullptr;
        if (done.next) stay.next_after = std::min(stay.next_after.value_or(*done.next), *done.next);
        if (done.mails + done.gone > 0) {
            spdlog::info("mailbox={} folder={} after={} mails={} gone_before={}", mailbox_->id,
                         runtime::value(after.folder()), runtime::value(after.policy().text()), done.mails, done.gone);
        }
        if (done.ended) co_return std::move(done.ended);
        if (told_to_stop()) break;
    }
    if (const auto next = hindered_.next_attempt()) stay.next_after = std::min(stay.next_after.value_or(*next), *next);
    co_return std::nullopt;
}

/// Time is over and nothing was announced: proves it by what the server says outside the folders' views.
awaitable<std::optional<Ended>> ImapSession::look_from_outside(imap::Client& client, Stay& stay) {
    if (std::any_of(mailbox_->folders.begin(), mailbox_->folders.end(), imap::is_looked_up)) {
        auto ended = co_await find_folders(client, stay);
        if (ended) co_return ended;
    }
    for (auto& folder : stay.folders) {
        if (told_to_stop()) break;
        if (hindered_.contains(folder.intake.name())) continue;
        auto ended = co_await ask_status(client, stay, folder);
        if (ended) co_return ended;
    }
    co_return std::nullopt;
}

/// What sessions beside this one have heard of.
awaitable<std::optional<Ended>> ImapSession::hear_watches(imap::Client& client, Stay& stay) {
    const auto news = std::exchange(news_, {});
    for (auto& folder : stay.folders) {
        const auto heard = news.find(folder.intake.name());
        if (heard == news.end() || told_to_stop() || hindered_.contains(folder.intake.name())) continue;
        folder.announced = folder.announced || heard->second == FolderWatch::News::arrived;
        folder.due = folder.due || folder.announced;
        if (folder.due) continue;
        auto ended = co_await ask_status(client, stay, folder);
        if (ended) co_return ended;
    }
    co_return std::nullopt;
}

/// Whether there is something in the folder that was not taken.
awaitable<std::optional<Ended>> ImapSession::ask_status(imap::Client& client, Stay& stay, Folder& folder) {
    auto counted = co_await client.status(folder.intake.name());
    if (!counted) co_return ended_by(counted.error(), client.bye());
    const auto& status = counted->status;
    const bool waited_in = &folder == &home(stay);
    if (!counted->answer.ok() || status.uid_next == 0) {
        folder.due = true;  // opening it tells
        co_return std::nullopt;
    }
    const bool more = status.uid_next > folder.intake.cursor() + 1;
    const bool grown = status.uid_next > folder.uid_next;
    folder.uid_next = status.uid_next;
    folder.in_vain = more && !grown ? folder.in_vain + 1 : 0;
    if (!waited_in) {
        const bool renumbered = status.uid_validity != 0 && status.uid_validity != folder.intake.uid_validity();
        folder.due = folder.due || renumbered || (more && folder.in_vain <= vain_looks);
        co_return std::nullopt;
    }
    if (more && grown && stay.late == 0 && client.can("IDLE")) {
        idle_lies_ = true;
        stay.opened = nullptr;  // open again: a stalled view shows nothing new
        spdlog::warn("mailbox={} id=idle-silent news came without a notification; polling every {} s from now on",
                     mailbox_->id, house_.options.poll_interval.count() / 1000);
    }
    co_return std::nullopt;
}

/// Further folders have sessions of their own, as many as one mailbox may have.
void ImapSession::watch_folders(const imap::Client& client, Stay& stay) {
    std::vector<std::string> wanted;
    const auto most = place_->provider.sessions.per_mailbox;
    for (const auto& folder : stay.folders) {
        if (&folder == &home(stay) || hindered_.contains(folder.intake.name())) continue;
        if (wanted.size() + 1 < most && client.can("IDLE") && !idle_lies_) wanted.push_back(folder.intake.name());
    }
    const auto not_wanted = [&wanted](const std::shared_ptr<FolderWatch>& watch) {
        const bool stays = !watch->over() && std::find(wanted.begin(), wanted.end(), watch->folder()) != wanted.end();
        if (!stays) watch->stop();
        return !stays;
    };
    watches_.erase(std::remove_if(watches_.begin(), watches_.end(), not_wanted), watches_.end());
    for (const auto& name : wanted) {
        const bool there = std::any_of(watches_.begin(), watches_.end(),
                                       [&name](const auto& watch) { return watch->folder() == name; });
        if (there) continue;
        auto heard = [this, name](FolderWatch::News news) { this->heard(name, news); };
        auto watch = std::make_shared<FolderWatch>(house_, served_, name, std::move(heard));
        house_.scope.spawn(fmt::format("mailbox={} watch={}", mailbox_->id, name), FolderWatch::run(watch));
        watches_.push_back(std::move(watch));
    }
}

void ImapSession::heard(const std::string& folder, FolderWatch::News news) {
    const auto [known, fresh] = news_.emplace(folder, news);
    if (news == FolderWatch::News::arrived) known->second = news;
    if (state_.phase == Phase::idle) wake_dialogue();
}

awaitable<void> ImapSession::dismiss() {
    for (const auto& watch : watches_) watch->stop();
    for (const auto& watch : watches_) co_await watch->join();
    watches_.clear();
    news_.clear();
}

/// IDLE tells of folders that are watched, and never of new ones.
bool ImapSession::looks_often(const Stay& stay) const {
    const auto live = std::count_if(watches_.begin(), watches_.end(), [](const auto& watch) { return watch->live(); });
    const auto& wanted = mailbox_->folders;
    return idle_lies_ || static_cast<std::size_t>(live) + 1 + hindered_.size() < stay.folders.size() ||
           std::any_of(wanted.begin(), wanted.end(), imap::is_looked_up);
}

/// Something came while the session was busy: IDLE would not tell of it again.
bool ImapSession::has_heard(const imap::Client& client, Stay& stay) {
    if (!news_.empty()) return true;
    if (stay.late == 0 && !stay.backfills && client.arrivals() != stay.heard) return true;
    if (!take_rung()) return false;
    stay.backfills = true;
    return true;
}

std::chrono::milliseconds ImapSession::longest_wait(const imap::Client& client, const Stay& stay) const {
    if (stay.late > 0) return late_pause;
    const auto& options = house_.options;
    const bool idles = client.can("IDLE");
    const auto renew = looks_often(stay) ? std::min(options.poll_interval, options.idle_renew) : options.idle_renew;
    return span_until(stay.next_after, idles ? renew : options.poll_interval);
}

}  // namespace retriever

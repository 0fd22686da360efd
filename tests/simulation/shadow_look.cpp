#include "tests/simulation/shadow_look.hpp"

#include <algorithm>

#include "tests/simulation/stage.hpp"

using namespace std::chrono_literals;

namespace simulation {

error_code ShadowLook::apply(store::Workbench bench) {
    constexpr std::size_t all = 10'000;
    const auto mailbox = bench.store.mailbox(mailbox_);
    if (!mailbox) return mailbox.error();
    const auto names = bench.store.folders(mailbox->number);
    if (!names) return names.error();
    const auto folders = bench.store.shadows().folders(mailbox->number);
    if (!folders) return folders.error();
    retriever::ShadowReport::Question question;
    question.shadow = shadow_;
    question.rows_max = all;
    for (const auto& folder : *folders) {
        question.looked_at[folder.folder] = folder.looked_at;
        for (const auto& name : *names) {
            if (name.number == folder.folder) view_.folders[name.name] = folder;
        }
    }
    const auto mails = bench.store.shadows().mails(mailbox->number, {}, all);
    if (!mails) return mails.error();
    retriever::ShadowReport report(std::move(question), nullptr);
    for (const auto& mail : *mails) report.add(mail);
    report.finish();
    view_.counts = report.counts();
    view_.rows = report.rows();
    return {};
}

void Stage::check_shadow(std::uint32_t number) {
    const auto id = Mailroom::id_of(number);
    if (!application.box(id).mails.empty()) events.violated("mail of {} was handed off: it is another product's", id);
    std::map<std::uint32_t, std::uint8_t> flags;
    for (const auto* folder : mailroom.folders(number)) {
        for (const auto& entry : folder->entries) flags[entry.number] = entry.flags;
    }
    for (const auto& letter : mailroom.letters(id)) {
        const auto there = flags.find(letter.number);
        if (letter.removed) continue;
        if (there == flags.end()) {
            events.violated("{} uid {} is another product's, and gone", id, letter.uid);
        } else if (!letter.displaced && there->second != (letter.seen_at ? sim::Flag::seen : 0)) {
            events.violated("{} uid {} is another product's, and has other flags", id, letter.uid);
        }
    }
    config::Shadow shadow;
    shadow.taken = furniture_.shadow_taken == Mailroom::Taking::flags ? config::Shadow::Taken::seen
                                                                      : config::Shadow::Taken::removed;
    shadow.grace = furniture_.shadow_grace;
    bool told = false;
    const auto tell = [&](error_code failed, const ShadowView& view) {
        told = true;
        if (failed) return events.violated("what is observed of {} cannot be read: {}", id, failed.message());
        check_report(number, view);
    };
    std::unique_ptr<store::Job> job = std::make_unique<ShadowLook>(*probe_inbox_, id, shadow, tell);
    if (!engine().committer().try_submit(job)) return events.violated("nobody can be asked about {}", id);
    if (!run_until([&] { return told; }, 1min) && events.violation().empty())
        events.violated("nothing is heard of {}", id);
}

/// Whoever was not late is not called late, and exactly what nobody has taken in time is called missed.
void Stage::check_report(std::uint32_t number, const ShadowView& view) {
    using What = retriever::ShadowReport::What;
    constexpr auto tick = 1s;  // of INTERNALDATE
    const auto id = Mailroom::id_of(number);
    std::map<std::string, What> said;
    for (const auto& row : view.rows) {
        const auto [before, is_new] = said.emplace('<' + row.message_id + '>', row.what);
        if (!is_new) events.violated("{} {} is reported twice", id, row.message_id);
    }
    for (const auto* folder : mailroom.folders(number)) {
        if (!view.folders.contains(folder->name)) events.violated("nobody looked at {} of {}", folder->name, id);
    }
    if (!events.violation().empty()) return;
    for (const auto& letter : mailroom.letters(id)) {
        const auto row = said.find(letter.message_id);
        const bool is_late = row != said.end() && row->second == What::late;
        const bool is_missed = row != said.end() && row->second == What::missed;
        if (row != said.end()) said.erase(row);
        auto taken_at = letter.removed_at;
        if (furniture_.shadow_taken == Mailroom::Taking::flags && letter.seen_at) taken_at = letter.seen_at;
        if (letter.displaced) continue;
        if (is_missed && taken_at) events.violated("{} uid {} is called missed, and was taken", id, letter.uid);
        if (is_late && (!taken_at || *taken_at - letter.arrived_at + tick < furniture_.shadow_grace))
            events.violated("{} uid {} is called late, and was taken in time", id, letter.uid);
        const auto& folder = view.folders.at(letter.folder);
        const bool counts = letter.arrived_at > folder.since + tick;
        const bool over = letter.arrived_at + furniture_.shadow_grace + tick < folder.looked_at;
        if (!over && letter.arrived_at + furniture_.shadow_grace + 20min < clock.wall())
            events.violated("{} was looked at too long ago", id);
        if (counts && over && !taken_at && !is_missed)
            events.violated("{} uid {} was missed, and nothing is said of it", id, letter.uid);
    }
    for (const auto& [message_id, what] : said) events.violated("{} never had {}", id, message_id);
}

}  // namespace simulation

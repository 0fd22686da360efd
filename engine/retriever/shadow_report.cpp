#include "engine/retriever/shadow_report.hpp"

#include <algorithm>
#include <utility>

namespace retriever {

ShadowReport::ShadowReport(Question question, const ShadowList* list)
    : question_(std::move(question)), has_list_(list != nullptr) {
    if (!has_list_) return;
    for (const auto& entry : list->entries) {
        const bool has_id = !entry.message_id.empty();
        auto& known = has_id ? by_id_[entry.message_id] : by_fingerprint_[entry.fingerprint.value_or(store::Digest())];
        known.at.push_back(entry.at);
        known.message_id = entry.message_id;
    }
    // Those without a time come last: what is known counts first.
    const auto earlier = [](const auto& a, const auto& b) { return a && (!b || *a < *b); };
    for (auto& [id, known] : by_id_) std::sort(known.at.begin(), known.at.end(), earlier);
    for (auto& [fingerprint, known] : by_fingerprint_) std::sort(known.at.begin(), known.at.end(), earlier);
}

void ShadowReport::add(const store::ShadowMail& mail) {
    const bool counts = mail.arrived_at >= question_.since;
    if (mail.again) {
        counts_.moved += counts ? 1 : 0;
        return;
    }
    std::optional<ShadowJudgement> judgement;
    if (has_list_) {
        judgement = compared(mail);  // older ones, too: what was delivered of them is not delivered twice
    } else {
        const auto folder = question_.looked_at.find(mail.folder);
        judgement =
            judged(mail, question_.shadow, folder == question_.looked_at.end() ? store::Millis() : folder->second);
    }
    if (!counts) return;
    ++counts_.observed;
    if (judgement) return count(mail, *judgement);
    ++counts_.not_comparable;
    add_row({What::not_comparable, mail.arrived_at, mail.message_id, mail.folder});
}

void ShadowReport::count(const store::ShadowMail& mail, const ShadowJudgement& judgement) {
    Row row{What::missed, mail.arrived_at, mail.message_id, mail.folder, judgement.delay};
    switch (judgement.fate) {
        case ShadowFate::open:
            ++counts_.open;
            return;
        case ShadowFate::taken:
            ++counts_.taken;
            counts_.not_watched += judgement.watched ? 0 : 1;
            counts_.gone_unflagged += !has_list_ && !mail.seen && mail.gone ? 1 : 0;
            return;
        case ShadowFate::late:
            ++counts_.late;
            counts_.longest_delay = std::max(counts_.longest_delay, judgement.delay);
            row.what = What::late;
            break;
        case ShadowFate::missed:
            ++counts_.missed;
            break;
    }
    add_row(std::move(row));
}

ShadowReport::Listed* ShadowReport::listed(const store::ShadowMail& mail) {
    if (mail.message_id.empty()) {
        const auto found = by_fingerprint_.find(mail.fingerprint);
        return found == by_fingerprint_.end() ? nullptr : &found->second;
    }
    const auto found = by_id_.find(mail.message_id);
    return found == by_id_.end() ? nullptr : &found->second;
}

/// nullopt: the list cannot tell.
std::optional<ShadowJudgement> ShadowReport::compared(const store::ShadowMail& mail) {
    auto* known = listed(mail);
    if (known != nullptr) {
        const auto nth = known->on_server++;
        if (nth < known->at.size()) return judged(mail, question_.shadow, known->at[nth]);
    }
    if (mail.message_id.empty()) return std::nullopt;
    ShadowJudgement judgement;
    judgement.fate =
        mail.arrived_at + question_.shadow.grace <= question_.until ? ShadowFate::missed : ShadowFate::open;
    return judgement;
}

void ShadowReport::finish() {
    const auto tell = [this](const Listed& known) {
        if (known.at.size() <= known.on_server) return;
        const auto last =
            std::find_if(known.at.rbegin(), known.at.rend(), [](const auto& at) { return at.has_value(); });
        const auto newest = last == known.at.rend() ? std::nullopt : *last;
        if (newest && *newest < question_.since) return;
        const auto surplus = known.at.size() - known.on_server;
        Row row{known.on_server > 0 ? What::doubled : What::unknown_here, newest, known.message_id};
        row.times = known.at.size();
        (known.on_server > 0 ? counts_.doubled : counts_.unknown_here) += surplus;
        add_row(std::move(row));
    };
    for (const auto& [id, known] : by_id_) tell(known);
    for (const auto& [fingerprint, known] : by_fingerprint_) tell(known);
}

void ShadowReport::add_row(Row row) {
    const auto number = rows_in_all_++;
    if (number >= question_.rows_skipped && rows_.size() < question_.rows_max) rows_.push_back(std::move(row));
}

}  // namespace retriever

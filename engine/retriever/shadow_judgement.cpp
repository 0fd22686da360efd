#include "engine/retriever/shadow_judgement.hpp"

#include <algorithm>

namespace retriever {
namespace {

/// When it was taken; nullopt: not so far.
std::optional<store::ShadowEvent> taking_of(const store::ShadowMail& mail, config::Shadow::Taken taken) {
    if (taken == config::Shadow::Taken::removed) return mail.gone;
    if (!mail.seen || !mail.gone) return mail.seen ? mail.seen : mail.gone;
    return mail.seen->at <= mail.gone->at ? mail.seen : mail.gone;
}

}  // namespace

ShadowJudgement judged(const store::ShadowMail& mail, const config::Shadow& shadow, store::Millis looked_at) {
    ShadowJudgement judgement;
    const auto due = mail.arrived_at + shadow.grace;
    const auto taking = taking_of(mail, shadow.taken);
    if (!taking) {
        judgement.fate = looked_at >= due ? ShadowFate::missed : ShadowFate::open;
        return judgement;
    }
    judgement.delay = std::max(taking->at - mail.arrived_at, std::chrono::milliseconds(0));
    judgement.fate = taking->after >= due ? ShadowFate::late : ShadowFate::taken;
    judgement.watched = taking->after >= due || taking->at <= due;
    return judgement;
}

ShadowJudgement judged(const store::ShadowMail& mail, const config::Shadow& shadow,
                       const std::optional<store::Millis>& taken_at) {
    ShadowJudgement judgement;
    judgement.fate = ShadowFate::taken;
    if (!taken_at) return judgement;
    judgement.delay = std::max(*taken_at - mail.arrived_at, std::chrono::milliseconds(0));
    if (judgement.delay > shadow.grace) judgement.fate = ShadowFate::late;
    return judgement;
}

}  // namespace retriever

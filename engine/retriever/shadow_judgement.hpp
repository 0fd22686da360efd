#pragma once

#include <chrono>

#include "engine/config/model.hpp"
#include "queue/store/shadows.hpp"

namespace retriever {

/// So long is remembered what was observed.
inline constexpr std::chrono::days shadow_kept{90};

/// What another product did with a mail.
enum class ShadowFate {
    open,    // it may still take it in time
    taken,   // in time, as far as anybody could see
    late,    // taken after its time
    missed,  // not taken so far, and its time is over
};

struct ShadowJudgement {
    ShadowFate fate = ShadowFate::open;
    std::chrono::milliseconds delay{0};  // of what was taken: at most so long after it arrived
    bool watched = true;                 // false: it was taken while nobody looked, perhaps late
};

/// By what the server shows, as of the last look at its folder. Nothing is called late or missed but what was seen not
/// to be taken when its time was over. Pure.
ShadowJudgement judged(const store::ShadowMail& mail, const config::Shadow& shadow, store::Millis looked_at);

/// By the time at which the other product says that it took it; nullopt: it says none. Pure.
ShadowJudgement judged(const store::ShadowMail& mail, const config::Shadow& shadow,
                       const std::optional<store::Millis>& taken_at);

}  // namespace retriever

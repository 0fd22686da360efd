#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace queue {

/// When to try again. Pure: the caller brings the random fraction and does the waiting.
/// Only proven survival resets it: a connection that was accepted proves nothing, one that stayed useful for
/// `survival` does. So a peer that accepts and then drops everybody is not hammered.
struct BackOff {
    using Span = std::chrono::milliseconds;

    Span first{1000};
    Span most{std::chrono::minutes(10)};
    Span survival{std::chrono::minutes(1)};
    std::uint32_t failures = 0;

    /// Another failure after `lasted` of success (zero: it never worked). Returns the wait: double the last one, at
    /// most `most`, of which `fraction` (0 up to 1) decides the upper half. The wait saturates.
    Span failed(Span lasted, double fraction) noexcept {
        if (lasted >= survival) failures = 0;
        const Span whole = ceiling();
        ++failures;
        const auto half = static_cast<double>(whole.count()) / 2;
        return Span(static_cast<Span::rep>(half + half * std::clamp(fraction, 0.0, 1.0)));
    }

    /// The longest wait that the next failure may give.
    [[nodiscard]] Span ceiling() const noexcept {
        Span whole = std::min(first, most);
        for (std::uint32_t doubled = 0; doubled < failures && whole < most; ++doubled) {
            whole = whole > most / 2 ? most : whole * 2;
        }
        return whole;
    }
};

}  // namespace queue

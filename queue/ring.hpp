#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>
#include <vector>

namespace queue {

/// A bounded lock-free queue for any number of threads on both ends. Each slot carries the number of its next turn:
/// `position` when it is free for the push of that position, `position + 1` when it holds its value. Never waits.
/// T is default-constructible and moves without throwing.
template <class T>
class Ring {
public:
    /// Holds at least `capacity` values (rounded up to a power of two, at least 2).
    explicit Ring(std::size_t capacity)
        : slots_max_(std::bit_ceil(capacity < 2 ? std::size_t{2} : capacity)),
          slots_(std::make_unique<Slot[]>(slots_max_)) {
        for (std::size_t at = 0; at < slots_max_; ++at) slots_[at].turn.store(at, std::memory_order_relaxed);
    }
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;

    /// False, and the value stays, when the ring is full.
    [[nodiscard]] bool try_push(T& value) noexcept {
        std::size_t position = tail_.load(std::memory_order_relaxed);
        for (;;) {
            Slot& slot = at(position);
            const std::size_t turn = slot.turn.load(std::memory_order_acquire);
            if (turn == position) {
                if (tail_.compare_exchange_weak(position, position + 1, std::memory_order_relaxed)) {
                    slot.value = std::move(value);
                    slot.turn.store(position + 1, std::memory_order_release);
                    return true;
                }
            } else if (is_behind(turn, position)) {
                return false;
            } else {
                position = tail_.load(std::memory_order_relaxed);
            }
        }
    }

    /// Moves as many of the values from `from` on as there is room for; returns how many. They lie side by side.
    [[nodiscard]] std::size_t try_push_batch(std::vector<T>& values, std::size_t from = 0) noexcept {
        for (;;) {
            std::size_t position = tail_.load(std::memory_order_relaxed);
            const std::size_t count = run_of(position, 0, values.size() - from);
            if (count == 0) {
                if (position != tail_.load(std::memory_order_relaxed)) continue;
                return 0;
            }
            if (!tail_.compare_exchange_weak(position, position + count, std::memory_order_relaxed)) continue;
            for (std::size_t i = 0; i < count; ++i) {
                Slot& slot = at(position + i);
                slot.value = std::move(values[from + i]);
                slot.turn.store(position + i + 1, std::memory_order_release);
            }
            return count;
        }
    }

    /// False when the ring is empty.
    [[nodiscard]] bool try_pop(T& value) noexcept {
        std::size_t position = head_.load(std::memory_order_relaxed);
        for (;;) {
            Slot& slot = at(position);
            const std::size_t turn = slot.turn.load(std::memory_order_acquire);
            if (turn == position + 1) {
                if (head_.compare_exchange_weak(position, position + 1, std::memory_order_relaxed)) {
                    value = std::move(slot.value);
                    slot.turn.store(position + slots_max_, std::memory_order_release);
                    return true;
                }
            } else if (is_behind(turn, position + 1)) {
                return false;
            } else {
                position = head_.load(std::memory_order_relaxed);
            }
        }
    }

    /// Appends up to `count_max` values to `values`, oldest first; returns how many.
    [[nodiscard]] std::size_t try_pop_batch(std::vector<T>& values, std::size_t count_max) {
        for (;;) {
            std::size_t position = head_.load(std::memory_order_relaxed);
            const std::size_t count = run_of(position, 1, count_max);
            if (count == 0) {
                if (position != head_.load(std::memory_order_relaxed)) continue;
                return 0;
            }
            values.reserve(values.size() + count);
            if (!head_.compare_exchange_weak(position, position + count, std::memory_order_relaxed)) continue;
            for (std::size_t i = 0; i < count; ++i) {
                Slot& slot = at(position + i);
                values.push_back(std::move(slot.value));
                slot.turn.store(position + i + slots_max_, std::memory_order_release);
            }
            return count;
        }
    }

    /// Whether the next pop, or push, would find its slot ready just now.
    [[nodiscard]] bool has_value() noexcept { return run_of(head_.load(std::memory_order_relaxed), 1, 1) == 1; }
    [[nodiscard]] bool has_room() noexcept { return run_of(tail_.load(std::memory_order_relaxed), 0, 1) == 1; }
    [[nodiscard]] std::size_t capacity() const noexcept { return slots_max_; }
    /// A snapshot: other threads go on meanwhile.
    [[nodiscard]] std::size_t length() const noexcept {
        const std::size_t head = head_.load(std::memory_order_relaxed);
        const std::size_t tail = tail_.load(std::memory_order_relaxed);
        return is_behind(tail, head) ? 0 : tail - head;
    }

private:
    struct Slot {
        std::atomic<std::size_t> turn{0};
        T value{};
    };
    static constexpr std::size_t cache_line_bytes = 64;

    Slot& at(std::size_t position) noexcept { return slots_[position & (slots_max_ - 1)]; }
    static bool is_behind(std::size_t turn, std::size_t position) noexcept {
        return static_cast<std::ptrdiff_t>(turn - position) < 0;
    }
    /// How many slots from `position` on have come to their turn (`step` 0: free, 1: filled).
    std::size_t run_of(std::size_t position, std::size_t step, std::size_t count_max) noexcept {
        std::size_t count = 0;
        while (count < count_max && count < slots_max_ &&
               at(position + count).turn.load(std::memory_order_acquire) == position + count + step) {
            ++count;
        }
        return count;
    }

    const std::size_t slots_max_;
    const std::unique_ptr<Slot[]> slots_;
    alignas(cache_line_bytes) std::atomic<std::size_t> tail_{0};
    alignas(cache_line_bytes) std::atomic<std::size_t> head_{0};
};

}  // namespace queue

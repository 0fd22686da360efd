#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "protocols/base/result.hpp"
#include "queue/store/store.hpp"

namespace submission {

/// Which mailbox sends from an address, as configured, and whether mail is taken in at all. Read from the store when it
/// is first needed, and again after forget(). Used on the committer's thread, but for forget().
class Senders {
public:
    struct Entry {
        store::MailboxNumber number = 0;
        std::string mailbox;
    };
    /// nullopt: no mailbox may send from there. Upper and lower case are the same. Of several mailboxes the one whose
    /// own address it is counts, else the first by id.
    Result<std::optional<Entry>> find(store::Store& store, std::string_view address);
    /// Why no mail is taken in, as of the last find(); empty: it is.
    [[nodiscard]] const std::string& closed() const noexcept { return closed_; }
    /// Any thread: the configuration, or whether mail is taken in, has changed.
    void forget() noexcept {
        generation_.fetch_add(1, std::memory_order_release);
        stale_.store(true, std::memory_order_release);
    }
    /// Any thread: another one after each forget().
    [[nodiscard]] std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

private:
    Result<void> read(store::Store& store);

    std::atomic<bool> stale_{true};
    std::atomic<std::uint64_t> generation_{0};
    std::map<std::string, Entry, std::less<>> by_address_;
    std::string closed_;
};

}  // namespace submission

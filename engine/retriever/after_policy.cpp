#include "engine/retriever/after_policy.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace retriever {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t page_rows = 1000;
constexpr int pages_max = 8;  // by one job: others wait meanwhile

}  // namespace

std::string AfterPolicy::text() const {
    switch (after) {
        case config::After::keep:
            return "keep";
        case config::After::seen:
            return "seen";
        case config::After::move:
            return "move:" + target;
        case config::After::remove:
            break;
    }
    return delay.count() > 0 ? fmt::format("delete:{}d", delay.count()) : "delete";
}

AfterPolicy after_policy_of(const config::Mailbox& mailbox, const config::Provider& provider) {
    AfterPolicy policy{mailbox.after, mailbox.move_to, mailbox.delete_after};
    const bool labelled = provider.preset == "gmail" && mailbox.protocol == config::Protocol::imap;
    if (policy.after == config::After::remove && labelled) {
        policy.after = config::After::move;
        policy.target = "\\Trash";
    }
    return policy;
}

Dueness dueness_of(const AfterPolicy& policy, const store::Message& message, store::Seq acknowledged,
                   store::Millis now) {
    if (policy.after == config::After::keep || policy.after == config::After::seen) return {};
    if (message.seq > acknowledged) return {.wait = Wait::acknowledgement, .at = {}};
    const auto at = message.received_at + policy.delay;
    if (at > now) return {.wait = Wait::time, .at = at};
    return {};
}

Result<Dueness> dueness_in(store::Store& store, const AfterPolicy& policy, const store::Message& message,
                           store::Seq acknowledged, store::Millis now) {
    auto dueness = dueness_of(policy, message, acknowledged, now);
    const bool stays = policy.after == config::After::keep || policy.after == config::After::seen;
    if (stays || dueness.wait == Wait::acknowledgement) return dueness;
    const auto whole = store.is_acknowledged(message.folder, message.uid_validity, message.uid);
    if (!whole) return whole.error();
    if (!*whole) dueness = {.wait = Wait::set_aside, .at = {}};
    return dueness;
}

Result<AfterBatch> look_up_due(store::Store& store, store::MailboxNumber mailbox, const std::string& folder,
                               const AfterPolicy& policy, store::Seq after, store::Millis now, std::size_t mails_max) {
    AfterBatch batch;
    auto row = store.folder(mailbox, folder);
    if (!row) return row.error();
    batch.folder = std::move(*row);
    auto state = store.folder_notes().after_state(batch.folder.number);
    if (!state) return state.error();
    if (*state && (*state)->policy == policy.text()) batch.state = std::move(**state);
    batch.state.folder = batch.folder.number;
    batch.state.policy = policy.text();
    batch.through = after == 0 ? batch.state.done : after;
    const auto acknowledged = store.acknowledged(mailbox);
    if (!acknowledged) return acknowledged.error();
    const bool at_once = policy.after == config::After::keep || policy.after == config::After::seen;
    for (int page = 0; page < pages_max; ++page) {
        if (!at_once && batch.through >= *acknowledged) return batch;  // whatever there is waits
        const auto messages = store.messages(mailbox, batch.through, page_rows);
        if (!messages) return messages.error();
        for (const auto& message : *messages) {
            const bool ours = message.folder == batch.folder.number;
            const bool current = message.uid_validity == batch.folder.uid_validity;
            if (ours && current) {
                const auto dueness = dueness_in(store, policy, message, *acknowledged, now);
                if (!dueness) return dueness.error();
                if (dueness->wait == Wait::acknowledgement || dueness->wait == Wait::time) {
                    batch.next = *dueness;
                    return batch;
                }
                if (dueness->wait == Wait::nothing) batch.due.push_back({message.seq, message.uid});
                batch.set_aside += dueness->wait == Wait::set_aside ? 1 : 0;
            }
            batch.dropped += ours && !current ? 1 : 0;
            batch.through = message.seq;
            batch.more = batch.due.size() == mails_max;
            if (batch.more) return batch;
        }
        if (messages->size() < page_rows) return batch;
    }
    batch.more = true;
    return batch;
}

std::chrono::milliseconds pause_after_refusal(std::uint32_t attempts) {
    constexpr std::chrono::milliseconds first = 1min, longest = 1h;
    const auto doublings = std::min<std::uint32_t>(attempts == 0 ? 0 : attempts - 1, 10);
    return std::min(first * (1U << doublings), longest);
}

}  // namespace retriever

#pragma once

#include <list>
#include <optional>

#include "engine/retriever/folder_shadow.hpp"
#include "engine/retriever/imap_dialogue.hpp"

namespace retriever {

/// A mailbox that another product serves: a session that watches what becomes of its mail there. It reads heads and
/// flags, opens folders for reading only, and takes nothing.
class ShadowSession final : public ImapDialogue {
public:
    ShadowSession(House house, const Served& served) : ImapDialogue(house, served, SessionBudget::Kind::mailbox) {
        state_.shadow = true;
    }

private:
    struct Stay {
        std::list<FolderShadow> folders;
        const FolderShadow* opened = nullptr;
        std::optional<Monotonic> looked_whole;
        std::optional<store::Millis> next_due;
        std::uint64_t arrived = 0;  // in the folder that is waited in, by the last look
    };
    awaitable<Ended> stay(imap::Client& client) override;
    awaitable<std::optional<Ended>> tidy(Stay& stay);
    awaitable<std::optional<Ended>> find_folders(imap::Client& client, Stay& stay);
    awaitable<std::optional<Ended>> look_whole(imap::Client& client, Stay& stay);
    awaitable<std::optional<Ended>> look_for_news(imap::Client& client, Stay& stay);
    awaitable<std::optional<Ended>> look(imap::Client& client, Stay& stay, FolderShadow& folder,
                                         FolderShadow::Depth depth);
    [[nodiscard]] std::chrono::milliseconds renewal(const Stay& stay) const;
    [[nodiscard]] bool whole_is_due(const Stay& stay) const;
    [[nodiscard]] std::chrono::milliseconds longest_wait(const imap::Client& client, const Stay& stay) const;
    void sum_up(Stay& stay);

    std::map<std::string, FolderShadow::Looked> looked_;  // by folder
    std::optional<store::Millis> tidied_;
    bool idle_lies_ = false;
};

}  // namespace retriever

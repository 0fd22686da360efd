#pragma once

#include <list>
#include <map>
#include <optional>
#include <vector>

#include "engine/retriever/after_work.hpp"
#include "engine/retriever/backfill.hpp"
#include "engine/retriever/folder_intake.hpp"
#include "engine/retriever/folder_watch.hpp"
#include "engine/retriever/hindered_folders.hpp"
#include "engine/retriever/imap_dialogue.hpp"
#include "protocols/imap/client.hpp"

namespace retriever {

/// A mailbox over IMAP: a session that stays, and hears of news. Of several folders it waits in the first one; further
/// ones are watched by sessions of their own as far as the budget goes, the rest is asked for by STATUS. A folder that
/// cannot be fetched stops no other one.
class ImapSession final : public ImapDialogue {
public:
    ImapSession(House house, const Served& served)
        : ImapDialogue(house, served, SessionBudget::Kind::mailbox), served_(served) {}
    ~ImapSession() override;

private:
    /// One folder that is fetched.
    struct Folder {
        FolderIntake intake;
        Backfilling older;
        std::unique_ptr<AfterWork> after;  // none with `keep`
        config::Start start;
        bool looked_at = false;     // before anything was fetched
        bool due = true;            // there may be something to take
        bool announced = false;     // by a session that watches it
        imap::Uid uid_next = 0;     // as STATUS said last
        std::uint32_t in_vain = 0;  // looks that did not bring what STATUS had promised
    };
    /// What a session that stays keeps between two looks.
    struct Stay {
        std::list<Folder> folders;
        bool backfills = true;  // an operator may have asked for older mail
        FolderIntake::Pendings pendings = FolderIntake::Pendings::retry;
        const Folder* opened = nullptr;
        std::optional<runtime::Audit> audit;  // being made with this look
        AuditDue audit_due = AuditDue::no;
        std::uint32_t late = 0;
        std::uint32_t heard = 0;                  // arrivals() before the last search in the folder that is waited in
        std::optional<store::Millis> next_after;  // when there is something to do without news
    };
    awaitable<void> dismiss() override;
    awaitable<Ended> stay(imap::Client& client) override;
    awaitable<std::optional<Ended>> find_folders(imap::Client& client, Stay& stay);
    awaitable<std::optional<Ended>> take_all(imap::Client& client, Stay& stay);
    awaitable<std::optional<Ended>> open(imap::Client& client, Stay& stay, Folder& folder);
    awaitable<std::optional<Ended>> audit(imap::Client& client, FolderIntake& folder, Stay& stay);
    awaitable<std::optional<Ended>> look_first(imap::Client& client, Folder& folder);
    void leave_out(Stay& stay, const Folder& folder, const Ended& hindered);
    void take_in(const Folder& folder);
    [[nodiscard]] bool is_left_out(const Stay& stay, const Folder& folder) const;
    [[nodiscard]] Folder& home(Stay& stay) const;
    awaitable<std::optional<Ended>> take_older(imap::Client& client, Stay& stay);
    awaitable<std::optional<Ended>> deal_with_mail(imap::Client& client, Stay& stay);
    awaitable<std::optional<Ended>> look_from_outside(imap::Client& client, Stay& stay);
    awaitable<std::optional<Ended>> hear_watches(imap::Client& client, Stay& stay);
    awaitable<std::optional<Ended>> ask_status(imap::Client& client, Stay& stay, Folder& folder);
    void add_folder(Stay& stay, const std::string& name, config::Start start);
    awaitable<Result<config::Start>> start_of_late_folders();
    void watch_folders(const imap::Client& client, Stay& stay);
    void heard(const std::string& folder, FolderWatch::News news);
    [[nodiscard]] bool has_heard(const imap::Client& client, Stay& stay);
    [[nodiscard]] bool looks_often(const Stay& stay) const;
    [[nodiscard]] std::chrono::milliseconds longest_wait(const imap::Client& client, const Stay& stay) const;

    const Served served_;
    std::optional<Unfinished> unfinished_;
    HinderedFolders hindered_;
    bool idle_lies_ = false;
    std::vector<std::shared_ptr<FolderWatch>> watches_;
    std::map<std::string, FolderWatch::News> news_;  // of folders that are watched
};

}  // namespace retriever

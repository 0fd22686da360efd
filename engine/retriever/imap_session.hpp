#pragma once

#include <optional>
#include <vector>

#include "engine/retriever/after_work.hpp"
#include "engine/retriever/backfill.hpp"
#include "engine/retriever/folder_intake.hpp"
#include "engine/retriever/mailbox_session.hpp"
#include "protocols/imap/client.hpp"

namespace retriever {

/// A mailbox over IMAP: a session that stays, and hears of news.
class ImapSession final : public MailboxSession {
public:
    using MailboxSession::MailboxSession;

private:
    /// What a session that stays keeps between two looks.
    struct Stay {
        std::vector<FolderIntake> folders;
        std::vector<Backfilling> older;  // of each folder
        std::vector<AfterWork> after;    // of each folder; none with `keep`
        bool backfills = true;           // an operator may have asked for older mail
        FolderIntake::Pendings pendings = FolderIntake::Pendings::retry;
        const FolderIntake* opened = nullptr;
        std::optional<runtime::Audit> audit;  // being made with this look
        AuditDue audit_due = AuditDue::no;
        std::uint32_t late = 0;
        std::optional<store::Millis> next_after;  // when there is something to do without news
        imap::Uid uid_next = 0;  // as STATUS said last; higher than what the folder shows: its view has stalled
    };
    awaitable<Ended> serve() override;
    void wake_dialogue() noexcept override;
    awaitable<Ended> converse(imap::Client& client, Begun& begun, LoginGate::Place place);
    awaitable<std::optional<Ended>> introduce(imap::Client& client, Begun& begun, LoginGate::Place& place);
    awaitable<std::optional<Ended>> log_in(imap::Client& client, Begun& begun);
    awaitable<Ended> stay(imap::Client& client);
    awaitable<std::optional<Ended>> take_all(imap::Client& client, Stay& stay);
    awaitable<std::optional<Ended>> audit(imap::Client& client, FolderIntake& folder, Stay& stay);
    awaitable<std::optional<Ended>> look_first(imap::Client& client, Stay& stay);
    awaitable<std::optional<Ended>> take_older(imap::Client& client, Stay& stay);
    awaitable<std::optional<Ended>> deal_with_mail(imap::Client& client, Stay& stay);
    awaitable<std::optional<Ended>> look_from_outside(imap::Client& client, Stay& stay);
    struct News {
        imap::Client::Woken by = imap::Client::Woken::time;
        std::optional<Ended> ended;
    };
    awaitable<News> wait_for_news(imap::Client& client, Stay& stay);
    [[nodiscard]] std::chrono::milliseconds span_until(std::optional<store::Millis> due,
                                                       std::chrono::milliseconds most) const;
    void note_proof();
    [[nodiscard]] store::Millis now() const;

    std::optional<Unfinished> unfinished_;
    bool idle_lies_ = false;
    imap::Client* client_ = nullptr;  // while a dialogue runs
};

}  // namespace retriever

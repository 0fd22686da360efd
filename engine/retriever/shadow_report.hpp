#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/config/model.hpp"
#include "engine/retriever/shadow_judgement.hpp"
#include "engine/retriever/shadow_list.hpp"
#include "queue/store/shadows.hpp"

namespace retriever {

/// What another product missed, took late or doubled, mail by mail and in all: by what the server shows, or by a list
/// of what that product delivered. Mails come in the order of their arrival. Pure.
class ShadowReport {
public:
    struct Question {
        config::Shadow shadow;
        std::map<store::FolderNumber, store::Millis> looked_at;  // its folders, and the last look at each
        store::Millis since{};                                   // what arrived before does not count
        store::Millis until{};                                   // with a list: what it can know of
        std::size_t rows_skipped = 0;                            // the page that is wanted
        std::size_t rows_max = 1000;
    };
    struct Counts {
        std::uint64_t observed = 0;
        std::uint64_t taken = 0;
        std::uint64_t late = 0;
        std::uint64_t missed = 0;
        std::uint64_t open = 0;            // their time is not over
        std::uint64_t not_comparable = 0;  // with a list: no Message-ID, and nothing else that tells
        std::uint64_t doubled = 0;         // with a list: delivered more often than they were on the server
        std::uint64_t unknown_here = 0;    // with a list: delivered, and never seen on the server
        std::uint64_t not_watched = 0;     // of those taken: while nobody looked
        std::uint64_t gone_unflagged = 0;  // of those taken: removed, and never seen with \Seen
        std::uint64_t moved = 0;           // places of mail that was observed in another one; not counted above
        std::chrono::milliseconds longest_delay{0};  // of those that were late
    };
    enum class What { late, missed, doubled, not_comparable, unknown_here };
    struct Row {
        What what = What::missed;
        std::optional<store::Millis> at;  // it arrived, or was delivered
        std::string message_id;
        store::FolderNumber folder = 0;  // 0: none
        std::chrono::milliseconds delay{0};
        std::uint64_t times = 0;  // doubled: how often it was delivered
    };

    /// `list`: nullptr: there is none, the server decides.
    ShadowReport(Question question, const ShadowList* list);

    void add(const store::ShadowMail& mail);
    /// After the last mail.
    void finish();

    [[nodiscard]] const Counts& counts() const noexcept { return counts_; }
    /// Of the page that was asked for: first those of mails, in order of arrival, then those of the list.
    [[nodiscard]] const std::vector<Row>& rows() const noexcept { return rows_; }
    [[nodiscard]] std::size_t rows_in_all() const noexcept { return rows_in_all_; }

private:
    /// What the list says of one mail.
    struct Listed {
        std::vector<std::optional<store::Millis>> at;
        std::uint64_t on_server = 0;
        std::string message_id;
    };
    [[nodiscard]] std::optional<ShadowJudgement> compared(const store::ShadowMail& mail);
    [[nodiscard]] Listed* listed(const store::ShadowMail& mail);
    void count(const store::ShadowMail& mail, const ShadowJudgement& judgement);
    void add_row(Row row);

    Question question_;
    bool has_list_;
    std::map<std::string, Listed> by_id_;
    std::map<store::Digest, Listed> by_fingerprint_;  // of those without Message-ID
    Counts counts_;
    std::vector<Row> rows_;
    std::size_t rows_in_all_ = 0;
};

}  // namespace retriever

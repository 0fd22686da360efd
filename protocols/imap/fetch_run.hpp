#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "protocols/imap/client.hpp"

namespace imap {

/// The book-keeping of one Client::fetch(): which UIDs are asked for, by which command, and what became of each.
/// Lets only bodies of UIDs that are asked for and not answered yet reach the sink. When it ends within a body, the
/// sink is told that it broke off.
class FetchRun {
public:
    /// What is asked for of each message: all of it, the header fields that tell it from others, or its email id.
    enum class Of { messages, heads, email_ids };
    /// The bodies that are asked for: whole ones, or `part`.
    struct Part {
        std::uint64_t offset = 0;
        std::uint64_t bytes = 0;
    };
    FetchRun(UidSet wanted, Of of, std::optional<Part> part, FetchSink& sink)
        : wanted_(std::move(wanted)), of_(of), part_(part), sink_(sink) {}
    FetchRun(const FetchRun&) = delete;
    FetchRun& operator=(const FetchRun&) = delete;
    ~FetchRun();

    /// It is asked for, too, under this name; empty: it is not.
    void name_email_id(std::string_view item) { email_id_item_ = item; }
    /// Whether one more command may be sent now.
    [[nodiscard]] bool may_ask(std::size_t batches_in_flight) const noexcept;
    /// The next command with its line end.
    std::string ask(std::string tag, std::uint64_t uids_max, std::size_t command_bytes_max);
    [[nodiscard]] bool in_flight() const noexcept { return !batches_.empty(); }
    /// A tagged response; false: none of ours.
    bool complete(std::string_view tag, const Answer& answer);
    [[nodiscard]] Client::Fetch take_result();

    /// `of`: what the server says that it is.
    FetchSink::Flow body_begins(const FetchItem& known, Of of, std::optional<std::uint64_t> origin);
    FetchSink::Flow body_bytes(std::string_view chunk);
    struct Taken {
        FetchSink::Flow flow = FetchSink::Flow::go_on;
        bool asked_for = false;  // a body that was; all else counts as unasked-for: it has no natural end
    };
    Taken fetched(const FetchItem& item);

private:
    struct Batch {
        std::string tag;
        UidSet open;  // no body came yet
    };
    enum class Body { none, passed_on, dropped };
    [[nodiscard]] Batch* asking_for(Uid uid) noexcept;

    UidSet wanted_;  // not sent yet, behind those in next_
    UidSet next_;    // the front of them: a small set is cheap to take batches from
    Of of_;
    std::optional<Part> part_;
    std::string email_id_item_;
    FetchSink& sink_;
    std::deque<Batch> batches_;
    Client::Fetch result_;
    Body body_ = Body::none;
    Uid body_uid_ = 0;  // as known when the body began
};

}  // namespace imap

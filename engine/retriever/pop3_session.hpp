#pragma once

#include <optional>

#include "engine/retriever/mailbox_session.hpp"
#include "engine/retriever/maildrop.hpp"
#include "engine/retriever/visit_plan.hpp"
#include "protocols/pop3/client.hpp"

namespace retriever {

class Maildrop;

/// A mailbox over POP3: visits on a schedule of its own, which is durable.
class Pop3Session final : public MailboxSession {
public:
    Pop3Session(House house, const Served& served) : MailboxSession(house, served, SessionBudget::Kind::visit) {}

private:
    awaitable<Ended> serve() override;
    awaitable<std::optional<Ended>> wait_for_turn();
    awaitable<std::optional<Ended>> visit();
    awaitable<std::optional<Ended>> converse(pop3::Client& client, Begun& begun, LoginGate::Place place);
    awaitable<std::optional<Ended>> introduce(pop3::Client& client, Begun& begun, LoginGate::Place& place);
    awaitable<std::optional<Ended>> log_in(pop3::Client& client, Begun& begun);
    awaitable<std::optional<Ended>> take_all(pop3::Client& client);
    awaitable<std::optional<Ended>> audit(pop3::Client& client, Maildrop& drop);
    awaitable<std::optional<Ended>> plan_next(Found found, std::optional<std::chrono::seconds> login_delay);
    awaitable<void> obey(const Ended& ended);
    awaitable<Result<void>> keep_schedule();
    [[nodiscard]] std::chrono::milliseconds wait_left(Wish wish) const;
    void enter_schedule(std::chrono::milliseconds span);
    [[nodiscard]] store::Millis now() const;
    [[nodiscard]] VisitLimits limits() const { return visit_limits(house_.options.poll_interval); }

    std::optional<store::Visit> planned_;
    bool schedule_read_ = false;
    store::Millis entered_{};             // when the last log-in was tried
    store::Millis nothing_due_before_{};  // of what is to be removed
};

}  // namespace retriever

#include "engine/control/intake.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <optional>

#include "engine/submission/switches.hpp"

namespace control {
namespace {

struct IntakeWork {
    std::optional<std::string> reason;  // nullopt: stays as it is

    Result<Response> operator()(store::Workbench bench) const {
        if (reason) {
            const auto done = submission::close_intake(bench.store, *reason);
            if (!done) return done.error();
        }
        const auto closed = submission::intake_closed(bench.store);
        if (!closed) return closed.error();
        const auto counts = bench.store.outbox().counts();
        if (!counts) return counts.error();
        boost::json::object object{{"open", closed->empty()}};
        if (!closed->empty()) object["reason"] = *closed;
        object["queued"] = counts->queued;
        object["sending"] = counts->sending;
        object["in_doubt"] = counts->in_doubt;
        object["held"] = counts->held;
        return answer(object);
    }
};

}  // namespace

awaitable<Response> show_intake(Surroundings& here) {
    IntakeWork work;
    auto shown = co_await here.committer.run(here.home, std::move(work));
    if (!shown) co_return failure(shown.error());
    co_return std::move(*shown);
}

awaitable<Response> close_intake(Surroundings& here, std::string reason) {
    IntakeWork work{std::move(reason)};
    auto done = co_await here.committer.run(here.home, std::move(work));
    if (!done) co_return failure(done.error());
    here.senders->forget();
    co_return std::move(*done);
}

awaitable<Response> suspend_sender(Surroundings& here, std::string mailbox, std::string reason) {
    auto work = [mailbox, reason](store::Workbench bench) { return submission::suspend(bench.store, mailbox, reason); };
    auto done = co_await here.committer.run(here.home, std::move(work));
    if (!done && done.error() == store::errc::unknown_id)
        co_return refusal(
            404, fmt::format("there is no mailbox \"{}\" that sends; rohrpost queue senders shows those", mailbox));
    if (!done) co_return failure(done.error());
    if (here.live != nullptr) here.live->changed();
    co_return answer(boost::json::object{{"id", mailbox}, {"suspended", reason}});
}

}  // namespace control

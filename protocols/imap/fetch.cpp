#include <utility>

#include "protocols/imap/client.hpp"
#include "protocols/imap/client_impl.hpp"

namespace imap {
namespace {

// While the sink makes room the server owes nothing.
constexpr net::Pace no_hurry{std::chrono::hours(24)};

}  // namespace

awaitable<Result<Client::Fetch>> Client::fetch(UidSet wanted, FetchPlan plan, FetchSink& sink) {
    FetchRun fetching(std::move(wanted), FetchRun::Of::messages, std::nullopt, sink);
    if (plan.email_ids) fetching.name_email_id(impl_->email_id_item());
    auto result = co_await impl_->carry_out(fetching, plan, sink);
    co_return result;
}

bool Client::may_tell_email_ids() const { return !impl_->email_id_item().empty(); }

awaitable<Result<Client::Fetch>> Client::fetch_email_ids(UidSet wanted, FetchPlan plan, FetchSink& sink) {
    FetchRun fetching(std::move(wanted), FetchRun::Of::email_ids, std::nullopt, sink);
    fetching.name_email_id(impl_->email_id_item());
    auto result = co_await impl_->carry_out(fetching, plan, sink);
    co_return result;
}

/// Where both are offered, as at Gmail, they name the same; Gmail's own is the older one.
std::string_view Client::Impl::email_id_item() const {
    if (session.can("X-GM-EXT-1")) return "X-GM-MSGID";
    if (session.can("OBJECTID")) return "EMAILID";
    return {};
}

awaitable<Result<Client::Fetch>> Client::fetch_heads(UidSet wanted, FetchPlan plan, FetchSink& sink) {
    FetchRun fetching(std::move(wanted), FetchRun::Of::heads, std::nullopt, sink);
    auto result = co_await impl_->carry_out(fetching, plan, sink);
    co_return result;
}

awaitable<Result<Client::Fetch>> Client::fetch_part(Uid uid, std::uint64_t offset, std::uint64_t bytes,
                                                    FetchSink& sink) {
    UidSet wanted;
    wanted.add(uid);
    const FetchRun::Part part{offset, bytes};
    FetchRun fetching(std::move(wanted), FetchRun::Of::messages, part, sink);
    FetchPlan plan;
    auto result = co_await impl_->carry_out(fetching, plan, sink);
    co_return result;
}

awaitable<Result<Client::Fetch>> Client::Impl::carry_out(FetchRun& fetching, FetchPlan plan, FetchSink& sink) {
    Exchange exchange;
    exchange.fetch = &fetching;
    for (;;) {
        std::string commands;
        while (fetching.may_ask(plan.batches_in_flight)) {
            const std::string command = fetching.ask(session.next_tag(), plan.batch_uids, plan.command_bytes_max);
            dialogue.sent(command);
            commands += command;
        }
        if (!fetching.in_flight()) co_return fetching.take_result();
        stream.allow(paces.body);
        if (!commands.empty()) {
            auto written = co_await stream.write(commands);
            if (!written) co_return written.error();
        }
        auto stop = co_await next_stop(exchange);
        if (!stop) co_return stop.error();
        if (*stop != Stop::sink_full) continue;
        stream.allow(no_hurry);
        auto room = co_await sink.room();
        if (!room) co_return room.error();
    }
}

}  // namespace imap

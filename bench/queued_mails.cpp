#include "bench/queued_mails.hpp"

#include "bench/bare_client.hpp"
#include "engine/submission/acceptance.hpp"
#include "protocols/base/clock.hpp"
#include "tools/rohrpost-sim/world.hpp"

namespace bench {
namespace {

constexpr std::size_t group_messages = 2000;

}  // namespace

Result<void> queue_mails(store::OpenedStore& opened, std::size_t messages, std::size_t bytes, std::uint32_t mailboxes) {
    const SystemClock clock;
    SystemRandom random;
    submission::Senders senders;
    const store::Workbench bench{*opened.store, *opened.bodies};
    for (std::size_t done = 0; done < messages;) {
        const auto begun = opened.store->begin();
        if (!begun) return begun;
        for (std::size_t each = 0; each < group_messages && done < messages; ++each, ++done) {
            const auto from = sim::World::address_of(static_cast<std::uint32_t>(done % mailboxes) + 1);
            submission::Order order;
            order.message = mail_of(from, bytes);
            order.recipients = {"someone@elsewhere.test"};
            auto drafted = submission::drafted(std::move(order), random, clock.wall());
            submission::AcceptWork work{&senders, std::move(std::get<submission::Draft>(drafted))};
            const auto accepted = work(bench);
            if (!accepted) return accepted.error();
        }
        const auto synced = opened.bodies->sync();
        if (!synced) return synced;
        const auto committed = opened.store->commit();
        if (!committed) return committed;
    }
    return {};
}

}  // namespace bench

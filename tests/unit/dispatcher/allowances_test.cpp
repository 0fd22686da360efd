#include "engine/dispatcher/allowances.hpp"

#include <catch2/catch.hpp>

#include "engine/dispatcher/sending_work.hpp"
#include "engine/submission/acceptance.hpp"
#include "queue/store/open.hpp"
#include "tests/support/simulated_disk.hpp"

using namespace dispatcher;
using namespace std::chrono_literals;
using store::Millis;

namespace {

const Millis start(500'000h);

/// A store with two mailboxes; every use is within a transaction.
struct Office {
    Office() { reopen(); }
    void reopen() {
        opened = {};
        auto again = store::open_store(disk, "/data", {}, nullptr);
        REQUIRE(again.has_value());
        opened = std::move(*again);
        REQUIRE(opened.store->begin().has_value());
        first = *opened.store->put_mailbox("first", "{}");
        second = *opened.store->put_mailbox("second", "{}");
    }
    void commit() {
        REQUIRE(opened.bodies->sync().has_value());
        REQUIRE(opened.store->commit().has_value());
        REQUIRE(opened.store->begin().has_value());
    }
    void roll_back() {
        opened.store->rollback();
        REQUIRE(opened.store->begin().has_value());
    }
    [[nodiscard]] store::Workbench bench() const { return {*opened.store, *opened.bodies}; }
    void accept(store::MailboxNumber mailbox, std::size_t recipients, Millis at) {
        submission::Ticket ticket;
        ticket.envelope.sender = *smtp::Address::of("a@here.test");
        for (std::size_t each = 0; each < recipients; ++each)
            ticket.envelope.recipients.push_back(
                {.address = *smtp::Address::of("r" + std::to_string(each) + "@there.test"),
                 .notify = {},
                 .original = ""});
        store::Submission row;
        row.mailbox = mailbox;
        row.accepted_at = row.changed_at = at;
        row.due = at;
        row.expires_at = at + 48h;
        row.body = *opened.bodies->append("x");
        row.envelope = encoded(ticket);
        REQUIRE(opened.store->outbox().accept(row).has_value());
    }
    [[nodiscard]] Purse purse(const Spender& spender) const { return *Purse::of(*opened.store, spender); }
    SendingWork::Got take(store::MailboxNumber mailbox, Millis now, const Spender& spender, bool reserved = false) {
        SendingWork work;
        work.take = mailbox;
        work.now = now;
        work.allowances = &allowances;
        work.spender = spender;
        work.reserved = reserved;
        const auto got = work(bench());
        REQUIRE(got.has_value());
        return *got;
    }

    SimulatedDisk disk;
    store::OpenedStore opened;
    Allowances allowances;
    store::MailboxNumber first = 0, second = 0;
};

}  // namespace

TEST_CASE("a mailbox's day is kept by the store: a new process goes on counting", "[dispatcher]") {
    Office office;
    const Spender spender{office.first, 10, {}};
    REQUIRE(office.purse(spender).spend(8, start).has_value());
    office.commit();
    office.reopen();
    CHECK(*Purse::today(*office.opened.store, office.first, start) == 8);
    CHECK_FALSE(office.purse(spender).next(2, start));
    CHECK(office.purse(spender).next(3, start) == start + 25h);
    REQUIRE(office.purse(spender).spend(2, start).has_value());
    office.roll_back();  // what was not taken in the end is not counted
    CHECK(*Purse::today(*office.opened.store, office.first, start) == 8);
}

TEST_CASE("mailboxes of a tenant share its day and its minute", "[dispatcher]") {
    Office office;
    auto& store = *office.opened.store;
    const Tenant tenant{"contoso", {.mails_per_minute = 2, .recipients_per_day = 10}};
    const Spender one{office.first, 0, tenant}, other{office.second, 0, tenant};
    REQUIRE(office.purse(one).spend(9, start).has_value());
    CHECK_FALSE(office.purse(other).next(1, start));
    CHECK(office.purse(other).next(2, start));
    REQUIRE(office.purse(one).give_back(4, start).has_value());
    CHECK_FALSE(office.purse(other).next(2, start));
    CHECK(*Purse::today(store, "contoso", start) == 5);

    CHECK_FALSE(office.allowances.reserve(tenant, start));
    CHECK_FALSE(office.allowances.reserve(tenant, start));
    CHECK(office.allowances.reserve(tenant, start) == start + 30s);  // whoever asks next comes after that
    CHECK(office.allowances.reserve(tenant, start) == start + 60s);
    CHECK_FALSE(office.allowances.reserve({"other", tenant.limits}, start));
}

TEST_CASE("a mail is taken when the day has room for all its recipients, and stays first in line until then",
          "[dispatcher]") {
    Office office;
    const Spender spender{office.first, 10, {}};
    for (const std::size_t recipients : {6, 6, 1}) office.accept(office.first, recipients, start);
    const auto got = office.take(office.first, start, spender);
    REQUIRE(got.submission.has_value());
    CHECK(got.recipients == 6);
    CHECK(got.recipients_today == 6);
    const auto waits = office.take(office.first, start + 1h, spender);
    CHECK_FALSE(waits.submission.has_value());
    CHECK(waits.not_before == start + 25h);
    CHECK(waits.recipients_today == 6);
    CHECK(waits.due.queued == start);

    Owed owed;  // nobody was reached
    owed.submission = *got.submission;
    owed.ticket = *submission::ticket_from(got.submission->envelope);
    owed.spender = spender;
    owed.recipients = got.recipients;
    owed.taken_at = start;
    auto& outcome = owed.settlement.outcome;
    outcome.due = start + 2h;
    outcome.at = start;
    SendingWork settle;
    settle.owed = std::make_shared<const Owed>(owed);
    settle.now = start + 1h;
    settle.allowances = &office.allowances;
    REQUIRE(settle(office.bench()).has_value());
    CHECK(*Purse::today(*office.opened.store, office.first, start) == 0);
    const auto next = office.take(office.first, start + 1h, spender);
    REQUIRE(next.submission.has_value());
    CHECK(next.recipients == 6);
}

TEST_CASE("a tenant's moment belongs to the mailbox that was promised it", "[dispatcher]") {
    Office office;
    const Tenant tenant{"contoso", {.mails_per_minute = 1, .recipients_per_day = 0}};
    const Spender one{office.first, 0, tenant}, other{office.second, 0, tenant};
    office.accept(office.first, 1, start);
    office.accept(office.second, 1, start);
    CHECK(office.take(office.first, start, one).submission.has_value());
    const auto waits = office.take(office.second, start, other);
    CHECK_FALSE(waits.submission.has_value());
    CHECK(waits.reserved);
    CHECK(waits.not_before == start + 60s);
    CHECK(office.take(office.second, start + 60s, other, true).submission.has_value());
    CHECK_FALSE(office.take(office.first, start + 60s, one).not_before.has_value());  // nothing waits: none is used up
}

#include "engine/inlets/smtp_session.hpp"

#include <fmt/format.h>

#include "engine/inlets/smtp_answers.hpp"
#include "engine/runtime/log.hpp"
#include "protocols/base/text.hpp"
#include "protocols/net/errc.hpp"

namespace inlets {
namespace {

using Wants = smtp::ServerSession::Wants;

constexpr std::string_view going_down = "4.3.2 going down; try again later";
constexpr std::chrono::seconds lingering_max{2};
constexpr std::size_t lingering_bytes_max = 16U << 20U;
constexpr std::chrono::milliseconds handshake_within = std::chrono::minutes(1);

smtp::ServerSession::Options session_options(const SmtpInlet::Options& options, const asio::ip::address& peer) {
    auto chosen = options.session;
    chosen.offers_tls = options.tls != nullptr;
    chosen.takes_login_plain = peer.is_loopback();
    return chosen;
}

asio::ip::address unmapped(const asio::ip::address& address) {
    if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
}

}  // namespace

bool KnownSenders::contains(const std::string& address) {
    if (generation_ != senders_.generation()) addresses_.clear();
    return addresses_.contains(address);
}

/// `generation`: from before it was asked for.
void KnownSenders::add(std::string address, std::uint64_t generation) {
    if (generation_ != generation || addresses_.size() >= addresses_max) addresses_.clear();
    generation_ = generation;
    addresses_.insert(std::move(address));
}

SmtpSession::SmtpSession(Around around, asio::ip::tcp::socket socket, asio::ip::address peer, net::BufferPool& pool)
    : around_(around),
      peer_(unmapped(peer).to_string()),
      peer_literal_((unmapped(peer).is_v6() ? "[IPv6:" : "[") + peer_ + "]"),
      stream_(std::move(socket), peer_, 0, around.uses.shard.timers(), pool),
      dialogue_(session_options(around.options, unmapped(peer))) {}

SmtpSession::~SmtpSession() { count(0); }

awaitable<void> SmtpSession::run() {
    dialogue_.greet(out_);
    for (;;) {
        const auto wants = next();
        bool goes_on = true;
        switch (wants) {
            case Wants::bytes:
                goes_on = co_await exchange();
                break;
            case Wants::tls:
                goes_on = co_await start_tls();
                break;
            case Wants::login:
                co_await log_in();
                break;
            case Wants::sender:
                co_await judge_sender();
                break;
            case Wants::mail:
                co_await accept_mail();
                break;
            case Wants::end:
                goes_on = co_await flush();
                if (goes_on && !dialogue_.left()) co_await linger();
                goes_on = false;
                break;
        }
        if (!goes_on) break;
    }
    stream_.close();
}

Wants SmtpSession::next() {
    const auto unread = stream_.unread();
    auto input = unread;
    const auto wants = dialogue_.advance(input, out_);
    stream_.consume(unread.size() - input.size());
    count(dialogue_.held_bytes());
    for (const auto& refusal : dialogue_.take_refusals())
        ++around_.uses.numbers.refused[static_cast<std::size_t>(refusal_in(refusal))];
    return wants;
}

void SmtpSession::count(std::size_t held_bytes) {
    auto& budget = around_.uses.shard.budget();
    if (held_bytes > counted_bytes_) {
        const bool has_room = budget.take(held_bytes - counted_bytes_);
        counted_bytes_ = held_bytes;
        if (has_room || !dialogue_.in_message()) return;
        dialogue_.give_up_message({452, "4.3.1 too much mail is coming in at once; try again"});
        held_bytes = dialogue_.held_bytes();
    }
    if (held_bytes < counted_bytes_) budget.give_back(counted_bytes_ - held_bytes);
    counted_bytes_ = held_bytes;
}

/// A command has its time from the answer before; a message must come at a least rate.
awaitable<bool> SmtpSession::exchange() {
    const auto clock = dialogue_.in_message() ? Clock::message : Clock::command;
    if (!out_.empty() || clock != clock_) {
        const bool flushed = co_await flush();
        if (!flushed) co_return false;
        if (draining_ && !dialogue_.in_mail()) {
            co_await end(going_down);
            co_return false;
        }
        net::Pace pace{.within = around_.options.idle};
        if (clock == Clock::message) pace.bytes_per_second_min = around_.options.message_bytes_per_second_min;
        stream_.allow(pace);
        clock_ = clock;
    }
    waiting_ = true;
    const auto received = co_await stream_.read_more();
    waiting_ = false;
    if (received) co_return true;
    if (received.error() == net::errc::timed_out || received.error() == net::errc::too_slow) {
        const bool told = draining_ && !dialogue_.in_mail();
        const std::string_view why = told ? going_down : "4.4.2 nothing came for too long";
        co_await end(why);
    }
    co_return false;
}

awaitable<bool> SmtpSession::flush() {
    if (out_.empty()) co_return true;
    stream_.allow(net::Pace{.within = around_.options.idle});
    clock_ = Clock::none;
    const std::string bytes = std::exchange(out_, {});
    const auto sent = co_await stream_.write(bytes);
    co_return sent.has_value();
}

awaitable<void> SmtpSession::end(std::string_view why) {
    ++around_.uses.numbers.refused[static_cast<std::size_t>(Refusal::leaving)];
    smtp::ServerSession::say_goodbye(why, out_);
    (void)co_await flush();
}

/// A close with bytes of the peer unread resets the connection, and the last answer would be lost with it.
awaitable<void> SmtpSession::linger() {
    stream_.allow(net::Pace{.within = lingering_max});
    for (std::size_t passed_over = 0; passed_over < lingering_bytes_max;) {
        passed_over += stream_.unread().size();
        stream_.consume(stream_.unread().size());
        const auto received = co_await stream_.read_more();
        if (!received) co_return;
    }
}

void SmtpSession::drain() {
    draining_ = true;
    if (waiting_ && !dialogue_.in_mail()) stream_.allow(net::Pace{.within = std::chrono::milliseconds(0)});
}

awaitable<bool> SmtpSession::start_tls() {
    const bool flushed = co_await flush();
    if (!flushed) co_return false;
    const auto tls = around_.options.tls;  // this one, whatever is read meanwhile
    stream_.allow(net::Pace{.within = handshake_within});
    const auto done = co_await stream_.accept_tls(*tls);
    clock_ = Clock::none;
    if (!done) {
        spdlog::debug("smtp peer={} handshake failed: {}", peer_, done.error().message());
        co_return false;
    }
    dialogue_.tls_started();
    co_return true;
}

awaitable<void> SmtpSession::log_in() {
    auto admission = SmtpInlet::Admission::wrong;
    if (!dialogue_.user().empty()) admission = co_await around_.uses.admit(peer_, dialogue_.password());
    switch (admission) {
        case SmtpInlet::Admission::welcome:
            dialogue_.answer({235, "2.7.0 welcome"}, out_);
            co_return;
        case SmtpInlet::Admission::wrong:
            spdlog::warn("id=smtp-login-refused peer={} user={} the password is not the API token", peer_,
                         runtime::value(text::printable(dialogue_.user(), 100)));
            dialogue_.answer({535, "5.7.8 the password is not the API token"}, out_);
            co_return;
        case SmtpInlet::Admission::turned_away:
            dialogue_.answer({421, "4.7.0 too many wrong passwords came from there; wait a minute"}, out_);
            co_return;
    }
}

awaitable<void> SmtpSession::judge_sender() {
    if (draining_) {  // the next mail of a flight
        dialogue_.answer({421, std::string(going_down)}, out_);
        co_return;
    }
    const auto& sender = dialogue_.mail().sender;
    if (!sender) {
        dialogue_.answer({550, "5.7.1 no mailbox sends with the null sender"}, out_);
        co_return;
    }
    auto address = text::lowered(sender->text());
    if (!around_.known.contains(address)) {
        const auto generation = around_.uses.senders->generation();
        auto work = [senders = around_.uses.senders, address](store::Workbench bench) {
            return senders->find(bench.store, address);
        };
        const auto may_send = co_await around_.uses.committer.run(around_.uses.shard.inbox(), std::move(work));
        if (!may_send) {
            dialogue_.answer(refusal_of(may_send.error(), may_send.error().message()), out_);
            co_return;
        }
        if (!may_send->has_value()) {
            const auto reason = make_error_code(submission::errc::unknown_sender);
            dialogue_.answer(refusal_of(reason, reason.message()), out_);
            co_return;
        }
        around_.known.add(std::move(address), generation);
    }
    dialogue_.answer({250, "2.1.0 ok"}, out_);
}

submission::Order SmtpSession::order() {
    const auto& mail = dialogue_.mail();
    submission::Order order;
    order.message = dialogue_.take_message();
    order.sender = mail.sender->text();
    order.addressed = mail.recipients;
    order.envelope_id = mail.id;
    order.returned = mail.returned;
    order.line_ends = submission::Preparation::Options::LineEnds::crlf_only;
    order.wishes_in_headers = true;
    const auto& name = dialogue_.client_name();
    order.received_from = fmt::format("from {} ({})\r\n\tby {} with {}",
                                      name.empty() ? std::string_view("unknown") : std::string_view(name),
                                      peer_literal_, around_.options.session.name, dialogue_.protocol());
    return order;
}

awaitable<void> SmtpSession::accept_mail() {
    auto& uses = around_.uses;
    const auto begun = uses.shard.timers().now();
    auto drafted = submission::drafted(order(), uses.random, uses.shard.timers().clock().wall());
    if (const auto* fault = std::get_if<submission::Fault>(&drafted)) {
        dialogue_.answer(refusal_of(fault->code, fault->what), out_);
        co_return;
    }
    submission::AcceptWork work{uses.senders.get(), std::move(std::get<submission::Draft>(drafted))};
    const auto due = *work.draft.submission.due;
    const auto bytes = work.draft.message.size();
    const auto accepted = co_await uses.committer.run(uses.shard.inbox(), std::move(work));
    if (!accepted) {
        dialogue_.answer(refusal_of(accepted.error(), accepted.error().message()), out_);
        co_return;
    }
    if (accepted->known_before) {
        ++uses.numbers.known_before;
    } else {
        ++uses.numbers.accepted;
        uses.numbers.accepted_bytes += bytes;
        uses.numbers.accept_ns += static_cast<std::uint64_t>((uses.shard.timers().now() - begun).count());
        uses.queued(accepted->mailbox, due);
    }
    spdlog::debug("smtp peer={} mailbox={} submission={} queued", peer_, accepted->mailbox_id,
                  submission::id_text(accepted->id));
    dialogue_.answer({250, fmt::format("2.0.0 queued as {}{}", submission::id_text(accepted->id),
                                       accepted->known_before ? " (known before)" : "")},
                     out_);
}

}  // namespace inlets

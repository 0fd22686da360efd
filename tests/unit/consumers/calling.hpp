#pragma once

#include <deque>

#include "protocols/net/errc.hpp"
#include "protocols/net/seams.hpp"
#include "tests/support/hand_clock.hpp"
#include "tests/support/run_coroutine.hpp"
#include "tests/support/scripted_stream.hpp"
#include "tests/unit/consumers/fixture.hpp"

namespace consumers_test {

using support::ScriptedStream;
using Turn = ScriptedStream::Turn;

inline Turn server_says(std::string bytes) { return {Turn::Who::server, std::move(bytes)}; }
inline Turn client_says(std::string bytes) { return {Turn::Who::client, std::move(bytes)}; }

/// One script for each connection; then nobody listens.
class ScriptedDialer final : public net::Dialer {
public:
    awaitable<Result<std::unique_ptr<net::Stream>>> dial(net::Dial to) override {
        dialled.push_back(std::move(to));
        if (scripts.empty()) co_return net::errc::refused;
        auto stream = std::make_unique<ScriptedStream>(std::move(scripts.front()), 1U << 20U, start);
        scripts.pop_front();
        streams.push_back(stream.get());
        std::unique_ptr<net::Stream> opened = std::move(stream);
        co_return opened;
    }
    std::deque<std::vector<Turn>> scripts;
    std::vector<net::Dial> dialled;
    std::vector<ScriptedStream*> streams;  // as long as the consumer keeps them
    ScriptedStream::Start start = ScriptedStream::Start::plain;
};

/// What a consumer that calls over the network needs, and mails for it.
struct Office {
    support::HandClock clock;
    Timers timers{clock};
    support::SeededRandom random;
    ScriptedDialer dialer;
    Seams seams{timers, random, dialer};
    MemoryBodies bodies;
    std::vector<consumers::Mail> mails;

    consumers::Mail& put(std::string_view mailbox, std::string_view address, std::string body) {
        consumers::Mail mail;
        mail.record.seq = static_cast<store::Seq>(mails.size() + 1);
        mail.record.id.fill(static_cast<unsigned char>(mail.record.seq));
        mail.record.received_at = store::Millis(std::chrono::milliseconds(1'795'844'007'123));
        mail.record.body = bodies.put(std::move(body));
        mail.mailbox = mailbox;
        mail.address = address;
        mail.folder = "INBOX";
        mail.bodies = &bodies;
        mails.push_back(mail);
        return mails.back();
    }
    consumers::Delivered deliver(consumers::Consumer& consumer) {
        return support::run_coroutine(consumer.deliver(mails));
    }
    /// The ids that put() gives.
    static std::string id(int seq) {
        std::string text;
        for (int at = 0; at < 16; ++at) text += "0" + std::to_string(seq);
        return text;
    }
};

}  // namespace consumers_test

#include "engine/doctor/service_grants.hpp"

#include <memory>

#include "protocols/wait/parking.hpp"
#include "protocols/wait/timers.hpp"

namespace doctor {

awaitable<GrantFacts> ServiceGrants::of(std::string credential, std::chrono::milliseconds within) {
    struct Asked {
        Parking parking;
        std::optional<tokens::TokenAnswer> answer;
    };
    const auto asked = std::make_shared<Asked>();  // the answer may come after we have stopped waiting
    tokens::ReplyTo reply_to;
    reply_to.inbox = &home_;
    reply_to.take = [asked](tokens::TokenAnswer answer) {
        asked->answer = std::move(answer);
        asked->parking.wake();
    };
    service_.ask(credential, std::move(reply_to));
    Timer timer(
        timers_, [](void* parking) { static_cast<Parking*>(parking)->wake(); }, &asked->parking);
    timer.arm(timers_.now() + within);
    co_await asked->parking.wait();

    GrantFacts facts;
    if (auto grant = service_.grant_of(credential)) facts.grant = std::move(*grant);
    if (!asked->answer) {
        facts.late = true;
        co_return facts;
    }
    if (const auto* none = std::get_if<tokens::NoToken>(&*asked->answer)) {
        facts.no_token = none->reason;
        facts.retry_at = none->retry_at;
        co_return facts;
    }
    facts.token = std::get<tokens::Token>(std::move(*asked->answer));
    if (facts.token->kind == tokens::Token::Kind::bearer) facts.claims = read_claims(facts.token->secret.reveal());
    co_return facts;
}

}  // namespace doctor

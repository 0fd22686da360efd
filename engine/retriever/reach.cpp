#include "engine/retriever/reach.hpp"

#include <fmt/format.h>

#include <utility>

namespace retriever {

namespace {

imap::Mechanism mechanism_of(const imap::Client& client, bool password) {
    if (!password) {
        const bool only_bearer = client.can("AUTH=OAUTHBEARER") && !client.can("AUTH=XOAUTH2");
        return only_bearer ? imap::Mechanism::oauthbearer : imap::Mechanism::xoauth2;
    }
    return client.can("AUTH=PLAIN") ? imap::Mechanism::plain : imap::Mechanism::login;
}

}  // namespace

awaitable<std::optional<Ended>> reach(Seams& seams, tokens::TokenClient& tokens, const config::Mailbox& mailbox,
                                      const Place& place, const config::Host& host, Begun& begun) {
    auto answer = co_await tokens.token_for(mailbox.credential);
    if (auto* none = std::get_if<tokens::NoToken>(&answer)) {
        Ended ended;
        ended.how = Ended::How::no_token;
        ended.reason = none->reason;
        ended.person_needed = none->person_needed;
        if (none->retry_at) {
            const auto until = *none->retry_at - seams.timers.clock().wall();
            ended.pause =
                std::max(std::chrono::milliseconds(1), std::chrono::duration_cast<std::chrono::milliseconds>(until));
        }
        co_return ended;
    }
    net::Dial to;
    to.host = host.host;
    to.port = host.port;
    if (host.tls == config::Tls::starttls) to.security = net::Security::plain;
    to.tls = place.tls;
    auto stream = co_await seams.dialer.dial(std::move(to));
    if (!stream) {
        Ended ended;
        ended.reason = fmt::format("connecting to {}:{} failed: {}", host.host, host.port, stream.error().message());
        co_return ended;
    }
    begun.stream = std::move(*stream);
    begun.generation = std::get<tokens::Token>(answer).generation;
    begun.secret = std::move(std::get<tokens::Token>(answer).secret);
    co_return std::nullopt;
}

awaitable<std::optional<Ended>> greet(imap::Client& client) {
    auto greeting = co_await client.greet();
    if (!greeting) {
        auto ended = ended_by(greeting.error(), client.bye());
        ended.reason = "greeting: " + ended.reason;
        co_return ended;
    }
    auto learned = co_await client.learn_capabilities();
    if (!learned) co_return ended_by(learned.error(), client.bye());
    co_return std::nullopt;
}

awaitable<Result<imap::Answer>> log_in(imap::Client& client, const config::Mailbox& mailbox, const Place& place,
                                       bool password, Begun& begun) {
    imap::Login login;
    login.mechanism = mechanism_of(client, password);
    login.user = mailbox.login;
    login.secret = Secret(std::string(std::exchange(begun.secret, {}).reveal()));
    login.host = place.provider.imap->host;
    login.port = place.provider.imap->port;
    auto answer = co_await client.log_in(std::move(login));
    co_return answer;
}

awaitable<std::optional<Ended>> tell_who(imap::Client& client) {
    std::vector<std::pair<std::string, std::string>> who{{"name", "rohrpost"}};
    auto known = co_await client.identify(std::move(who));
    if (!known) co_return ended_by(known.error(), client.bye());
    co_return std::nullopt;
}

}  // namespace retriever

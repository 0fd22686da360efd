#include "engine/dispatcher/line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace dispatcher {

using namespace std::chrono_literals;

namespace {

Effect broken(const std::string& doing, error_code error) {
    return {.cause = Cause::connection, .reason = fmt::format("{} failed: {}", doing, error.message())};
}

Effect refused(Step step, const std::string& doing, const std::string& server, const smtp::Reply& reply) {
    const auto judgement = judgement_of(step, reply);
    return {.cause = judgement.cause,
            .pause = judgement.pause,
            .fewer_connections = judgement.fewer_connections,
            .reason = fmt::format("{}: {} said: {}", doing, server, reply.text())};
}

Effect without_token(const tokens::NoToken& none, WallTime now) {
    Effect effect{.cause = none.person_needed ? Cause::account : Cause::connection, .reason = none.reason};
    if (none.retry_at) {
        const auto until = std::chrono::duration_cast<std::chrono::milliseconds>(*none.retry_at - now);
        effect.pause = std::max(std::chrono::milliseconds(1), until);
    }
    return effect;
}

/// For OAuth accounts never anything but OAuth.
smtp::Mechanism mechanism_of(const smtp::Capabilities& offered, bool password) {
    if (!password) {
        const bool only_bearer = offered.offers_login("OAUTHBEARER") && !offered.offers_login("XOAUTH2");
        return only_bearer ? smtp::Mechanism::oauthbearer : smtp::Mechanism::xoauth2;
    }
    return offered.offers_login("PLAIN") ? smtp::Mechanism::plain : smtp::Mechanism::login;
}

}  // namespace

Line::Line(std::unique_ptr<net::Stream> stream, const Sizes& sizes, std::string server, const store::Digest& place)
    : stream_(std::move(stream)),
      client_(*stream_, sizes.limits, sizes.paces),
      server_(std::move(server)),
      place_(place) {}

Line::~Line() { stream_->close(); }

awaitable<Line::Opened> Line::open(Uses uses, Sender sender) {
    Opened opened;
    std::uint64_t refused_before = 0;  // generation of a token
    for (;;) {
        auto answer = co_await uses.tokens.token_for(sender.credential);
        if (auto* none = std::get_if<tokens::NoToken>(&answer)) {
            opened.why = without_token(*none, uses.seams.timers.clock().wall());
            co_return opened;
        }
        auto& token = std::get<tokens::Token>(answer);
        const auto generation = token.generation;
        if (generation == refused_before) co_return opened;
        opened = co_await connect(uses, sender, std::move(token));
        if (!opened.token_refused || refused_before != 0) co_return opened;
        // Sending may be switched off for a mailbox (5.7.139) whose mail is fetched with the same credential: nobody
        // but this desk suffers from what its server says of a token.
        uses.tokens.expired(sender.credential, generation);
        refused_before = generation;
    }
}

awaitable<Line::Opened> Line::connect(Uses uses, const Sender& sender, tokens::Token token) {
    Opened opened;
    const auto& host = *sender.place->provider.smtp;
    const std::string server = fmt::format("{}:{}", host.host, host.port);
    net::Dial to;
    to.host = host.host;
    to.port = host.port;
    to.security = host.tls == config::Tls::implicit ? net::Security::implicit_tls : net::Security::plain;
    to.tls = sender.place->tls;
    auto stream = co_await uses.seams.dialer.dial(std::move(to));
    if (!stream) {
        opened.why = broken("connecting to " + server, stream.error());
        co_return opened;
    }
    std::unique_ptr<Line> line(new Line(std::move(*stream), uses.sizes, server, sender.place->version));
    opened.why = co_await greet(*line, uses.sizes, sender);
    if (opened.why.cause != Cause::accepted) co_return opened;
    opened.why = co_await log_in(*line, uses, sender, std::move(token));
    opened.token_refused = opened.why.cause == Cause::account && !sender.password;
    if (opened.why.cause == Cause::accepted) opened.line = std::move(line);
    co_return opened;
}

/// From the greeting to a connection that may log in.
awaitable<Effect> Line::greet(Line& line, const Sizes& sizes, const Sender& sender) {
    auto greeting = co_await line.client_.greet();
    if (!greeting) co_return broken("greeting of " + line.server_, greeting.error());
    if (!greeting->accepted()) co_return refused(Step::greeting, "greeting", line.server_, *greeting);
    auto hello = co_await line.client_.hello(sizes.greeting_name);
    if (!hello) co_return broken("EHLO to " + line.server_, hello.error());
    if (!hello->accepted()) co_return refused(Step::greeting, "EHLO", line.server_, *hello);
    if (line.stream_->encrypted()) co_return Effect();
    auto started = co_await line.client_.start_tls(*sender.place->tls, sender.place->provider.smtp->host);
    if (!started) co_return broken("STARTTLS with " + line.server_, started.error());
    if (!started->accepted()) co_return refused(Step::greeting, "STARTTLS", line.server_, *started);
    auto again = co_await line.client_.hello(sizes.greeting_name);
    if (!again) co_return broken("EHLO to " + line.server_, again.error());
    if (!again->accepted()) co_return refused(Step::greeting, "EHLO", line.server_, *again);
    co_return Effect();
}

awaitable<Effect> Line::log_in(Line& line, Uses uses, const Sender& sender, tokens::Token token) {
    smtp::Login login;
    login.mechanism = mechanism_of(line.client_.capabilities(), sender.password);
    login.user = sender.login;
    login.secret = Secret(std::string(token.secret.reveal()));
    login.host = sender.place->provider.smtp->host;
    login.port = sender.place->provider.smtp->port;
    auto answer = co_await line.client_.log_in(std::move(login));
    if (!answer) co_return broken("logging in to " + line.server_ + " as " + sender.login, answer.error());
    if (answer->reply.accepted()) {
        if (!sender.password) uses.tokens.accepted(sender.credential, token.generation);
        co_return Effect();
    }
    auto effect = refused(Step::log_in, "logging in as " + sender.login, line.server_, answer->reply);
    if (!answer->challenge.empty()) effect.reason += fmt::format(" ({})", answer->challenge);
    co_return effect;
}

}  // namespace dispatcher

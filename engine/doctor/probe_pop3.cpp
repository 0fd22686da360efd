#include <fmt/format.h>

#include "engine/doctor/probes.hpp"
#include "engine/doctor/redaction.hpp"
#include "protocols/pop3/client.hpp"

namespace doctor {
namespace {

using namespace std::chrono_literals;

constexpr auto connecting_within = 20s;

pop3::Paces paces() {
    pop3::Paces paces;
    paces.greeting = net::Pace{.within = 20s, .bytes_per_second_min = 0};
    paces.command = net::Pace{.within = 20s, .bytes_per_second_min = 0};
    return paces;
}

struct Way {
    pop3::Mechanism mechanism = pop3::Mechanism::xoauth2;
    std::string_view name;
};
Way way_in(const pop3::Capabilities& offered, tokens::Token::Kind kind) {
    if (kind == tokens::Token::Kind::password) {
        if (offered.offers("PLAIN")) return {pop3::Mechanism::plain, "PLAIN"};
        return {pop3::Mechanism::user_pass, "USER and PASS"};
    }
    const bool only_bearer = offered.offers("OAUTHBEARER") && !offered.offers("XOAUTH2");
    if (only_bearer) return {pop3::Mechanism::oauthbearer, "OAUTHBEARER"};
    return {pop3::Mechanism::xoauth2, "XOAUTH2"};
}

imap::Answer as_imap(const pop3::Answer& answer) {
    return {answer.ok() ? imap::Status::ok : imap::Status::no, answer.code, answer.text};
}

awaitable<Result<void>> converse(pop3::Client& client, const Place& place, const config::Mailbox& mailbox,
                                 const tokens::Token& token, LoginFacts& facts) {
    facts.during = fmt::format("read the greeting of {}", name_of(place));
    const auto greeting = co_await client.greet();
    if (!greeting) co_return greeting.error();
    facts.greeting = greeting->text;
    if (!greeting->ok()) {
        facts.login = as_imap(*greeting);
        co_return Result<void>();
    }
    const auto learned = co_await client.learn_capabilities();
    if (!learned) co_return learned.error();
    const auto way = way_in(client.capabilities(), token.kind);
    facts.mechanism = way.name;
    facts.during = fmt::format("logged in as {} by {}", mailbox.login, way.name);
    pop3::Login login;
    login.mechanism = way.mechanism;
    login.user = mailbox.login;
    login.secret = Secret(std::string(token.secret.reveal()));
    login.host = place.host;
    login.port = place.port;
    auto answer = co_await client.log_in(std::move(login));
    if (!answer) co_return answer.error();
    facts.login = as_imap(*answer);
    facts.sasl_error = answer->challenge;
    if (!answer->ok()) co_return Result<void>();
    facts.during = "counted its messages (STAT)";
    auto counted = co_await client.stat();
    if (!counted) co_return counted.error();
    facts.folders.push_back(
        {"the mailbox", as_imap(counted->answer), static_cast<std::uint32_t>(counted->counted.messages)});
    const auto left = co_await client.quit();
    (void)left;  // all that was to be seen has been seen, and nothing is removed
    co_return Result<void>();
}

}  // namespace

awaitable<LoginFacts> probe_pop3_login(Surroundings here, Place place, std::shared_ptr<const net::TlsClient> tls,
                                       config::Mailbox mailbox, tokens::Token token) {
    LoginFacts facts;
    facts.over = config::Protocol::pop3;
    facts.during = fmt::format("connected to {}", name_of(place));
    net::Dial to;
    to.host = place.host;
    to.port = place.port;
    to.tls = std::move(tls);
    to.within = connecting_within;
    auto stream = co_await here.seams.dialer.dial(std::move(to));
    if (!stream) {
        facts.fault = stream.error();
        co_return facts;
    }
    pop3::Client client(**stream, pop3::Limits{}, paces());
    const auto done = co_await converse(client, place, mailbox, token, facts);
    if (!done) facts.fault = done.error();
    (*stream)->close();
    imap::Login sent;
    sent.user = mailbox.login;
    sent.secret = Secret(std::string(token.secret.reveal()));
    sent.host = place.host;
    sent.port = place.port;
    const Redaction redaction(sent);
    for (auto* text : {&facts.sasl_error, &facts.greeting}) redaction.in(*text);
    if (facts.login) redaction.in(facts.login->text);
    for (auto& folder : facts.folders) redaction.in(folder.answer.text);
    co_return facts;
}

}  // namespace doctor

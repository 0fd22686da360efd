#include <fmt/format.h>

#include <algorithm>

#include "engine/doctor/probes.hpp"
#include "engine/doctor/redaction.hpp"
#include "engine/doctor/sasl_error.hpp"
#include "protocols/base/text.hpp"
#include "protocols/imap/client.hpp"
#include "protocols/imap/folder_choice.hpp"

namespace doctor {
namespace {

using namespace std::chrono_literals;

constexpr auto connecting_within = 20s;
constexpr std::size_t capabilities_shown_max = 40;

imap::Paces paces() {
    imap::Paces paces;
    paces.greeting = net::Pace{.within = 20s, .bytes_per_second_min = 0};
    paces.command = net::Pace{.within = 20s, .bytes_per_second_min = 0};
    return paces;
}

awaitable<Result<std::unique_ptr<net::Stream>>> dial(Surroundings here, Place place,
                                                     std::shared_ptr<const net::TlsClient> tls) {
    net::Dial to;
    to.host = std::move(place.host);
    to.port = place.port;
    to.tls = std::move(tls);
    to.within = connecting_within;
    auto stream = co_await here.seams.dialer.dial(std::move(to));
    co_return stream;
}

struct Way {
    imap::Mechanism mechanism = imap::Mechanism::xoauth2;
    std::string_view name;
};
Way way_in(const imap::Client& client, tokens::Token::Kind kind) {
    if (kind == tokens::Token::Kind::password) {
        if (client.can("AUTH=PLAIN")) return {imap::Mechanism::plain, "PLAIN"};
        return {imap::Mechanism::login, "LOGIN"};
    }
    const bool only_bearer = client.can("AUTH=OAUTHBEARER") && !client.can("AUTH=XOAUTH2");
    if (only_bearer) return {imap::Mechanism::oauthbearer, "OAUTHBEARER"};
    return {imap::Mechanism::xoauth2, "XOAUTH2"};
}

imap::Login login_of(const Place& place, const config::Mailbox& mailbox, const tokens::Token& token) {
    imap::Login login;
    login.user = mailbox.login;
    login.secret = Secret(std::string(token.secret.reveal()));
    login.host = place.host;
    login.port = place.port;
    return login;
}

/// From the greeting to the last folder.
awaitable<Result<void>> converse(imap::Client& client, const Place& place, const config::Mailbox& mailbox,
                                 const tokens::Token& token, LoginFacts& facts) {
    facts.during = fmt::format("read the greeting of {}", name_of(place));
    const auto greeting = co_await client.greet();
    if (!greeting) co_return greeting.error();
    facts.greeting = greeting->text;
    const auto learned = co_await client.learn_capabilities();
    if (!learned) co_return learned.error();
    const auto way = way_in(client, token.kind);
    facts.mechanism = way.name;
    facts.during = fmt::format("logged in as {} by {}", mailbox.login, way.name);
    auto login = login_of(place, mailbox, token);
    login.mechanism = way.mechanism;
    auto answer = co_await client.log_in(std::move(login));
    if (!answer) co_return answer.error();
    facts.login = std::move(*answer);
    if (!facts.login->ok()) {
        for (const auto& line : client.last_lines()) {
            if (auto error = sasl_error_in(line)) facts.sasl_error = std::move(*error);
        }
        co_return Result<void>();
    }
    auto folders = mailbox.folders;
    if (std::any_of(folders.begin(), folders.end(), imap::is_looked_up)) {
        facts.during = "asked for the list of folders (LIST)";
        const auto listed = co_await client.list("*");
        if (!listed) co_return listed.error();
        folders = imap::choose_folders(mailbox.folders, listed->entries, mailbox.move_to);
        if (folders.empty()) {
            auto none = listed->answer;
            none.status = imap::Status::no;
            none.text = fmt::format("none of the {} folders is chosen", listed->entries.size());
            facts.folders.push_back({fmt::format("{}", fmt::join(mailbox.folders, ", ")), std::move(none), 0});
        }
    }
    for (const auto& folder : folders) {
        facts.during = fmt::format("opened {} (EXAMINE)", folder);
        auto opened = co_await client.open(folder, imap::Client::Access::read_only);
        if (!opened) co_return opened.error();
        facts.folders.push_back({folder, std::move(opened->answer), opened->selected.exists});
    }
    facts.during = "logged out";
    const auto left = co_await client.log_out();
    (void)left;  // all that was to be seen has been seen
    co_return Result<void>();
}

}  // namespace

awaitable<GreetingFacts> probe_greeting(Surroundings here, Place place, std::shared_ptr<const net::TlsClient> tls) {
    GreetingFacts facts;
    facts.place = place;
    auto stream = co_await dial(here, place, std::move(tls));
    if (!stream) {
        facts.fault = stream.error();
        co_return facts;
    }
    imap::Client client(**stream, imap::Limits{}, paces());
    const auto greeting = co_await client.greet();
    if (!greeting) {
        facts.fault = greeting.error();
        facts.text = client.bye();
        co_return facts;
    }
    facts.text = greeting->text;
    const auto learned = co_await client.learn_capabilities();
    if (!learned) {
        facts.fault = learned.error();
        facts.text = client.bye();
        co_return facts;
    }
    facts.capabilities = client.capabilities();
    if (facts.capabilities.size() > capabilities_shown_max) facts.capabilities.resize(capabilities_shown_max);
    for (auto& capability : facts.capabilities) capability = text::printable(capability, 100);
    const auto left = co_await client.log_out();
    (void)left;
    (*stream)->close();
    co_return facts;
}

awaitable<LoginFacts> probe_login(Surroundings here, Place place, std::shared_ptr<const net::TlsClient> tls,
                                  config::Mailbox mailbox, tokens::Token token) {
    LoginFacts facts;
    facts.during = fmt::format("connected to {}", name_of(place));
    auto stream = co_await dial(here, place, std::move(tls));
    if (!stream) {
        facts.fault = stream.error();
        co_return facts;
    }
    imap::Client client(**stream, imap::Limits{}, paces());
    const auto done = co_await converse(client, place, mailbox, token, facts);
    if (!done) facts.fault = done.error();
    facts.bye = client.bye();
    (*stream)->close();
    const Redaction redaction(login_of(place, mailbox, token));
    for (auto* text : {&facts.bye, &facts.sasl_error, &facts.greeting}) redaction.in(*text);
    if (facts.login) redaction.in(facts.login->text);
    for (auto& folder : facts.folders) redaction.in(folder.answer.text);
    co_return facts;
}

}  // namespace doctor

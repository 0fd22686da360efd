#include "engine/doctor/login.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/doctor/greeting.hpp"
#include "engine/doctor/knowledge.hpp"
#include "engine/doctor/times.hpp"
#include "protocols/base/text.hpp"

namespace doctor {
namespace {

constexpr auto lately = std::chrono::hours(24);

std::string text_of(const imap::Answer& answer, config::Protocol over) {
    const std::string_view imap_word = answer.status == imap::Status::bad ? "BAD " : "NO ";
    return fmt::format("{}{}{}", over == config::Protocol::pop3 ? "-ERR " : imap_word,
                       answer.code.empty() ? std::string() : '[' + answer.code + "] ", answer.text);
}

class LoginJudge {
public:
    LoginJudge(const LoginFacts& facts, const LoginExpected& expected)
        : facts_(facts),
          expected_(expected),
          names_(names_of(expected.credential, expected.provider, expected.claims)) {
        names_.id = expected.patient.mailbox.id;
        names_.mailbox = expected.patient.mailbox.login;
        const auto& host = over_pop3() ? expected.provider.pop3 : expected.provider.imap;
        if (host) names_.host = fmt::format("{}:{}", host->host, host->port);
    }

    Judged judged() && {
        if (facts_.login && !facts_.login->ok()) {
            refused(*facts_.login);
        } else if (facts_.fault) {
            broken();
        } else {
            folders();
        }
        return std::move(judged_);
    }

private:
    void refused(const imap::Answer& answer) {
        auto got = text_of(answer, facts_.over);
        const auto id = id_of_refusal(got, "login-refused");
        if (!facts_.sasl_error.empty()) got += fmt::format("; before that: {}", facts_.sasl_error);
        add(id, logging_in(), std::move(got));
    }
    /// By the server's words, and by who logs in where; adds what else speaks for it.
    std::string_view id_of_refusal(std::string& got, std::string_view otherwise) const {
        const auto* row = known_to_server(got);
        if (row == nullptr) return otherwise;
        const bool application = expected_.credential.flow == config::Flow::client_credentials;
        const auto& proof = expected_.patient.last_proof;
        const bool worked = proof && expected_.now - *proof < lately;
        if (worked) got += fmt::format(" (it worked at {})", time_text(*proof));
        if (row->id == "imap-login-refused" && application) return "imap-app-refused";
        if (row->id != "not-connected") return row->id;
        if (worked) return "not-connected-now";
        if (application) return "app-not-connected";
        return text::same(names_.mailbox, names_.user) ? "not-connected-own" : row->id;
    }
    void broken() {
        auto got = facts_.fault.message();
        const Knowledge* row = nullptr;
        if (!facts_.bye.empty()) {
            got += fmt::format("; the server said: {}", facts_.bye);
            row = known_to_server(facts_.bye);
        }
        add(row == nullptr ? id_of(facts_.fault) : row->id, facts_.during, std::move(got));
    }
    void folders() {
        for (const auto& folder : facts_.folders) {
            names_.folder = folder.name;
            const auto did = over_pop3() ? facts_.during : fmt::format("opened {} (EXAMINE)", folder.name);
            if (folder.answer.ok()) continue;
            auto got = text_of(folder.answer, facts_.over);
            const auto id = id_of_refusal(got, "folder-refused");
            add(id, did, std::move(got));
        }
        if (!judged_.findings.empty()) return;
        judged_.passable = true;
        std::string got;
        for (const auto& folder : facts_.folders) {
            got += fmt::format("{}{}: {} message{}", got.empty() ? "" : ", ", folder.name, folder.messages,
                               folder.messages == 1 ? "" : "s");
        }
        judged_.findings.push_back(
            fine("mailbox", subject(), logging_in() + (over_pop3() ? ", counted its messages" : ", opened its folders"),
                 got));
    }

    /// By the texts of whoever greets there.
    [[nodiscard]] const Knowledge* known_to_server(std::string_view says) const {
        auto maker = maker_of(expected_.provider);
        if (maker == Maker::other) maker = maker_of_greeting(facts_.greeting);
        const Knowledge* row = nullptr;
        if (over_pop3()) {
            if (maker == Maker::microsoft) row = known_by(says, "Exchange Online, POP3");
            return row == nullptr ? known_by(says, "POP3 response code") : row;
        }
        if (maker == Maker::microsoft) row = known_by(says, "Exchange Online, IMAP");
        if (maker == Maker::google) row = known_by(says, "Gmail, IMAP");
        return row == nullptr ? known_by(says, "IMAP response code") : row;
    }
    [[nodiscard]] std::string logging_in() const {
        std::string with;
        const auto& claims = expected_.claims;
        if (claims && !claims->audience.empty()) {
            const auto& rights = claims->scopes.empty() ? claims->roles : claims->scopes;
            with = fmt::format(" (a token for {}: {})", claims->audience,
                               rights.empty() ? std::string("no scopes") : fmt::format("{}", fmt::join(rights, " ")));
        }
        return fmt::format("logged in as {} by {} with credential {}{}", names_.mailbox, facts_.mechanism,
                           names_.credential, with);
    }
    [[nodiscard]] bool over_pop3() const { return facts_.over == config::Protocol::pop3; }
    [[nodiscard]] Subject subject() const { return {Subject::Kind::mailbox, expected_.patient.mailbox.id}; }
    void add(std::string_view id, std::string did, std::string got) {
        judged_.findings.push_back(found(id, subject(), std::move(did), std::move(got), names_));
    }

    const LoginFacts& facts_;
    const LoginExpected& expected_;
    Names names_;
    Judged judged_;
};

}  // namespace

Judged judge(const LoginFacts& facts, const LoginExpected& expected) { return LoginJudge(facts, expected).judged(); }

}  // namespace doctor

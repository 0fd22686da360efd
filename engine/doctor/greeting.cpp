#include "engine/doctor/greeting.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/doctor/knowledge.hpp"
#include "protocols/base/text.hpp"

namespace doctor {

Maker maker_of_greeting(std::string_view text) noexcept {
    if (text::find_same(text, "Microsoft Exchange") != std::string_view::npos) return Maker::microsoft;
    return text::find_same(text, "Gimap") != std::string_view::npos ? Maker::google : Maker::other;
}

Judged judge(const GreetingFacts& facts, const GreetingExpected& expected) {
    const std::string host = name_of(facts.place);
    const Subject subject{Subject::Kind::host, host};
    const std::string did = fmt::format("read the greeting of {} and asked for capabilities", host);
    Names names;
    names.host = host;
    Judged judged;
    if (facts.fault) {
        const auto got = facts.text.empty() ? facts.fault.message()
                                            : fmt::format("{}; it said: {}", facts.fault.message(), facts.text);
        judged.findings.push_back(found(id_of(facts.fault), subject, did, got, names));
        return judged;
    }
    const auto got = fmt::format("{}; {}", facts.text, fmt::join(facts.capabilities, " "));
    const auto can = [&facts](std::string_view capability) {
        return std::any_of(facts.capabilities.begin(), facts.capabilities.end(),
                           [capability](const std::string& one) { return text::same(one, capability); });
    };
    if (expected.maker != Maker::other && maker_of_greeting(facts.text) != expected.maker) {
        judged.findings.push_back(found("greeting-foreign", subject, did, got, names));
        return judged;
    }
    const bool takes_tokens = can("AUTH=XOAUTH2") || can("AUTH=OAUTHBEARER");
    const bool takes_passwords = can("AUTH=PLAIN") || !can("LOGINDISABLED");
    if ((expected.tokens && !takes_tokens) || (expected.passwords && !takes_passwords)) {
        judged.findings.push_back(found("no-mechanism", subject, did, got, names));
    } else {
        judged.findings.push_back(fine("greeting", subject, did, got));
    }
    judged.passable = true;  // those who log in otherwise go on
    return judged;
}

}  // namespace doctor

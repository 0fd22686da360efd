#pragma once
/// A pretend identity provider in memory: requests and answers, time and chance in the test's hand.

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <map>
#include <string>

#include "tests/support/hand_clock.hpp"
#include "tools/rohrpost-sim/answers.hpp"
#include "tools/rohrpost-sim/http_endpoint.hpp"
#include "tools/rohrpost-sim/world.hpp"

namespace support {

using Form = std::map<std::string, std::string>;

inline const std::string box = "box0001@sim.test";
inline const std::string redirect_uri = "http://localhost:8025/oauth/callback";
inline const std::string verifier = "a-verifier-of-at-least-43-characters-as-the-rfc-wants-it";
inline const std::string mail_scopes =
    "https://outlook.office.com/IMAP.AccessAsUser.All offline_access openid profile email";

struct IdentityDesk {
    explicit IdentityDesk(sim::Manner manner = sim::Manner::entra, std::uint_fast32_t seed = 1)
        : random(seed), world(population(), token_rules(), clock, random, rules_of(manner)) {
        sim::furnish(world);
    }
    static sim::Population population() {
        sim::Population three;
        three.mailboxes = 3;
        return three;
    }
    static sim::TokenRules token_rules() {
        sim::TokenRules rules;
        rules.access_token_bytes = 60;
        return rules;
    }
    static sim::IdentityRules rules_of(sim::Manner manner) {
        sim::IdentityRules rules;
        rules.manner = manner;
        rules.strict = true;
        return rules;
    }
    [[nodiscard]] bool google() const { return world.identity.rules.manner == sim::Manner::google; }
    [[nodiscard]] std::string place() const {
        return google() ? "" : "/" + world.identity.rules.tenant + "/oauth2/v2.0";
    }

    sim::HttpReply send(const std::string& method, const std::string& path, Form fields) {
        sim::HttpRequest request;
        request.method = method;
        request.path = path;
        request.fields = std::move(fields);
        request.cookies = {cookies.begin(), cookies.end()};
        sim::HttpReply reply = sim::answer(world, request);
        const std::string cookie = reply.header("Set-Cookie");
        const std::size_t equals = cookie.find('=');
        if (equals != std::string::npos)
            cookies[cookie.substr(0, equals)] = cookie.substr(equals + 1, cookie.find(';') - equals - 1);
        return reply;
    }
    [[nodiscard]] Form authorize_form(Form more = {}) const {
        Form form{{"client_id", "rohrpost-sim"},
                  {"redirect_uri", redirect_uri},
                  {"response_type", "code"},
                  {"scope", google() ? "https://mail.google.com/ openid email" : mail_scopes},
                  {"state", "a state & more"},
                  {"nonce", "a-nonce"},
                  {"code_challenge", base64url_of_sha256(verifier)},
                  {"code_challenge_method", "S256"}};
        if (google()) form["access_type"] = "offline";
        for (auto& [key, value] : more) form[key] = value;
        return form;
    }
    sim::HttpReply authorize(Form more = {}) {
        return send("GET", google() ? "/o/oauth2/v2/auth" : place() + "/authorize", authorize_form(std::move(more)));
    }
    /// Fills in the page's form.
    sim::HttpReply fill(const sim::HttpReply& page, Form fields) {
        fields["flow"] = between(page.body, "name=\"flow\" value=\"", "\"");
        REQUIRE_FALSE(fields["flow"].empty());
        return send("POST", "/authorize", std::move(fields));
    }
    sim::HttpReply sign_in(const sim::HttpReply& page, const std::string& name = box) {
        return fill(page, {{"step", "sign_in"}, {"username", name}, {"password", "sim-password"}});
    }
    /// The consent page's button; Google's boxes stay ticked.
    sim::HttpReply accept(const sim::HttpReply& page) {
        return fill(page, {{"consent", "accept"}, {"scope_0", "on"}, {"scope_1", "on"}, {"scope_2", "on"}});
    }
    /// Signs in and consents; the fields that come back.
    Form consented(Form more = {}, const std::string& name = box) {
        return returned(accept(sign_in(authorize(std::move(more)), name)));
    }
    sim::HttpReply token(Form fields) {
        fields.emplace("client_id", "rohrpost-sim");
        return send("POST", google() ? "/token" : place() + "/token", std::move(fields));
    }
    sim::HttpReply redeem(const std::string& code, Form more = {}) {
        Form form{{"grant_type", "authorization_code"},
                  {"code", code},
                  {"redirect_uri", redirect_uri},
                  {"code_verifier", verifier}};
        for (auto& [key, value] : more) form[key] = value;
        return token(std::move(form));
    }
    void fault(const std::string& text) {
        const auto one = sim::read_fault(text);
        INFO(text);
        REQUIRE(one);
        world.faults.add(*one);
    }

    static std::string between(const std::string& whole, const std::string& before, const std::string& after) {
        const std::size_t begin = whole.find(before);
        if (begin == std::string::npos) return {};
        const std::size_t from = begin + before.size();
        return whole.substr(from, whole.find(after, from) - from);
    }
    static std::string base64url_of_sha256(const std::string& text);
    /// Of a redirect by query.
    static Form returned(const sim::HttpReply& reply) {
        INFO(reply.body);
        REQUIRE(reply.status == 302);
        const std::string location = reply.header("Location");
        return sim::read_form(std::string_view(location).substr(location.find('?') + 1));
    }
    static boost::json::object json_of(const sim::HttpReply& reply) {
        INFO(reply.body);
        return boost::json::parse(reply.body).as_object();
    }
    static std::string text_in(const boost::json::object& object, std::string_view key) {
        const boost::json::value* found = object.if_contains(key);
        return found == nullptr || !found->is_string() ? std::string() : std::string(found->as_string());
    }
    static std::string error_of(const sim::HttpReply& reply) { return text_in(json_of(reply), "error"); }
    static std::int64_t code_of(const sim::HttpReply& reply) {
        return json_of(reply).at("error_codes").as_array().at(0).as_int64();
    }
    /// Its claims, once the served key with its name says that the signature is right.
    sim::Jwt verified(const std::string& id_token) {
        const auto jwt = sim::read_jwt(id_token);
        REQUIRE(jwt);
        bool right = false;
        for (const sim::RsaKey& key : world.identity.served_keys())
            right = right || (key.kid() == jwt->header_text("kid") && jwt->algorithm() == sim::Algorithm::rs256 &&
                              key.verifies(sim::Algorithm::rs256, jwt->signed_part, jwt->signature));
        CHECK(right);
        return *jwt;
    }

    HandClock clock{WallTime(std::chrono::seconds(1'795'000'000))};
    SeededRandom random;
    sim::World world;
    Form cookies;
};

}  // namespace support

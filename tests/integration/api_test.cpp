// The API, compared with what its own description says of it.

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include "tests/support/mail_rig.hpp"
#include "tests/support/places.hpp"
#include "tests/support/running.hpp"

using support::eventually;
using support::MailRig;

namespace json = boost::json;

namespace {

/// The first line of what it says.
json::object asked(const support::Daemon& daemon, std::vector<std::string> words) {
    words.emplace_back("--json");
    const auto ran = daemon.ask(std::move(words));
    INFO(ran.output << ran.errors);
    REQUIRE(ran.exit_code == 0);
    return json::parse(ran.output.substr(0, ran.output.find('\n'))).as_object();
}

json::array call(const char* method, const char* path) { return {method, path}; }

}  // namespace

TEST_CASE("api: every call is answered as /v1/openapi.json describes it, and every refusal is a problem", "[daemon]") {
    auto wish = MailRig::senders(2);
    wish.consumer = "pull";
    MailRig rig(wish);
    rig.put(1, 3);
    rig.put(2, 1);
    auto document = rig.document();
    document["webhooks"] = json::array{json::object{{"id", "hook"},
                                                    {"url", "https://203.0.113.1/"},
                                                    {"secret", json::object{{"value", "hook-secret"}}},
                                                    {"events", json::array{"alarms"}}}};
    rig.daemon.import(json::serialize(document));
    rig.daemon.start();
    REQUIRE(eventually([&] { return asked(rig.daemon, {"status"}).at("store").at("messages") == 4; }));
    REQUIRE(eventually([&] { return rig.daemon.state_of("box0001") == "idle"; }));
    REQUIRE(rig.daemon.ask({"queue", "suspend", "box0001"}).exit_code == 0);  // what is queued stays for a while
    const auto sent = rig.daemon.ask({"send", "-f", "box0001@sim.test", "a@there.test"}, "Subject: x\n\nx\n");
    REQUIRE(sent.exit_code == 0);
    const auto submission = sent.output.substr(0, 13);
    const auto next = asked(rig.daemon, {"inbox", "list", "--mailbox", "box0001"});
    INFO(json::serialize(next));
    const auto message = next.at("id").as_string();

    json::object ids, bodies;
    const auto give = [&ids](const char* path, const char* name, std::string_view value) {
        ids[path] = json::object{{name, value}};
    };
    for (const char* path : {"/v1/mailboxes/{id}", "/v1/mailboxes/{id}/pause", "/v1/mailboxes/{id}/resume",
                             "/v1/mailboxes/{id}/audit", "/v1/mailboxes/{id}/after", "/v1/mailboxes/{id}/backfill"})
        give(path, "id", "box0001");
    for (const char* path : {"/v1/messages/{id}", "/v1/messages/{id}/raw", "/v1/messages/{id}/acknowledge"})
        give(path, "id", message);
    ids["/v1/messages/{id}/parts/{part}"] = json::object{{"id", message}, {"part", "0"}};
    give("/v1/mailboxes/{id}/replay", "id", "box0001");
    for (const char* path :
         {"/v1/submissions/{id}", "/v1/submissions/{id}/raw", "/v1/submissions/{id}/hold",
          "/v1/submissions/{id}/release", "/v1/submissions/{id}/retry", "/v1/submissions/{id}/cancel"})
        give(path, "id", submission);
    give("/v1/credentials/{id}", "id", "box0001");
    give("/v1/webhooks/{id}", "id", "hook");
    give("/v1/senders/{mailbox}/suspend", "mailbox", "box0001");
    give("/v1/senders/{mailbox}/resume", "mailbox", "box0001");
    bodies["/v1/configuration"] = json::array{"application/json", json::serialize(document)};
    bodies["/v1/submissions"] =
        json::array{"message/rfc822", "From: box0001@sim.test\r\nTo: b@there.test\r\nSubject: y\r\n\r\ny\r\n"};
    bodies["/v1/checks"] = json::array{"application/json", R"({"mailboxes": ["box0001"]})"};
    const json::object query{{"/v1/submissions?from", "box0001@sim.test"},
                             {"/v1/submissions?after", submission},
                             {"/v1/mailboxes/{id}/backfill?from", "2020-01-01"},
                             {"since", "2026-01-01"},
                             {"until", "2026-01-02"},
                             {"by", "browser"},
                             {"lane", "bulk"},
                             {"policy", "keep"},
                             {"through", "yes"},
                             {"to", "b@there.test"},
                             {"to_headers", "yes"},
                             {"secrets", "open"},
                             {"browser", "0123456789abcdef0123456789abcdef"}};
    // Signing in, shadows and the quarantine have tests of their own; the rest is in use.
    const json::array never{call("get", "/v1/mailboxes/{id}/shadow"),
                            call("post", "/v1/mailboxes/{id}/shadow"),
                            call("post", "/v1/inbox/quarantine/{id}/retry"),
                            call("post", "/v1/inbox/quarantine/{id}/drop"),
                            call("post", "/v1/credentials/{id}/authorize"),
                            call("get", "/v1/sign-ins/{id}"),
                            call("post", "/v1/sign-ins/finish"),
                            call("get", "/v1/checks/{id}"),
                            call("delete", "/v1/providers/{id}"),
                            call("delete", "/v1/consumers/{id}"),
                            call("delete", "/v1/alarms/{id}")};
    const json::object samples{{"ids", ids}, {"bodies", bodies}, {"query", query}, {"never", never}};
    const auto ran = support::run_to_end(
        {.command = {"/usr/bin/python3", support::source_directory() + "/tests/support/described.py",
                     (rig.daemon.data() / "control.sock").string(), json::serialize(samples)}});
    INFO(ran.errors << rig.daemon.log());
    CHECK(ran.exit_code == 0);
    CHECK(ran.output == "");
    CHECK(rig.daemon.stop() == 0);
}

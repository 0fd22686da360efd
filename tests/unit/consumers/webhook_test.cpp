#include "engine/consumers/webhook.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

#include "protocols/base/base64.hpp"
#include "protocols/webhook/signature.hpp"
#include "tests/unit/consumers/calling.hpp"

using namespace consumers;
using namespace consumers_test;
using namespace std::chrono_literals;
using Fault = Delivered::Fault;
using Format = config::Consumer::Format;

namespace {

const Secret key("a key");
const std::string ok = "HTTP/1.1 204 No Content\r\n\r\n";

Webhook::Options options(Format format) {
    Webhook::Options options;
    options.receiver.url = "http://127.0.0.1:8080/mail?for=desk";
    options.receiver.key = key;
    options.format = format;
    options.source = "urn:rohrpost:here";
    return options;
}

/// The request for a mail as it is to stand on the wire; `moment` is the HandClock's.
std::string request(int seq, const std::string& headers, const std::string& body, std::int64_t moment = 1'700'000'000) {
    const auto id = Office::id(seq);
    return fmt::format(
        "POST /mail?for=desk HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Length: {}\r\nUser-Agent: Rohrpost\r\n"
        "webhook-id: {}\r\nwebhook-timestamp: {}\r\nwebhook-signature: {}\r\n{}\r\n{}",
        body.size(), id, moment, webhook::signature_of(key, id, std::to_string(moment), body), headers, body);
}

std::string raw_headers(int seq, const std::string& more = "") {
    return fmt::format(
        "Content-Type: message/rfc822\r\nce-specversion: 1.0\r\nce-id: {}\r\nce-source: urn:rohrpost:here\r\n"
        "ce-type: message.received\r\nce-subject: a\r\nce-time: 2026-11-28T05:33:27.123Z\r\n"
        "ce-address: a%40example.com\r\nce-folder: INBOX\r\nce-seq: {}\r\n{}",
        Office::id(seq), seq, more);
}

/// What becomes of one mail that is answered so.
Delivered answered(const std::string& answer) {
    Office office;
    office.put("a", "a@example.com", "Subject: 1\r\n\r\n");
    office.dialer.scripts = {{client_says(request(1, raw_headers(1), "Subject: 1\r\n\r\n")), server_says(answer)}};
    Webhook consumer(options(Format::raw), office.seams);
    return office.deliver(consumer);
}

}  // namespace

TEST_CASE("webhook: raw mails go over one connection, signed, with their facts in CloudEvents headers",
          "[consumers][webhook]") {
    Office office;
    office.put("a", "a@example.com", "Subject: 1\r\n\r\nbare\nline ends and \x80 stay");
    office.put("a", "a@example.com", "Subject: 2\r\n\r\n").possible_repeat = true;
    office.dialer.scripts = {
        {client_says(request(1, raw_headers(1), "Subject: 1\r\n\r\nbare\nline ends and \x80 stay")), server_says(ok),
         client_says(request(2, raw_headers(2, "ce-possiblerepeat: true\r\n"), "Subject: 2\r\n\r\n")),
         server_says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")}};
    Webhook consumer(options(Format::raw), office.seams);
    const auto delivered = office.deliver(consumer);
    CHECK(delivered.reason == "");
    CHECK(delivered.count == 2);
    CHECK(delivered.attempted == 2);
    REQUIRE(office.dialer.dialled.size() == 1);
    CHECK(office.dialer.dialled[0].host == "127.0.0.1");
    CHECK(office.dialer.dialled[0].port == 8080);
    CHECK(office.dialer.streams[0]->surprise() == "");
}

TEST_CASE("webhook: a CloudEvents document holds the facts of a mail and its bytes", "[consumers][webhook]") {
    Office office;
    const std::string body =
        "From: =?utf-8?q?J=C3=B6rg?= <j@example.org>\r\nSubject: a\r\n b\r\nMessage-ID: <1@x>\r\n\r\n\xff";
    const auto& mail = office.put("a", "a@example.com", body);
    const MailView view = [](std::string_view bytes) { return boost::json::object{{"seen", bytes.size()}}; };
    const auto document = boost::json::parse(MailEvent{mail, body, "urn:rohrpost:here", view}.document());
    CHECK(document.at("specversion") == "1.0");
    CHECK(document.at("id").as_string() == Office::id(1));
    CHECK(document.at("type") == "message.received");
    CHECK(document.at("source") == "urn:rohrpost:here");
    CHECK(document.at("subject") == "a");
    CHECK(document.at("time") == "2026-11-28T05:33:27.123Z");
    const auto& data = document.at("data").as_object();
    CHECK(data.at("mailbox") == "a");
    CHECK(data.at("address") == "a@example.com");
    CHECK(data.at("folder") == "INBOX");
    CHECK(data.at("seq") == 1);
    CHECK(data.at("bytes") == body.size());
    CHECK(data.at("possible_repeat") == false);
    CHECK(data.at("headers").at("subject") == "a b");
    CHECK(data.at("headers").at("message_id") == "<1@x>");
    CHECK(base64_decoded(std::string_view(data.at("raw").as_string())) == body);
    CHECK(data.at("mail").at("seen") == body.size());
    CHECK_FALSE(data.contains("raw_url"));
}

TEST_CASE("webhook: the document of a large mail says where its bytes are", "[consumers][webhook]") {
    Office office;
    const std::string body = "Subject: large\r\n\r\n" + std::string(600'000, 'x');
    const auto& mail = office.put("a", "a@example.com", body);
    const MailView view = [](std::string_view) { return boost::json::object{{"seen", true}}; };
    const std::string_view front = std::string_view(body).substr(0, 1000);
    const auto document = boost::json::parse(MailEvent{mail, front, "urn:rohrpost:here", view}.document());
    const auto& data = document.at("data").as_object();
    CHECK(data.at("raw_url").as_string() == "/v1/messages/" + Office::id(1) + "/raw");
    CHECK(data.at("mail_url").as_string() == "/v1/messages/" + Office::id(1));
    CHECK_FALSE(data.contains("raw"));
    CHECK_FALSE(data.contains("mail"));
    CHECK(data.at("headers").at("subject") == "large");
}

TEST_CASE("webhook: header text is UTF-8 without controls, whatever came", "[consumers][webhook][hostile-53]") {
    CHECK(header_text("plain\r\n folded") == "plain folded");
    CHECK(header_text("J\xc3\xb6rg") == "J\xc3\xb6rg");
    CHECK(header_text("bad \xff byte") == "bad \xef\xbf\xbd byte");
    CHECK(header_text("bell\a") == "bell\xef\xbf\xbd");
    CHECK(header_text(std::string(100'000, 'x')).size() <= 4096);
}

TEST_CASE("webhook: a large raw mail is streamed", "[consumers][webhook]") {
    Office office;
    const std::string body = "Subject: large\r\n\r\n" + std::string(700'000, 'x');
    office.put("a", "a@example.com", body);
    office.dialer.scripts = {{client_says(request(1, raw_headers(1), body)), server_says(ok)}};
    Webhook consumer(options(Format::raw), office.seams);
    const auto delivered = office.deliver(consumer);
    CHECK(delivered.reason == "");
    CHECK(delivered.count == 1);
    CHECK(office.bodies.largest_read <= BodyReader::piece_bytes);
}

TEST_CASE("webhook: what an answer says decides about the mail", "[consumers][webhook][hostile-52]") {
    struct Case {
        int status;
        Fault fault;
    };
    const Case cases[] = {{301, Fault::consumer}, {308, Fault::consumer}, {400, Fault::refused}, {401, Fault::refused},
                          {404, Fault::refused},  {408, Fault::mail},     {410, Fault::refused}, {422, Fault::refused},
                          {425, Fault::mail},     {429, Fault::consumer}, {500, Fault::mail},    {502, Fault::consumer},
                          {503, Fault::consumer}, {504, Fault::consumer}, {599, Fault::mail}};
    for (const auto& one : cases) {
        CAPTURE(one.status);
        const auto delivered =
            answered(fmt::format("HTTP/1.1 {} Words\r\nContent-Length: 6\r\n\r\nsecret", one.status));
        CHECK(delivered.count == 0);
        CHECK(delivered.attempted == 0);
        CHECK(delivered.fault == one.fault);
        CHECK_THAT(delivered.reason, Catch::Contains(fmt::format("HTTP {}", one.status)));
        CHECK_THAT(delivered.reason, !Catch::Contains("secret"));
    }
    for (const int status : {200, 201, 202, 204, 299}) {
        CAPTURE(status);
        CHECK(answered(fmt::format("HTTP/1.1 {} Ok\r\nConnection: close\r\n\r\n", status)).count == 1);
    }
}

TEST_CASE("webhook: redirects are not followed", "[consumers][webhook][hostile-51]") {
    const auto delivered =
        answered("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n");
    CHECK(delivered.fault == Fault::consumer);
    CHECK_THAT(delivered.reason, Catch::Contains("redirects are not followed; set the final URL"));
}

TEST_CASE("webhook: Retry-After counts in seconds and as a date, up to an hour", "[consumers][webhook]") {
    const auto pause = [](const std::string& value) {
        return answered("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nRetry-After: " + value + "\r\n\r\n").pause;
    };
    CHECK(pause("30") == 30s);
    CHECK(pause("86400") == 1h);
    CHECK(pause("Tue, 14 Nov 2023 22:15:20 GMT") == 2min);
    CHECK(pause("Tue, 14 Nov 2023 22:00:00 GMT") == 0s);
    CHECK(pause("soon") == 0s);
}

TEST_CASE("webhook: an answer counts by its head, however long its body is", "[consumers][webhook][hostile-52]") {
    CHECK(answered("HTTP/1.1 200 Ok\r\nContent-Length: 1000000000\r\n\r\n" + std::string(200'000, 'x')).count == 1);
    CHECK(answered("HTTP/1.1 200 Ok\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").count == 1);
    CHECK(answered("HTTP/1.1 200 Ok\r\n\r\nuntil the end").count == 1);
    CHECK(answered("HTTP/1.1 404 No\r\nContent-Length: 99\r\n\r\nx").fault == Fault::refused);
}

TEST_CASE("webhook: a mail that was posted and not answered may be there", "[consumers][webhook][hostile-52]") {
    auto delivered = answered("");
    CHECK(delivered.count == 0);
    CHECK(delivered.attempted == 1);
    CHECK(delivered.fault == Fault::mail);
    CHECK_THAT(delivered.reason, Catch::Contains("the mail was posted, and may have been taken"));
    CHECK(answered("SSH-2.0-OpenSSH\r\n").fault == Fault::mail);
    CHECK(answered("HTTP/1.1 200 Ok\r\nX: " + std::string(100'000, 'x')).fault == Fault::mail);
}

TEST_CASE("webhook: nobody listens, and nothing was attempted", "[consumers][webhook]") {
    Office office;
    office.put("a", "a@example.com", "Subject: 1\r\n\r\n");
    Webhook consumer(options(Format::json), office.seams);
    const auto delivered = office.deliver(consumer);
    CHECK(delivered.fault == Fault::consumer);
    CHECK(delivered.attempted == 0);
    CHECK_THAT(delivered.reason, Catch::StartsWith("http://127.0.0.1:8080/mail?for=desk: connection refused"));
}

TEST_CASE("webhook: a connection that ended while it rested is replaced, and so is an old one",
          "[consumers][webhook]") {
    Office office;
    office.put("a", "a@example.com", "Subject: 1\r\n\r\n");
    const auto once = client_says(request(1, raw_headers(1), "Subject: 1\r\n\r\n"));
    const auto later = client_says(request(1, raw_headers(1), "Subject: 1\r\n\r\n", 1'700'000'360));
    office.dialer.scripts = {{once, server_says(ok)},  // then it hangs up
                             {once, server_says(ok), client_says("never")},
                             {later, server_says(ok)}};
    auto set = options(Format::raw);
    set.rest = 10min;
    Webhook consumer(set, office.seams);
    CHECK(office.deliver(consumer).count == 1);
    CHECK(office.deliver(consumer).count == 1);
    CHECK(office.dialer.dialled.size() == 2);
    office.clock.pass(6min);
    CHECK(office.deliver(consumer).count == 1);
    CHECK(office.dialer.dialled.size() == 3);
}

TEST_CASE("webhook: a damaged mail is the mail's fault", "[consumers][webhook][hostile-58]") {
    Office office;
    const bool large = GENERATE(false, true);
    auto& mail = office.put("a", "a@example.com", "Subject: 1\r\n\r\n" + std::string(large ? 600'000 : 5, 'x'));
    office.bodies.damage(mail.record.body.segment);
    Webhook consumer(options(Format::raw), office.seams);
    CHECK(office.deliver(consumer).fault == Fault::message);
    CHECK(office.dialer.dialled.empty());
}

#include "protocols/smtp/capabilities.hpp"

#include <catch2/catch.hpp>

using smtp::Capabilities;
using smtp::read_capabilities;

namespace {

Capabilities of(std::vector<std::string> lines) {
    return read_capabilities(smtp::Reply{250, std::nullopt, std::move(lines)});
}

}  // namespace

TEST_CASE("smtp capabilities: what Exchange Online and Gmail offer", "[smtp]") {
    const Capabilities exchange =
        of({"AM0PR02CA0134.outlook.office365.com Hello [192.0.2.1]", "SIZE 157286400", "PIPELINING", "DSN",
            "ENHANCEDSTATUSCODES", "AUTH LOGIN XOAUTH2", "8BITMIME", "BINARYMIME", "CHUNKING", "SMTPUTF8"});
    CHECK(exchange == Capabilities{.server_name = "AM0PR02CA0134.outlook.office365.com",
                                   .pipelining = true,
                                   .chunking = true,
                                   .binarymime = true,
                                   .eightbitmime = true,
                                   .smtputf8 = true,
                                   .dsn = true,
                                   .enhanced_status_codes = true,
                                   .size = true,
                                   .size_bytes_max = 157286400,
                                   .auth = {"LOGIN", "XOAUTH2"}});
    CHECK(exchange.offers_login("XOAUTH2"));
    CHECK_FALSE(exchange.offers_login("PLAIN"));
    CHECK_FALSE(exchange.offers_login("OAUTH"));

    const Capabilities gmail = of({"smtp.gmail.com at your service", "SIZE 35882577", "8BITMIME",
                                   "AUTH LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH",
                                   "ENHANCEDSTATUSCODES", "PIPELINING", "CHUNKING", "SMTPUTF8"});
    CHECK(gmail.offers_login("OAUTHBEARER"));
    CHECK(gmail.size_bytes_max == 35882577U);
    CHECK_FALSE(gmail.starttls);
}

TEST_CASE("smtp capabilities: letters of any case, odd forms, and what is not understood", "[smtp]") {
    CHECK(of({"mx", "StartTLS", "pipelining", "auth plain"}).starttls);
    CHECK(of({"mx", "auth plain"}).auth == std::vector<std::string>{"PLAIN"});
    CHECK(of({"mx", "AUTH=LOGIN PLAIN", "AUTH LOGIN PLAIN XOAUTH2"}).auth ==
          std::vector<std::string>{"LOGIN", "PLAIN", "XOAUTH2"});
    CHECK(of({"mx", "AUTH"}).auth.empty());
    CHECK(of({"mx", "AUTH="}).auth.empty());
    CHECK(of({"mx", "AUTH  LOGIN   PLAIN "}).auth == std::vector<std::string>{"LOGIN", "PLAIN"});
    CHECK(of({"mx", "SIZE"}).size);
    for (const std::string size : {"SIZE", "SIZE 0", "SIZE x", "SIZE -1", "SIZE 99999999999999999999999", "SIZE 12x"}) {
        CAPTURE(size);
        CHECK(of({"mx", size}).size);
        CHECK_FALSE(of({"mx", size}).size_bytes_max);
    }
    CHECK(of({"mx", "SIZE 5"}).size_bytes_max == 5U);
    // The first line is a greeting, whatever it says.
    CHECK(of({"PIPELINING CHUNKING"}) == Capabilities{.server_name = "PIPELINING"});
    CHECK(of({"mx", "PIPELININGS", "XCHUNKING", "X-DSN", "", " ", "HELP"}) == Capabilities{.server_name = "mx"});
    CHECK(read_capabilities({}) == Capabilities{});
}

TEST_CASE("smtp capabilities: LIMITS of RFC 9422", "[smtp]") {
    const auto limits = of({"mx", "LIMITS RCPTMAX=20 MAILMAX=5 rcptdomainmax=3"}).limits;
    CHECK(limits.recipients_max == 20U);
    CHECK(limits.mails_max == 5U);
    CHECK(limits.recipient_domains_max == 3U);
    CHECK(of({"mx", "LIMITS RCPTMAX=0 MAILMAX= MAILMAX=x RCPTMAX X=1"}).limits == Capabilities::Limits{});
}

TEST_CASE("smtp capabilities: mechanisms are bounded", "[smtp][hostile-22]") {
    std::vector<std::string> lines = {"mx"};
    for (int line = 0; line < 255; ++line) {
        std::string auth = "AUTH";
        for (int word = 0; word < 50; ++word) auth += " M" + std::to_string(line * 50 + word);
        lines.push_back(auth);
    }
    lines.push_back("AUTH " + std::string(1000, 'X'));
    const Capabilities offered = of(lines);
    CHECK(offered.auth.size() == smtp::auth_mechanisms_max);
    CHECK(of({"mx", "AUTH " + std::string(1000, 'X')}).auth.empty());
}

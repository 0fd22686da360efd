#include "protocols/oauth2/request.hpp"

#include <catch2/catch.hpp>

TEST_CASE("the form of a refresh names what the token endpoint needs", "[oauth2]") {
    oauth2::Refresh refresh;
    refresh.client_id = "11111111-2222";
    refresh.refresh_token = Secret("0.AX~_-*");
    CHECK(oauth2::form_of(refresh).reveal() ==
          "grant_type=refresh_token&client_id=11111111-2222&refresh_token=0.AX%7E_-*");
    refresh.client_secret = Secret("a&b=c+d %");
    refresh.scope = "https://outlook.office.com/IMAP.AccessAsUser.All offline_access";
    CHECK(oauth2::form_of(refresh).reveal() ==
          "grant_type=refresh_token&client_id=11111111-2222&client_secret=a%26b%3Dc%2Bd+%25"
          "&scope=https%3A%2F%2Foutlook.office.com%2FIMAP.AccessAsUser.All+offline_access&refresh_token=0.AX%7E_-*");
}

TEST_CASE("a client shows its secret in the form or in a header, never in both", "[oauth2]") {
    oauth2::Refresh refresh;
    refresh.client_id = "app 1";
    refresh.client_secret = Secret("a&b:c %\xc3\xbc");
    refresh.refresh_token = Secret("r");
    CHECK(oauth2::authorization_of(refresh).empty());
    refresh.auth = oauth2::ClientAuth::client_secret_basic;
    // app+1:a%26b%3Ac+%25%C3%BC
    CHECK(oauth2::authorization_of(refresh).reveal() == "Basic YXBwKzE6YSUyNmIlM0FjKyUyNSVDMyVCQw==");
    CHECK(oauth2::form_of(refresh).reveal() == "grant_type=refresh_token&refresh_token=r");
    refresh.client_secret.reset();  // a public client has none to show
    CHECK(oauth2::authorization_of(refresh).empty());
    CHECK(oauth2::form_of(refresh).reveal() == "grant_type=refresh_token&client_id=app+1&refresh_token=r");
    refresh.client_assertion = Secret("h.c.s");
    CHECK(oauth2::authorization_of(refresh).empty());
    CHECK(oauth2::form_of(refresh).reveal().find("&client_id=app+1&client_assertion_type=") != std::string::npos);
}

TEST_CASE("every byte of a secret survives the form", "[oauth2]") {
    std::string bytes;
    for (int code = 0; code < 256; ++code) bytes += static_cast<char>(code);
    oauth2::Refresh refresh;
    refresh.refresh_token = Secret(bytes);
    const auto form = oauth2::form_of(refresh);
    auto text = form.reveal().substr(form.reveal().rfind('=') + 1);
    std::string decoded;
    while (!text.empty()) {
        if (text.front() == '%') {
            decoded += static_cast<char>(std::stoi(std::string(text.substr(1, 2)), nullptr, 16));
            text.remove_prefix(3);
        } else {
            decoded += text.front() == '+' ? ' ' : text.front();
            text.remove_prefix(1);
        }
    }
    CHECK(decoded == bytes);
}

namespace {

template <class Grant>
Grant by_assertion(Grant grant) {
    grant.client_id = "app";
    grant.client_assertion = Secret("h.c.s");
    return grant;
}

constexpr std::string_view asserted =
    "&client_id=app&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
    "&client_assertion=h.c.s";

}  // namespace

TEST_CASE("a code is redeemed with verifier and redirect URI, by a public or a confidential client", "[oauth2]") {
    oauth2::Redemption redemption;
    redemption.client_id = "app";
    redemption.code = Secret("0.AX+/=");
    redemption.redirect_uri = "https://mail.example:8025/oauth/callback";
    redemption.code_verifier = Secret("ver-i_fier");
    const std::string tail =
        "&code=0.AX%2B%2F%3D&redirect_uri=https%3A%2F%2Fmail.example%3A8025%2Foauth%2Fcallback&code_verifier=ver-i_"
        "fier";
    CHECK(oauth2::form_of(redemption).reveal() == "grant_type=authorization_code&client_id=app" + tail);
    CHECK(oauth2::form_of(by_assertion(redemption)).reveal() ==
          "grant_type=authorization_code" + std::string(asserted) + tail);
    redemption.client_secret = Secret("s3c~ret");
    redemption.scope = "a b";
    CHECK(oauth2::form_of(redemption).reveal() ==
          "grant_type=authorization_code&client_id=app&client_secret=s3c%7Eret&scope=a+b" + tail);
}

TEST_CASE("each grant names its type and what it needs", "[oauth2]") {
    oauth2::DevicePoll poll;
    poll.client_id = "app";
    poll.device_code = Secret("d&c");
    CHECK(oauth2::form_of(poll).reveal() ==
          "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id=app&device_code=d%26c");

    oauth2::OwnBehalf own_behalf;
    own_behalf.client_id = "app";
    own_behalf.client_secret = Secret("s");
    own_behalf.scope = "https://outlook.office365.com/.default";
    CHECK(oauth2::form_of(own_behalf).reveal() ==
          "grant_type=client_credentials&client_id=app&client_secret=s"
          "&scope=https%3A%2F%2Foutlook.office365.com%2F.default");
    own_behalf.client_secret.reset();
    CHECK(oauth2::form_of(by_assertion(own_behalf)).reveal() ==
          "grant_type=client_credentials" + std::string(asserted) +
              "&scope=https%3A%2F%2Foutlook.office365.com%2F.default");

    oauth2::Refresh refresh;
    refresh.refresh_token = Secret("r");
    CHECK(oauth2::form_of(by_assertion(refresh)).reveal() ==
          "grant_type=refresh_token" + std::string(asserted) + "&refresh_token=r");

    CHECK(oauth2::form_of(oauth2::JwtBearer{Secret("a.b.c")}).reveal() ==
          "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=a.b.c");
}

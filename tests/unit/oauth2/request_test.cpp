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

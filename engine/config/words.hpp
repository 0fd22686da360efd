#pragma once
/// The words that the import document uses for the choices of the model.

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/config/model.hpp"

namespace config {

template <class Choice, std::size_t count>
using Words = std::array<std::pair<std::string_view, Choice>, count>;

inline constexpr Words<Tls, 2> tls_words{{{"implicit", Tls::implicit}, {"starttls", Tls::starttls}}};
inline constexpr Words<Cloud, 4> cloud_words{
    {{"global", Cloud::global}, {"gcc_high", Cloud::gcc_high}, {"dod", Cloud::dod}, {"china", Cloud::china}}};
inline constexpr Words<oauth2::ClientAuth, 2> client_auth_words{
    {{"client_secret_post", oauth2::ClientAuth::client_secret_post},
     {"client_secret_basic", oauth2::ClientAuth::client_secret_basic}}};
inline constexpr Words<Flow, 6> flow_words{{{"authorization_code", Flow::authorization_code},
                                            {"device_code", Flow::device_code},
                                            {"client_credentials", Flow::client_credentials},
                                            {"service_account", Flow::service_account},
                                            {"refresh_token", Flow::refresh_token},
                                            {"password", Flow::password}}};
inline constexpr Words<Protocol, 2> protocol_words{{{"imap", Protocol::imap}, {"pop3", Protocol::pop3}}};
inline constexpr Words<After, 4> after_words{
    {{"keep", After::keep}, {"seen", After::seen}, {"delete", After::remove}, {"move", After::move}}};
inline constexpr Words<InDoubt, 2> in_doubt_words{{{"hold", InDoubt::hold}, {"retry", InDoubt::retry}}};
inline constexpr Words<Shadow::Taken, 3> taken_words{
    {{"seen", Shadow::Taken::seen}, {"removed", Shadow::Taken::removed}, {"list", Shadow::Taken::list}}};
inline constexpr Words<Consumer::Kind, 5> kind_words{{{"maildir", Consumer::Kind::maildir},
                                                      {"lmtp", Consumer::Kind::lmtp},
                                                      {"webhook", Consumer::Kind::webhook},
                                                      {"command", Consumer::Kind::command},
                                                      {"pull", Consumer::Kind::pull}}};
inline constexpr Words<Consumer::Sync, 2> sync_words{
    {{"batch", Consumer::Sync::batch}, {"each", Consumer::Sync::each}}};
inline constexpr Words<Consumer::Format, 2> format_words{
    {{"json", Consumer::Format::json}, {"raw", Consumer::Format::raw}}};
inline constexpr Words<Topic, 2> topic_words{{{"submissions", Topic::submissions}, {"alarms", Topic::alarms}}};

template <class Choice, std::size_t count>
constexpr std::string_view word_of(const Words<Choice, count>& words, Choice choice) {
    for (const auto& [word, value] : words) {
        if (value == choice) return word;
    }
    return {};
}

template <class Choice, std::size_t count>
constexpr std::optional<Choice> choice_of(const Words<Choice, count>& words, std::string_view word) {
    for (const auto& [spelled, value] : words) {
        if (spelled == word) return value;
    }
    return std::nullopt;
}

}  // namespace config

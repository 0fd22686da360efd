#pragma once
/// What people see of the identity provider: plain HTML that needs no scripts. Every form posts to /authorize with the
/// flow's id; fields and buttons have names that a test can rely on (see each page).

#include <string>
#include <string_view>
#include <vector>

#include "tools/rohrpost-sim/http_endpoint.hpp"

namespace sim {

struct Frame {
    Manner manner = Manner::entra;
    std::string flow;         // id; empty: no form of a flow
    std::string application;  // its display name
};

/// Buttons account=NAME (id "account-NAME"; the preselected one has autofocus), account= (another one), step=cancel.
HttpReply picker_page(const Frame& frame, const std::vector<Account>& accounts, std::string_view preselected);
/// Fields username and password, button step=sign_in.
HttpReply sign_in_page(const Frame& frame, std::string_view username, std::string_view complaint);
/// Buttons consent=accept and consent=cancel; Google's has a checkbox scope_N for each scope.
HttpReply consent_page(const Frame& frame, const Account& account, const std::vector<std::string>& scopes);
/// id "error" holds the text.
HttpReply error_page(Manner manner, unsigned status, std::string_view title, std::string_view words);
/// A form that sends itself, or whose button does.
HttpReply form_post_page(std::string_view action, const std::vector<std::pair<std::string, std::string>>& fields);
/// Posts to /device: field user_code, button next.
HttpReply user_code_page(Manner manner, std::string_view user_code, std::string_view complaint);
/// id "done".
HttpReply done_page(Manner manner, std::string_view words);

}  // namespace sim

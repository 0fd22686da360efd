#pragma once

#include <map>
#include <string>

#include "tests/support/mail_rig.hpp"
#include "tools/rohrpost-sim/http_endpoint.hpp"

namespace support {

/// What stands between the first `before` and the next `after`; empty: neither is there.
std::string between(const std::string& whole, const std::string& before, const std::string& after);

/// Somebody's browser at the pretend identity provider. Throws std::runtime_error when a page is not what it must be.
class ProviderBrowser {
public:
    using Form = std::map<std::string, std::string>;
    explicit ProviderBrowser(MailRig& rig) : rig_(rig) {}

    /// Follows the address; stays on the page that it leads to.
    void open(const std::string& url);
    void fill(Form fields);
    void sign_in(const std::string& user) {
        fill({{"step", "sign_in"}, {"username", user}, {"password", "sim-password"}});
    }
    void accept() { fill({{"consent", "accept"}}); }
    void send(const std::string& method, const std::string& path, Form fields);
    /// Where the provider sends the browser now.
    [[nodiscard]] std::string location() const { return page_.header("Location"); }

private:
    MailRig& rig_;
    Form cookies_;
    sim::HttpReply page_;
};

}  // namespace support

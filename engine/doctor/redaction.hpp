#pragma once

#include <string>
#include <vector>

#include "protocols/base/secret.hpp"
#include "protocols/imap/client.hpp"

namespace doctor {

/// Takes the secret of a log-in, in every spelling it was sent in, and pieces of them, out of what a server says: it
/// may say again what it was told.
class Redaction {
public:
    explicit Redaction(const imap::Login& login);

    /// Cuts the text to what is shown to people, too.
    void in(std::string& text) const;

private:
    std::vector<Secret> spellings_;
};

}  // namespace doctor

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/directory.hpp"

namespace support {

/// A person's browser at a console, played by curl: keeps cookies, and says where its forms come from. One thread.
class ConsoleBrowser {
public:
    /// `url` is the console's external URL. `more` goes with each call of curl: {"--cacert", FILE}.
    explicit ConsoleBrowser(std::string url, std::vector<std::string> more = {})
        : url_(std::move(url)), more_(std::move(more)) {}

    /// Status line, headers and body.
    std::string get(const std::string& path_or_address, std::vector<std::string> more = {});
    std::string post(const std::string& path, const std::vector<std::string>& fields,
                     std::vector<std::string> more = {});
    /// Logs in; the answer.
    std::string log_in(const std::string& token);
    /// The hidden field of a page's forms.
    static std::string csrf_in(const std::string& page);

private:
    std::string curl(std::vector<std::string> words);

    std::string url_;
    std::vector<std::string> more_;
    TemporaryDirectory directory_;
};

}  // namespace support

#include "tests/support/console_browser.hpp"

#include "tests/support/process.hpp"
#include "tests/support/provider_browser.hpp"

namespace support {

std::string ConsoleBrowser::curl(std::vector<std::string> words) {
    const std::string jar = (directory_ / "cookies").string();
    std::vector<std::string> command{"curl", "-s", "-i", "--max-time", "60", "-b", jar, "-c", jar};
    command.insert(command.end(), more_.begin(), more_.end());
    command.insert(command.end(), words.begin(), words.end());
    return run_to_end({.command = command}, std::chrono::seconds(70)).output;
}

std::string ConsoleBrowser::get(const std::string& path_or_address, std::vector<std::string> more) {
    more.push_back(path_or_address.starts_with("/") ? url_ + path_or_address : path_or_address);
    return curl(std::move(more));
}

std::string ConsoleBrowser::post(const std::string& path, const std::vector<std::string>& fields,
                                 std::vector<std::string> more) {
    if (more.empty()) more = {"-H", "Origin: " + url_, "-H", "Sec-Fetch-Site: same-origin"};
    for (const auto& field : fields) {
        more.emplace_back("--data-urlencode");
        more.push_back(field);
    }
    more.push_back(url_ + path);
    return curl(std::move(more));
}

std::string ConsoleBrowser::csrf_in(const std::string& page) { return between(page, "name=\"csrf\" value=\"", "\""); }

std::string ConsoleBrowser::log_in(const std::string& token) {
    const auto csrf = csrf_in(get("/login"));
    return post("/login", {"csrf=" + csrf, "token=" + token});
}

}  // namespace support

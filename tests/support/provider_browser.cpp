#include "tests/support/provider_browser.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <stdexcept>

#include "tools/rohrpost-sim/answers.hpp"

namespace support {

std::string between(const std::string& whole, const std::string& before, const std::string& after) {
    const auto begin = whole.find(before);
    if (begin == std::string::npos) return {};
    const auto from = begin + before.size();
    return whole.substr(from, whole.find(after, from) - from);
}

void ProviderBrowser::open(const std::string& url) {
    const auto parsed = boost::urls::parse_uri(url);
    if (!parsed) throw std::runtime_error("no address: " + url);
    Form fields;
    for (const auto& parameter : parsed->params()) fields[parameter.key] = parameter.value;
    send("GET", parsed->path(), std::move(fields));
}

void ProviderBrowser::fill(Form fields) {
    fields["flow"] = between(page_.body, "name=\"flow\" value=\"", "\"");
    if (fields["flow"].empty()) throw std::runtime_error("there is nothing to fill in: " + page_.body);
    send("POST", "/authorize", std::move(fields));
}

void ProviderBrowser::send(const std::string& method, const std::string& path, Form fields) {
    sim::HttpRequest request;
    request.method = method;
    request.path = path;
    request.fields = std::move(fields);
    request.cookies = {cookies_.begin(), cookies_.end()};
    page_ = rig_.provider.ask([&](sim::World& world) { return sim::answer(world, request); });
    const std::string cookie = page_.header("Set-Cookie");
    const auto equals = cookie.find('=');
    if (equals == std::string::npos) return;
    cookies_[cookie.substr(0, equals)] = cookie.substr(equals + 1, cookie.find(';') - equals - 1);
}

}  // namespace support

#include "tools/rohrpost/rows.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "tools/rohrpost/exit.hpp"

namespace cli {

std::string text_at(const boost::json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (value == nullptr) return {};
    return value->is_string() ? std::string(value->get_string()) : boost::json::serialize(*value);
}

int list_rows(Caller& caller, const std::string& kind, Table table,
              std::vector<std::string> (*cells_of)(const boost::json::object& row), bool json) {
    std::string after;
    do {
        const auto body = ask(caller, "GET", fmt::format("/v1/{}?after={}", kind, encoded(after)));
        const auto page = boost::json::parse(body).as_object();
        for (const auto& row : page.at(kind).as_array()) {
            if (json) {
                fmt::print("{}\n", boost::json::serialize(row));
            } else {
                table.add(cells_of(row.as_object()));
            }
        }
        after = text_at(page, "next");
    } while (!after.empty());
    if (!json) fmt::print("{}", table.text());
    return EX_OK;
}

int show_row(Caller& caller, const std::string& kind, const std::string& id,
             std::string (*text_of)(const boost::json::object& row), bool json) {
    const auto body = ask(caller, "GET", fmt::format("/v1/{}/{}", kind, encoded(id)));
    fmt::print("{}", json ? body : text_of(boost::json::parse(body).as_object()));
    return EX_OK;
}

}  // namespace cli

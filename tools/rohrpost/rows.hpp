#pragma once
/// Things of the API that are listed in pages under /v1/KIND and shown one by one under /v1/KIND/ID.

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tools/rohrpost/caller.hpp"
#include "tools/rohrpost/table.hpp"

namespace cli {

/// What stands under that key, a number as it is written; empty: nothing does.
std::string text_at(const boost::json::object& object, std::string_view key);

/// Prints all of a kind: `cells_of` each in the table, or a line of JSON each.
int list_rows(Caller& caller, const std::string& kind, Table table,
              std::vector<std::string> (*cells_of)(const boost::json::object& row), bool json);
/// Prints one: what `text_of` makes of it, or as JSON.
int show_row(Caller& caller, const std::string& kind, const std::string& id,
             std::string (*text_of)(const boost::json::object& row), bool json);

}  // namespace cli

#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace bench {

/// Runs a program of this build and returns its last line of output as JSON. Throws std::runtime_error with what it said.
boost::json::object run_json(std::vector<std::string> command);
/// Imports a document into a new data directory.
void import(const std::filesystem::path& data, const std::filesystem::path& document);
/// The path of a program of this build.
std::string program(const std::string& name);
/// As many open files as the system allows, for us and for what we start.
void raise_file_limit();

}  // namespace bench

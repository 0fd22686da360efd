#include "bench/rig.hpp"

#include <sys/resource.h>

#include <boost/json/parse.hpp>
#include <stdexcept>

#include "tests/support/process.hpp"

namespace bench {

namespace {

std::string output_of(std::vector<std::string> command) {
    support::Process::Start start;
    start.command = std::move(command);
    const auto name = start.command.front();
    const auto ran = support::run_to_end(std::move(start), std::chrono::minutes(10));
    if (ran.exit_code != 0) throw std::runtime_error(name + ": " + ran.errors + ran.output);
    return ran.output;
}

}  // namespace

boost::json::object run_json(std::vector<std::string> command) {
    return boost::json::parse(output_of(std::move(command))).as_object();
}

void import(const std::filesystem::path& data, const std::filesystem::path& document) {
    output_of({program("rohrpost"), "import", "--data", data.string(), document.string()});
}

std::string program(const std::string& name) {
    return (std::filesystem::canonical("/proc/self/exe").parent_path() / name).string();
}

void raise_file_limit() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace bench

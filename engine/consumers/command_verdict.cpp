#include "engine/consumers/command_verdict.hpp"

#include <fmt/format.h>
#include <sys/wait.h>
#include <sysexits.h>

#include <string_view>

namespace consumers {
namespace {

using Fault = Delivered::Fault;

struct Meaning {
    int code;
    std::string_view name;
    Fault fault;
};

constexpr int not_executable = 126;
constexpr int not_found = 127;

constexpr Meaning meanings[] = {
    {EX_USAGE, "EX_USAGE", Fault::consumer},   {EX_DATAERR, "EX_DATAERR", Fault::refused},
    {EX_NOINPUT, "EX_NOINPUT", Fault::mail},   {EX_NOUSER, "EX_NOUSER", Fault::refused},
    {EX_NOHOST, "EX_NOHOST", Fault::refused},  {EX_UNAVAILABLE, "EX_UNAVAILABLE", Fault::consumer},
    {EX_SOFTWARE, "EX_SOFTWARE", Fault::mail}, {EX_OSERR, "EX_OSERR", Fault::mail},
    {EX_OSFILE, "EX_OSFILE", Fault::consumer}, {EX_CANTCREAT, "EX_CANTCREAT", Fault::mail},
    {EX_IOERR, "EX_IOERR", Fault::mail},       {EX_TEMPFAIL, "EX_TEMPFAIL", Fault::mail},
    {EX_PROTOCOL, "EX_PROTOCOL", Fault::mail}, {EX_NOPERM, "EX_NOPERM", Fault::consumer},
    {EX_CONFIG, "EX_CONFIG", Fault::consumer}, {not_executable, "not executable", Fault::consumer},
    {not_found, "not found", Fault::consumer}};

}  // namespace

CommandVerdict verdict_of(int status) {
    CommandVerdict verdict;
    if (WIFSIGNALED(status)) {
        verdict.says = fmt::format("ended by signal {}", WTERMSIG(status));
        return verdict;
    }
    const int code = WEXITSTATUS(status);
    verdict.delivered = code == EX_OK;
    verdict.says = fmt::format("exit code {}", code);
    for (const Meaning& meaning : meanings) {
        if (meaning.code != code) continue;
        verdict.fault = meaning.fault;
        verdict.says += fmt::format(" ({})", meaning.name);
    }
    return verdict;
}

}  // namespace consumers

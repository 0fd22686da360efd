#include "bench/sending_peers.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <boost/json/array.hpp>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "bench/bare_client.hpp"
#include "bench/measure.hpp"
#include "tests/support/directory.hpp"
#include "tests/support/postfix.hpp"
#include "tests/support/process.hpp"
#include "tests/support/running.hpp"

namespace bench {
namespace {

namespace json = boost::json;

constexpr auto program_ends_within = std::chrono::minutes(2);
constexpr std::size_t mails_of_a_session = 1000;
constexpr std::size_t mails_of_processes = 40;  // one process each
constexpr std::size_t mails_of_postfix = 1000;

/// Hands over as many mails as it is told, one session: host, port, authority ("": in the clear), mails, file.
constexpr const char* smtplib_script = R"py(
import smtplib, ssl, sys
host, port, authority, mails, file = sys.argv[1:]
mail = open(file, 'rb').read()
if authority:
    server = smtplib.SMTP_SSL(host, int(port), context=ssl.create_default_context(cafile=authority))
    server.login('user', 'password')
else:
    server = smtplib.SMTP(host, int(port))
for number in range(int(mails)):
    server.sendmail('box0001@sim.test', ['someone@elsewhere.test'], mail)
server.quit()
)py";

/// Of programs that have ended.
double cpu_of_children() {
    rusage used{};
    ::getrusage(RUSAGE_CHILDREN, &used);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

bool installed(const std::string& program) {
    return support::run_to_end({.command = {"sh", "-c", "command -v " + program}}).exit_code == 0;
}

void run(std::vector<std::string> command) {
    const auto name = command.front();
    support::Process::Start start;
    start.command = std::move(command);
    const auto ran = support::run_to_end(std::move(start), program_ends_within);
    if (ran.exit_code != 0) throw std::runtime_error(name + ": " + ran.errors + ran.output);
}

struct Place {
    std::string port;
    std::string authority;  // a file
    std::string mail;       // a file
    std::filesystem::path home;
};

std::vector<std::string> smtplib(const Place& place, const std::string& host, std::size_t mails) {
    return {"python3", "-c", smtplib_script, host, place.port, place.authority, std::to_string(mails), place.mail};
}

/// One process, one connection.
std::vector<std::string> curl(const Place& place, std::size_t mails) {
    const auto file = place.home / "curl";
    std::ofstream options(file);
    for (std::size_t each = 0; each < mails; ++each) {
        options << (each > 0 ? "next\n" : "")
                << fmt::format(
                       "url = smtps://localhost:{}/bench.test\ncacert = {}\nuser = user:password\n"
                       "mail-from = box0001@sim.test\nmail-rcpt = someone@elsewhere.test\nupload-file = {}\nsilent\n",
                       place.port, place.authority, place.mail);
    }
    options.close();
    return {"curl", "-q", "-K", file.string()};
}

/// One process for each mail.
std::vector<std::string> many(const std::string& command, std::size_t mails) {
    return {"sh", "-c", fmt::format("for each in $(seq {}); do {} || exit 1; done", mails, command)};
}

/// So many mails take so much; what it takes to begin and end is left out.
double cpu_us_each(const std::vector<std::string>& all, std::vector<std::string> none, std::size_t mails) {
    const double before = cpu_of_children();
    run(std::move(none));
    const double between = cpu_of_children();
    run(all);
    const double after = cpu_of_children();
    return ((after - between) - (between - before)) * 1e6 / static_cast<double>(mails);
}

/// Postfix takes them in, and on to the sink or not: its processor time.
double cpu_of_postfix(const sim::Authority& authority, const Place& place, const Sink& sink, bool goes_on) {
    support::Postfix::Wish wish;
    wish.authority = &authority;
    wish.settings = fmt::format(R"(smtpd_tls_security_level = none
smtpd_sasl_auth_enable = no
mynetworks = 127.0.0.0/8
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_client_connection_rate_limit = 0
smtpd_client_message_rate_limit = 0
relayhost = [127.0.0.1]:{}
smtp_tls_security_level = encrypt
smtp_tls_wrappermode = yes
{})",
                                place.port, goes_on ? "" : "smtpd_data_restrictions = check_client_access static:HOLD");
    const support::Postfix postfix(std::move(wish));
    Place there = place;
    there.port = std::to_string(postfix.port());
    there.authority.clear();
    const auto before = sink.seen().mails;
    run(smtplib(there, "127.0.0.1", mails_of_postfix));
    if (goes_on) static_cast<void>(sink.wait_for(before + mails_of_postfix));
    return support::cpu_of_family(postfix.pid()).count();
}

}  // namespace

json::object send_as_others(const sim::Provider& provider, const Sink& sink, std::size_t bytes) {
    const support::TemporaryDirectory home;
    const Place place{std::to_string(sink.port()), provider.ca_file().string(), (home / "mail").string(), home.path()};
    std::ofstream(place.mail, std::ios::binary) << mail_of("box0001@sim.test", bytes);
    json::object peers;
    json::array skipped;
    const auto measure = [&](const std::string& name, const std::string& program, const auto& spent) {
        if (installed(program)) {
            peers[name] = json::object{{"cpu_us_per_message", spent()}};
        } else {
            skipped.emplace_back(name);
        }
    };
    measure("python3 smtplib, one session", "python3", [&] {
        return cpu_us_each(smtplib(place, "localhost", mails_of_a_session), smtplib(place, "localhost", 0),
                           mails_of_a_session);
    });
    measure("curl, one session", "curl", [&] {
        return cpu_us_each(curl(place, mails_of_a_session), {"curl", "--version"}, mails_of_a_session);
    });
    const auto msmtp = fmt::format(
        "msmtp -C /dev/null --host=localhost --port={} --tls=on --tls-starttls=off --tls-trust-file={} --auth=off "
        "--from=box0001@sim.test someone@elsewhere.test < {}",
        place.port, place.authority, place.mail);
    measure("msmtp, a process each", "msmtp",
            [&] { return cpu_us_each(many(msmtp, mails_of_processes), {"true"}, mails_of_processes); });
    const auto swaks = fmt::format(
        "swaks --silent 3 --server 127.0.0.1:{} --tls-on-connect --from box0001@sim.test "
        "--to someone@elsewhere.test --data @{}",
        place.port, place.mail);
    measure("swaks, a process each", "swaks",
            [&] { return cpu_us_each(many(swaks, mails_of_processes), {"true"}, mails_of_processes); });
    try {
        const double alone = cpu_of_postfix(provider.authority(), place, sink, false);
        const double all = cpu_of_postfix(provider.authority(), place, sink, true);
        const double mails = mails_of_postfix;
        peers["Postfix, without what accepting takes"] =
            json::object{{"cpu_us_per_message", (all - alone) * 1e6 / mails}, {"accepting_us", alone * 1e6 / mails}};
    } catch (const std::exception& reason) {
        skipped.emplace_back(std::string("Postfix: ") + reason.what());
    }
    peers["skipped"] = std::move(skipped);
    return peers;
}

}  // namespace bench

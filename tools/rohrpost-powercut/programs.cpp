#include "tools/rohrpost-powercut/programs.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <map>
#include <stdexcept>

#include "tests/support/places.hpp"
#include "tools/rohrpost-powercut/sync_event.hpp"
#include "tools/rohrpost-sim/certificates.hpp"
#include "tools/rohrpost-sim/world.hpp"

namespace powercut {

namespace {

namespace json = boost::json;
using support::Process;

constexpr std::uint32_t daemon_mailboxes = 3;
const std::string rohrpost_program = support::binary_directory() + "/bin/rohrpost";

Process::Start command(std::vector<std::string> words) {
    Process::Start start;
    start.command = std::move(words);
    return start;
}

std::string only_address() { return sim::World::address_of(1); }

std::string version_of(const std::string& package) {
    const support::Ran ran =
        support::run_to_end(command({"dpkg-query", "-W", "-f", "${Package} ${Version}\n", package}));
    if (ran.exit_code != 0) throw std::runtime_error(package + " is not installed");
    return ran.output.substr(0, ran.output.find('\n'));
}

std::string write_configuration(const Rig& rig, const std::string& name, const std::string& text) {
    const auto file = rig.outside / name;
    sim::write_private_file(file, text);
    return file.string();
}

std::string import_document(const Rig& rig) {
    json::array credentials, mailboxes;
    for (std::uint32_t number = 1; number <= daemon_mailboxes; ++number) {
        const std::string address = sim::World::address_of(number);
        const std::string id = address.substr(0, address.find('@'));
        credentials.push_back(json::object{{"id", id},
                                           {"provider", "rig"},
                                           {"user", address},
                                           {"flow", "password"},
                                           {"password", json::object{{"value", rig.password}}}});
        mailboxes.push_back(json::object{
            {"id", id}, {"address", address}, {"credential", id}, {"protocol", "imap"}, {"consumer", "inbox"}});
    }
    const json::object provider{
        {"id", "rig"},
        {"ca_file", rig.ca_file.string()},
        {"imap", json::object{{"host", "localhost"}, {"port", rig.imap_port}, {"tls", "implicit"}}}};
    const json::object consumer{{"id", "inbox"}, {"kind", "maildir"}, {"path", (rig.disk / "maildir").string()}};
    return json::serialize(json::object{{"providers", json::array{provider}},
                                        {"credentials", credentials},
                                        {"mailboxes", mailboxes},
                                        {"consumers", json::array{consumer}}});
}

Program rohrpost(const Rig& rig) {
    Program program;
    const support::Ran version = support::run_to_end(command({rohrpost_program, "--version"}));
    program.version = version.output.substr(0, version.output.find('\n'));
    program.configuration = "defaults; IMAP, 3 mailboxes, Maildir consumer, mail kept on the server";
    program.acknowledges = Acknowledges::in_its_log;
    for (std::uint32_t number = 1; number <= daemon_mailboxes; ++number)
        program.addresses.push_back(sim::World::address_of(number));
    const std::string data = (rig.disk / "data").string();
    program.prepare = command({rohrpost_program, "import", "--data", data, "-"});
    program.prepare->input = import_document(rig);
    program.serve = command({rohrpost_program, "run", "--data", data, "--console", "127.0.0.1:0"});
    program.fetch = *program.serve;
    program.fetch.command.emplace_back("--exit-when-idle");
    program.maildir = rig.disk / "maildir";
    program.byte_exact = true;
    return program;
}

Program mbsync(const Rig& rig) {
    Program program;
    program.version = version_of("isync");
    program.configuration = "IMAP, Sync PullNew, FSync yes (its default), mail kept on the server";
    program.acknowledges = Acknowledges::by_ending;
    program.maildir = rig.disk / "inbox";
    const std::string file =
        write_configuration(rig, "mbsyncrc",
                            fmt::format(R"(IMAPAccount rig
Host localhost
Port {}
User {}
Pass {}
SSLType IMAPS
CertificateFile {}

IMAPStore far
Account rig

MaildirStore near
Path {}/
Inbox {}
SubFolders Verbatim

Channel inbox
Far :far:INBOX
Near :near:INBOX
Sync PullNew
SyncState *
)",
                                        rig.imap_port, only_address(), rig.password, rig.ca_file.string(),
                                        rig.disk.string(), program.maildir.string()));
    program.prepare = command({"mkdir", "-p", (program.maildir / "cur").string(), (program.maildir / "new").string(),
                               (program.maildir / "tmp").string()});
    program.fetch = command({"mbsync", "-c", file, "inbox"});
    return program;
}

/// For programs that don't serve root.
Process::Account unprivileged() {
    const passwd* nobody = ::getpwnam("nobody");
    if (nobody == nullptr) throw std::runtime_error("there is no account nobody");
    return {nobody->pw_uid, nobody->pw_gid};
}

void give_to(const Process::Account& account, const std::vector<std::string>& paths) {
    for (const std::string& path : paths)
        if (::chown(path.c_str(), account.user, account.group) != 0)
            throw std::runtime_error("cannot give away " + path);
}

Program fetchmail(const Rig& rig) {
    Program program;
    program.version = version_of("fetchmail");
    program.configuration = "IMAP, no keep, fetchall; mda dovecot-lda (its defaults)";
    program.account = unprivileged();
    program.nothing_new = 1;
    program.locks = {rig.disk / "maildir" / "dovecot-uidlist.lock"};
    program.maildir = rig.disk / "maildir";
    const std::string lda = write_configuration(
        rig, "lda.conf",
        fmt::format("mail_location = maildir:{}\nlog_path = {}/lda.log\nlda_mailbox_autocreate = yes\n"
                    "first_valid_uid = 1\nssl = no\npostmaster_address = postmaster@sim.test\nhostname = localhost\n"
                    "import_environment = TZ LD_PRELOAD {} {} {}\n",  // it clears the rest
                    program.maildir.string(), rig.outside.string(), referee_variable, device_variable,
                    broken_variable));
    const std::string file = write_configuration(
        rig, "fetchmailrc",
        fmt::format(
            "poll localhost protocol IMAP port {} username \"{}\" password \"{}\" ssl sslcertck sslcertfile {}\n"
            "  no keep fetchall mda \"/usr/lib/dovecot/dovecot-lda -c {}\"\n",
            rig.imap_port, only_address(), rig.password, rig.ca_file.string(), lda));
    give_to(*program.account, {rig.outside.string(), lda, file});
    program.fetch = command({"fetchmail", "-f", file, "-i", (rig.disk / "fetchids").string(), "--pidfile",
                             (rig.runtime / "fetchmail.pid").string(), "--nosyslog"});
    program.fetch.as = program.account;
    program.fetch.environment = {{"HOME", rig.outside.string()}, {"USER", "nobody"}};
    return program;
}

Program getmail(const Rig& rig) {
    Program program;
    program.version = version_of("getmail6");
    program.configuration = "IMAP, delete = true, Maildir destination";
    program.maildir = rig.disk / "maildir";
    const std::string file = write_configuration(
        rig, "getmailrc",
        fmt::format("[retriever]\ntype = SimpleIMAPSSLRetriever\nserver = localhost\nport = {}\nusername = {}\n"
                    "password = {}\nmailboxes = (\"INBOX\",)\nca_certs = {}\n"
                    "[destination]\ntype = Maildir\npath = {}/\n[options]\ndelete = true\nverbose = 0\n",
                    rig.imap_port, only_address(), rig.password, rig.ca_file.string(), program.maildir.string()));
    program.prepare = command({"mkdir", "-p", (program.maildir / "cur").string(), (program.maildir / "new").string(),
                               (program.maildir / "tmp").string(), (rig.disk / "state").string()});
    program.fetch = command({"getmail", "--getmaildir", (rig.disk / "state").string(), "--rcfile", file});
    program.account = unprivileged();  // it delivers nothing as root
    program.prepare->as = program.fetch.as = program.account;
    program.fetch.environment = {{"HOME", rig.outside.string()}, {"USER", "nobody"}};
    give_to(*program.account, {rig.outside.string(), file});
    return program;
}

Program mpop(const Rig& rig) {
    Program program;
    program.version = version_of("mpop");
    program.configuration = "POP3, keep off, delivery maildir";
    program.maildir = rig.disk / "maildir";
    const std::string file = write_configuration(
        rig, "mpoprc",
        fmt::format("account rig\nhost localhost\nport {}\ntls on\ntls_starttls off\ntls_trust_file {}\nuser {}\n"
                    "password {}\nkeep off\ndelivery maildir {}\nuidls_file {}\n",
                    rig.pop3_port, rig.ca_file.string(), only_address(), rig.password, program.maildir.string(),
                    (rig.disk / "uidls").string()));
    program.prepare = command({"mkdir", "-p", (program.maildir / "cur").string(), (program.maildir / "new").string(),
                               (program.maildir / "tmp").string()});
    program.fetch = command({"mpop", "-C", file, "rig"});
    return program;
}

struct Known {
    Program (*configure)(const Rig&);
    std::vector<std::string> packages;
    bool pop3 = false;
};

const std::map<std::string, Known>& known() {
    static const std::map<std::string, Known> all{
        {"rohrpost", {rohrpost, {}}},
        {"mbsync", {mbsync, {"isync"}}},
        {"fetchmail", {fetchmail, {"fetchmail", "dovecot-core"}}},
        {"getmail6", {getmail, {"getmail6"}}},
        {"mpop", {mpop, {"mpop", "dovecot-pop3d"}, true}},
    };
    return all;
}

const Known& known(const std::string& name) {
    const auto found = known().find(name);
    if (found != known().end()) return found->second;
    throw std::runtime_error(fmt::format("unknown program {}; known: {}", name, fmt::join(program_names(), ", ")));
}

}  // namespace

bool speaks_pop3(const std::string& name) { return known(name).pop3; }
std::vector<std::string> packages_of(const std::string& name) { return known(name).packages; }

Program configured(const std::string& name, const Rig& rig) {
    Program program = known(name).configure(rig);
    program.name = name;
    if (program.addresses.empty()) program.addresses = {only_address()};
    return program;
}

std::vector<std::string> program_names() {
    std::vector<std::string> names;
    for (const auto& [name, facts] : known()) names.push_back(name);
    return names;
}

}  // namespace powercut

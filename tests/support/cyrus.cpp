#include "tests/support/cyrus.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <stdexcept>

#include "tests/support/running.hpp"

namespace support {

namespace {

const std::string programs = "/usr/lib/cyrus/bin/";
const std::string administrator = "cyrus";
constexpr auto command_within = std::chrono::seconds(20);

std::filesystem::path rig_in(const TemporaryDirectory& directory) {
    std::filesystem::create_directory(directory / "rig");
    return directory / "rig";
}

}  // namespace

Cyrus::Cyrus() : Cyrus(Wish{}) {}

Cyrus::Cyrus(Wish wish) : wish_(std::move(wish)), root_("cyrus", {{rig_in(directory_), "/rig"}}) {
    const sim::Authority authority("Cyrus rig authority");
    const sim::CertificateWish certificate{};
    const sim::Identity identity = authority.issue(certificate);
    sim::write_private_file(directory_ / "ca.pem", authority.certificate_pem());
    sim::write_private_file(directory_ / "rig/certificate.pem", identity.chain_pem);
    sim::write_private_file(directory_ / "rig/key.pem", identity.key_pem);
    for (const char* name : {"spool", "run", "config", "config/db", "config/proc", "config/socket", "config/log",
                             "config/msg", "config/lock", "config/user"})
        std::filesystem::create_directory(directory_ / "rig" / name);
    add(administrator);
    start();
}

void Cyrus::write_configuration(std::uint16_t port) const {
    const std::string imapd = fmt::format(R"(configdirectory: /rig/config
partition-default: /rig/spool
cyrus_user: nobody
cyrus_group: nogroup
admins: {}
virtdomains: userid
defaultdomain: localhost
servername: localhost
autocreate_quota: 0
autocreate_post: yes
sasl_mech_list: PLAIN
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: /rig/passwords
tls_server_cert: /rig/certificate.pem
tls_server_key: /rig/key.pem
tls_sessions_db_path: /rig/run/tls_sessions.db
idlesocket: /rig/run/idle
skiplist_unsafe: yes
syslog_prefix: cyrus
{})",
                                          administrator, wish_.settings);
    const std::string cyrus = fmt::format(R"(START {{
  recover cmd="{0}ctl_cyrusdb -C /rig/imapd.conf -r"
  idled cmd="{0}idled -C /rig/imapd.conf"
}}
SERVICES {{
  imaps cmd="{0}imapd -C /rig/imapd.conf -s" listen="127.0.0.1:{1}" prefork=0
}}
)",
                                          programs, port);
    sim::write_private_file(directory_ / "rig/imapd.conf", imapd);
    sim::write_private_file(directory_ / "rig/cyrus.conf", cyrus);
    give_to(ServerRoot::mail_account, directory_ / "rig");
}

void Cyrus::start() {
    const auto command = [this](std::uint16_t port) {
        write_configuration(port);
        Process::Start start = root_.command(
            {programs + "master", "-C", "/rig/imapd.conf", "-M", "/rig/cyrus.conf", "-p", "/rig/run/master.pid"});
        start.as = ServerRoot::mail_account;
        return start;
    };
    Listening listening = start_listening(port_, command, [this] { return log(); });
    process_ = std::move(listening.process);
    port_ = listening.port;
}

void Cyrus::add(const std::string& user) {
    if (!users_.insert(user).second) return;
    Process::Start start = root_.command({"/usr/sbin/saslpasswd2", "-f", "/rig/passwords", "-c", "-p", "-u",
                                          user == administrator ? "localhost" : user.substr(user.find('@') + 1),
                                          user.substr(0, user.find('@'))});
    start.input = password;
    const Ran ran = run_to_end(std::move(start), command_within);
    if (ran.exit_code != 0) throw std::runtime_error("saslpasswd2: " + ran.errors);
    give_to(ServerRoot::mail_account, directory_ / "rig/passwords");
}

ImapUser Cyrus::user(const std::string& user) {
    add(user);
    return {port_, ca_file(), user, password};
}

void Cyrus::put(const std::string& name, const std::vector<std::string>& messages) {
    user(name).append("INBOX", messages, " 2-Nov-2026 10:00:00 +0100");
}

void Cyrus::renew(const std::string& name, const std::vector<std::string>& messages) {
    ImapUser admin = user(administrator);
    admin.must(fmt::format("SETACL user/{} {} lrswipkxtecda", name, administrator));
    admin.must(fmt::format("DELETE user/{}", name));
    admin.must(fmt::format("CREATE user/{}", name));
    put(name, messages);
}

void Cyrus::record(const std::string& user) const {
    const auto directory = directory_ / "rig/config/log" / user;
    std::filesystem::create_directory(directory);
    give_to(ServerRoot::mail_account, directory);
}

std::string Cyrus::recorded(const std::string& user) const {
    std::string all;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ / "rig/config/log" / user))
        all += contents_of(entry.path());
    return all;
}

std::size_t Cyrus::kill_sessions() { return kill_descendants(process_->pid(), "imapd"); }

void Cyrus::kill() {
    process_->signal(SIGKILL);
    process_->wait(std::chrono::seconds(10));
}

void Cyrus::restart() {
    kill();
    start();
}

}  // namespace support

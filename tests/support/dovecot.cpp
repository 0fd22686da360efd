#include "tests/support/dovecot.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <stdexcept>

#include "tests/support/daemon.hpp"
#include "tests/support/running.hpp"

namespace support {

namespace {

constexpr auto start_within = std::chrono::seconds(20);
constexpr int attempts_max = 5;

std::string_view driver_of(Dovecot::Storage storage) {
    switch (storage) {
        case Dovecot::Storage::maildir:
            return "maildir";
        case Dovecot::Storage::sdbox:
            return "sdbox";
        case Dovecot::Storage::mdbox:
            return "mdbox";
    }
    return {};
}

}  // namespace

std::string Dovecot::pop3_settings(std::uint16_t port) {
    return fmt::format(R"(
protocols = imap pop3
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = 0
  }}
  inet_listener pop3s {{
    address = 127.0.0.1
    port = {}
    ssl = yes
  }}
}}
)",
                       port);
}

std::string Dovecot::lmtp_settings(std::uint16_t port) {
    return fmt::format(R"(
protocols = imap lmtp
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {}
  }}
  unix_listener lmtp {{
    mode = 0666
  }}
}}
)",
                       port);
}

Dovecot::Dovecot(Wish wish) : wish_(std::move(wish)), account_{::getuid(), ::getgid()} {
    if (account_.user == 0) {
        const passwd* nobody = ::getpwnam("nobody");
        if (nobody == nullptr) throw std::runtime_error("the Dovecot rig needs the account nobody when run as root");
        account_ = {nobody->pw_uid, nobody->pw_gid};
    }
    const passwd* user = ::getpwuid(account_.user);
    const group* group = ::getgrgid(account_.group);
    if (user == nullptr || group == nullptr) throw std::runtime_error("the Dovecot rig needs an account with a name");
    account_name_ = user->pw_name;
    group_name_ = group->gr_name;

    const sim::Authority own("Dovecot rig authority");
    const sim::Authority& authority = wish_.authority == nullptr ? own : *wish_.authority;
    const sim::Identity identity = authority.issue(wish_.certificate);
    sim::write_private_file(directory_ / "ca.pem", authority.certificate_pem());
    sim::write_private_file(directory_ / "certificate.pem", identity.chain_pem);
    sim::write_private_file(directory_ / "key.pem", identity.key_pem);
    for (const char* name : {"run", "state", "home", "mail", "incoming"})
        std::filesystem::create_directory(directory_ / name);
    give_away(directory_.path());
    start();
}

Dovecot::~Dovecot() = default;

void Dovecot::give_away(const std::filesystem::path& path) const {
    const auto change = [this](const std::filesystem::path& one) {
        if (::lchown(one.c_str(), account_.user, account_.group) != 0)
            throw std::runtime_error("cannot change the owner of " + one.string());
    };
    change(path);
    if (std::filesystem::is_directory(path))
        for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) change(entry.path());
}

std::string Dovecot::mail_location(const std::string& user) const {
    return fmt::format("{}:{}/mail/{}", driver_of(wish_.storage), directory_.path().string(), user);
}

void Dovecot::write_configuration() const {
    const std::string here = directory_.path().string();
    const bool oauth = wish_.introspection_port != 0;
    const std::string oauth_passdb =
        oauth ? fmt::format(
                    "passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {}/oauth2.conf\n}}\n",
                    here)
              : "";
    const std::string configuration =
        fmt::format(R"(
base_dir = {here}/run
state_dir = {here}/state
log_path = {here}/dovecot.log
protocols = imap
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
ssl = required
ssl_min_protocol = TLSv1.2
ssl_cert = <{here}/certificate.pem
ssl_key = <{here}/key.pem
mail_location = {location}
mail_fsync = never
mail_max_userip_connections = 100000
auth_mechanisms = plain{mechanisms}
auth_failure_delay = 0
auth_cache_size = 0
{oauth_passdb}passdb {{
  driver = static
  mechanisms = plain
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={here}/home/%u allow_all_users=yes
}}
service imap-login {{
  chroot =
  service_count = 0
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {port}
    ssl = yes
  }}
}}
service imap {{
  process_limit = 8192
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
{settings}
)",
                    fmt::arg("here", here), fmt::arg("user", account_name_), fmt::arg("group", group_name_),
                    fmt::arg("port", port_), fmt::arg("location", mail_location("%u")),
                    fmt::arg("mechanisms", oauth ? " xoauth2 oauthbearer" : ""), fmt::arg("oauth_passdb", oauth_passdb),
                    fmt::arg("password", password), fmt::arg("settings", wish_.settings));
    sim::write_private_file(directory_ / "dovecot.conf", configuration);
    sim::write_private_file(
        directory_ / "oauth2.conf",
        fmt::format("introspection_url = http://127.0.0.1:{}/introspect?token=\nintrospection_mode = get\n"
                    "username_attribute = username\nactive_attribute = active\nactive_value = true\n",
                    wish_.introspection_port));
    give_away(directory_ / "dovecot.conf");
    give_away(directory_ / "oauth2.conf");
}

Process::Start Dovecot::command(std::vector<std::string> words) const {
    Process::Start start;
    start.command = std::move(words);
    if (::getuid() == 0) start.as = account_;
    return start;
}

void Dovecot::start() {
    for (int attempt = 1;; ++attempt) {
        // Somebody may take a free port before Dovecot does; a port that clients know stays.
        const bool known = process_ != nullptr;
        if (!known) port_ = wish_.port != 0 ? wish_.port : free_port();
        write_configuration();
        auto process = std::make_unique<Process>(
            command({"/usr/sbin/dovecot", "-F", "-c", (directory_ / "dovecot.conf").string()}));
        const auto due = std::chrono::steady_clock::now() + start_within;
        std::optional<int> ended;
        while (!ended && !listened_on(port_) && std::chrono::steady_clock::now() < due)
            ended = process->wait(std::chrono::milliseconds(10));
        if (!ended && listened_on(port_)) {
            process_ = std::move(process);
            return;
        }
        if (ended == 127) throw std::runtime_error("dovecot cannot be run: install the package dovecot-imapd");
        if (attempt == attempts_max || known)
            throw std::runtime_error("dovecot does not start: " + process->errors() + log());
    }
}

std::string Dovecot::log() const {
    const auto file = directory_ / "dovecot.log";
    return std::filesystem::exists(file) ? contents_of(file) : std::string();
}

std::string Dovecot::doveadm(const std::string& user, std::vector<std::string> arguments) {
    std::vector<std::string> words{"/usr/bin/doveadm", "-c", (directory_ / "dovecot.conf").string(), "-o",
                                   "mail_location=" + mail_location(user)};
    words.insert(words.end(), arguments.begin(), arguments.end());
    Process::Start start = command(std::move(words));
    start.environment["USER"] = user;
    start.environment["HOME"] = (directory_ / "home").string();
    const Ran ran = run_to_end(std::move(start), std::chrono::seconds(120));
    if (ran.exit_code != 0)
        throw std::runtime_error(fmt::format("doveadm {}: {}", fmt::join(arguments, " "), ran.errors));
    return ran.output;
}

void Dovecot::put(const std::string& user, const std::vector<std::string>& messages) {
    const bool direct = wish_.storage == Storage::maildir;
    const std::filesystem::path maildir = direct ? directory_ / "mail" / user : directory_ / "incoming" / user;
    for (const char* name : {"", "cur", "new", "tmp"})
        if (std::filesystem::create_directories(maildir / name)) give_away(maildir / name);
    for (const std::string& message : messages) {
        // Dovecot numbers new files in the order of their names.
        const std::string name = fmt::format("{:010}.rig,S={}", ++put_, message.size());
        sim::write_private_file(maildir / "tmp" / name, message);
        give_away(maildir / "tmp" / name);
        std::filesystem::rename(maildir / "tmp" / name, maildir / "new" / name);
    }
    if (direct) return;
    doveadm(user, {"import", "maildir:" + maildir.string(), "", "ALL"});
    std::filesystem::remove_all(maildir);
}

void Dovecot::remove(const std::string& user, const std::string& uids) {
    doveadm(user, {"expunge", "mailbox", "INBOX", "uid", uids});
}

void Dovecot::set_uid_validity(const std::string& user, std::uint32_t uid_validity) {
    doveadm(user, {"mailbox", "update", "--uid-validity", std::to_string(uid_validity), "INBOX"});
}

void Dovecot::lose_index(const std::string& user) {
    kill();
    for (const auto& entry : std::filesystem::directory_iterator(maildir(user))) {
        const std::string name = entry.path().filename().string();
        if (name == "dovecot-uidlist" || name == "dovecot-uidvalidity" || name.starts_with("dovecot-uidvalidity.") ||
            name.starts_with("dovecot.index"))
            std::filesystem::remove(entry.path());
    }
    start();
}

std::size_t Dovecot::kill_sessions() { return kill_descendants(process_->pid(), "imap"); }

void Dovecot::kill() {
    process_->signal_group(SIGKILL);
    process_->wait(std::chrono::seconds(10));
    // Its children have been told, too, and hold the port a moment longer.
    if (!eventually([this] { return !listened_on(port_); }))
        throw std::runtime_error("Dovecot does not let go of its port");
}

void Dovecot::restart() {
    kill();
    start();
}

}  // namespace support

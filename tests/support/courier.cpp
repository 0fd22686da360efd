#include "tests/support/courier.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <stdexcept>

#include "tests/support/running.hpp"

namespace support {

namespace {

constexpr auto command_within = std::chrono::seconds(20);

std::vector<Process::Root::Bound> bound_in(const TemporaryDirectory& directory) {
    for (const char* name : {"etc", "run", "run/authdaemon", "mail"}) {
        std::filesystem::create_directory(directory / name);
        std::filesystem::permissions(directory / name, std::filesystem::perms(0755));
    }
    return {{directory / "etc", "/etc/courier"}, {directory / "run", "/run/courier"}, {directory / "mail", "/mail"}};
}

/// Maildir files have lines that end in LF; Courier serves each LF as CRLF.
std::string as_stored(std::string_view message) {
    std::string stored;
    for (std::size_t at = 0; at < message.size(); ++at)
        if (message.substr(at, 2) != "\r\n") stored += message[at];
    return stored;
}

void must(Process::Start start) {
    const std::string what = start.command.front();
    const Ran ran = run_to_end(std::move(start), command_within);
    if (ran.exit_code != 0) throw std::runtime_error(what + ": " + ran.output + ran.errors);
}

}  // namespace

Courier::Courier() : Courier(Wish{}) {}

Courier::Courier(Wish wish) : wish_(std::move(wish)), root_("courier", bound_in(directory_)) {
    const sim::Authority authority("Courier rig authority");
    const sim::CertificateWish certificate{};
    const sim::Identity identity = authority.issue(certificate);
    sim::write_private_file(directory_ / "ca.pem", authority.certificate_pem());
    sim::write_private_file(directory_ / "etc/imapd.pem", identity.key_pem + identity.chain_pem);
    sim::write_private_file(directory_ / "etc/authdaemonrc",
                            "authmodulelist=\"authuserdb\"\nauthmodulelistorig=\"authuserdb\"\ndaemons=1\n"
                            "authdaemonvar=/run/courier/authdaemon\nDEBUG_LOGIN=0\nDEFAULTOPTIONS=\"\"\n");
    write_users();
    start();
}

void Courier::start() {
    passwords_.reset();
    passwords_ = std::make_unique<Process>(root_.command({"/usr/lib/courier/courier-authlib/authdaemond"}));
    const auto command = [this](std::uint16_t port) {
        const std::string programs = "/usr/lib/courier/courier/";
        const bool pop3 = wish_.serves == Serves::pop3;
        Process::Start start =
            root_.command({"/usr/sbin/couriertcpd", "-address=127.0.0.1", "-maxprocs=1000", "-maxperip=1000",
                           "-nodnslookup", "-noidentlookup", std::to_string(port), "/usr/bin/couriertls", "-server",
                           "-tcpd", programs + (pop3 ? "courierpop3login" : "imaplogin"),
                           pop3 ? programs + "courierpop3d" : "/usr/bin/imapd", "Maildir"});
        const std::map<std::string, std::string> settings{
            {"IMAP_TLS", "1"},
            {"POP3_TLS", "1"},
            {"POP3AUTH_TLS", "PLAIN LOGIN"},
            {"IMAP_CAPABILITY", wish_.capabilities},
            {"IMAP_CAPABILITY_TLS", fmt::format("{} {}", wish_.capabilities, wish_.sasl)},
            {"IMAP_KEYWORDS", "1"},
            {"IMAP_IDLE_TIMEOUT", std::to_string(wish_.looks_every.count())},
            {"IMAP_ENHANCEDIDLE", wish_.watches_files ? "1" : "0"},
            {"IMAP_USELOCKS", "1"},
            {"IMAP_MAILBOX_SANITY_CHECK", "1"},
            {"IMAP_OBSOLETE_CLIENT", "0"},
            {"MAILDIRPATH", "Maildir"},
            {"COURIERTLS", "/usr/bin/couriertls"},
            {"TLS_CERTFILE", "/etc/courier/imapd.pem"},
            {"TLS_VERIFYPEER", "NONE"},
            // The socket of gamin's server is named after it, for the whole machine.
            {"GAM_CLIENT_ID", directory_.path().filename().string()}};
        start.environment.insert(settings.begin(), settings.end());
        return start;
    };
    Listening listening = start_listening(port_, command, [this] { return log(); });
    process_ = std::move(listening.process);
    port_ = listening.port;
}

std::string Courier::log() const {
    return root_.log() + (passwords_ ? passwords_->errors() : "") + (process_ ? process_->errors() : "");
}

std::filesystem::path Courier::maildir(const std::string& user) const { return directory_ / "mail" / user / "Maildir"; }

/// As makeuserdb(8) does it.
void Courier::write_users() const {
    std::string facts, secrets;
    for (const auto& [user, hash] : users_) {
        facts += fmt::format("{0}\tuid={1}|gid={2}|home=/mail/{0}|mail=/mail/{0}/Maildir\n", user,
                             ServerRoot::mail_account.user, ServerRoot::mail_account.group);
        secrets += fmt::format("{}\tsystempw={}\n", user, hash);
    }
    const auto write = [this](const std::string& name, const std::string& lines) {
        auto start =
            root_.command({"/usr/lib/courier/courier-authlib/makedatprog", "-",
                           fmt::format("/etc/courier/{}.tmp", name), fmt::format("/etc/courier/{}.dat", name)});
        start.input = lines + ".\n";
        must(std::move(start));
    };
    write("userdb", facts);
    write("userdbshadow", secrets);
}

void Courier::add(const std::string& user) {
    if (users_.contains(user)) return;
    Process::Start hashing;
    hashing.command = {"openssl", "passwd", "-1", "-stdin"};
    hashing.input = wish_.password;
    std::string hash = run_to_end(std::move(hashing), command_within).output;
    hash.pop_back();
    users_[user] = hash;
    for (const char* name : {"cur", "new", "tmp"}) std::filesystem::create_directories(maildir(user) / name);
    give_to(ServerRoot::mail_account, directory_ / "mail" / user);
    write_users();
}

ImapUser Courier::user(const std::string& user) {
    add(user);
    return {port_, ca_file(), user, wish_.password};
}

void Courier::put(const std::string& user, const std::vector<std::string>& messages) {
    for (const std::string& message : messages) put_as(std::to_string(1'700'000'000 + ++put_), user, message);
}

void Courier::put_as(const std::string& name, const std::string& user, const std::string& message) {
    add(user);
    const std::string file = name + ".rig.localhost";
    sim::write_private_file(maildir(user) / "tmp" / file, as_stored(message));
    give_to(ServerRoot::mail_account, maildir(user) / "tmp" / file);
    std::filesystem::rename(maildir(user) / "tmp" / file, maildir(user) / "new" / file);
}

void Courier::renew(const std::string& user, const std::vector<std::string>& messages) {
    const auto held = count(user);
    // Its first line: version, UIDVALIDITY, next UID.
    sim::write_private_file(maildir(user) / "courierimapuiddb", "1 4711 1\n");
    give_to(ServerRoot::mail_account, maildir(user) / "courierimapuiddb");
    put(user, {messages.begin() + static_cast<std::ptrdiff_t>(held), messages.end()});
}

std::size_t Courier::count(const std::string& user) const {
    std::size_t held = 0;
    for (const char* name : {"cur", "new"})
        held += static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(maildir(user) / name), {}));
    return held;
}

std::size_t Courier::kill_sessions() {
    return kill_descendants(process_->pid(), wish_.serves == Serves::pop3 ? "courierpop3d" : "imapd");
}

void Courier::kill() {
    process_->signal(SIGKILL);
    process_->wait(std::chrono::seconds(10));
}

void Courier::restart() {
    kill();
    start();
}

}  // namespace support

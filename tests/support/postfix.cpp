#include "tests/support/postfix.hpp"

#include <fmt/format.h>

#include "tests/support/running.hpp"

namespace support {

namespace {

constexpr Process::Account postfix_account{101, 101};

/// Directories, and the accounts that Postfix looks for by name.
std::vector<Process::Root::Bound> bound_in(const TemporaryDirectory& directory) {
    for (const char* name : {"rig", "rig/etc", "rig/spool", "rig/data", "rig/mail"})
        std::filesystem::create_directory(directory / name);
    for (const char* name : {"active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming",
                             "maildrop", "private", "public", "saved", "trace"}) {
        std::filesystem::create_directory(directory / "rig/spool" / name);
        give_to(postfix_account, directory / "rig/spool" / name);
    }
    std::filesystem::create_directory(directory / "rig/spool/pid");
    for (const char* name : {"rig", "rig/etc", "rig/spool", "rig/mail"})
        std::filesystem::permissions(directory / name, std::filesystem::perms(0755));
    give_to(postfix_account, directory / "rig/data");
    give_to(ServerRoot::mail_account, directory / "rig/mail");
    sim::write_private_file(directory / "passwd",
                            "root:x:0:0::/:/\npostfix:x:101:101::/:/\nnobody:x:65534:65534::/:/\n");
    sim::write_private_file(directory / "group", "root:x:0:\npostfix:x:101:\npostdrop:x:102:\nnogroup:x:65534:\n");
    for (const char* name : {"passwd", "group"})
        std::filesystem::permissions(directory / name, std::filesystem::perms(0644));
    return {{directory / "rig", "/rig"}, {directory / "passwd", "/etc/passwd"}, {directory / "group", "/etc/group"}};
}

}  // namespace

Postfix::Postfix(Wish wish) : wish_(std::move(wish)), root_("postfix", bound_in(directory_)) {
    const sim::CertificateWish certificate{};
    const sim::Identity identity = wish_.authority->issue(certificate);
    sim::write_private_file(directory_ / "rig/certificate.pem", identity.key_pem + identity.chain_pem);
    tls_port_ = free_port();
    const auto command = [this](std::uint16_t port) {
        write_configuration(port);
        return root_.command({"/usr/lib/postfix/sbin/master", "-c", "/rig/etc", "-d"});
    };
    Listening listening = start_listening(0, command, [this] { return log(); });
    process_ = std::move(listening.process);
    port_ = listening.port;
}

void Postfix::write_configuration(std::uint16_t port) const {
    const std::string main =
        fmt::format(R"(compatibility_level = 3.6
queue_directory = /rig/spool
data_directory = /rig/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = /usr/share/postfix
shlib_directory = /usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
default_privs = nobody
myhostname = localhost
mydestination =
mynetworks =
alias_maps =
alias_database =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
biff = no
smtputf8_enable = yes
message_size_limit = {size}
virtual_mailbox_limit = 0
virtual_mailbox_domains = {domain}
virtual_mailbox_base = /rig/mail
virtual_mailbox_maps = static:inbox/
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_chain_files = /rig/certificate.pem
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{auth_port}
smtpd_sasl_auth_enable = yes
smtpd_sasl_tls_security_options = noanonymous
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
smtpd_error_sleep_time = 0
smtpd_client_connection_count_limit = 0
{settings}
)",
                    fmt::arg("size", size_bytes_max), fmt::arg("domain", domain),
                    fmt::arg("uid", ServerRoot::mail_account.user), fmt::arg("gid", ServerRoot::mail_account.group),
                    fmt::arg("auth_port", wish_.auth_port), fmt::arg("settings", wish_.settings));
    const std::string master = fmt::format(R"(127.0.0.1:{0} inet n - n - - smtpd
127.0.0.1:{1} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
smtp unix - - n - - smtp
anvil unix - - n - 1 anvil
)",
                                           port, tls_port_);
    sim::write_private_file(directory_ / "rig/etc/main.cf", main);
    sim::write_private_file(directory_ / "rig/etc/master.cf", master);
    for (const char* name : {"rig/etc/main.cf", "rig/etc/master.cf"})
        std::filesystem::permissions(directory_ / name, std::filesystem::perms(0644));
}

std::vector<std::string> Postfix::mails() const {
    std::vector<std::string> mails;
    const auto arrived = directory_ / "rig/mail/inbox/new";
    if (!std::filesystem::exists(arrived)) return mails;
    for (const auto& file : std::filesystem::directory_iterator(arrived)) mails.push_back(contents_of(file.path()));
    return mails;
}

}  // namespace support

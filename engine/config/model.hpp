#pragma once
/// What an operator configures: providers, credentials, mailboxes, consumers, webhooks, alarms. Plain values, no
/// secrets in them: secrets are sealed in the store under (credential id, field).

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocols/oauth2/request.hpp"

namespace config {

enum class Tls { implicit, starttls };

struct Host {
    std::string host;
    std::uint16_t port = 0;
    Tls tls = Tls::implicit;
};

/// Microsoft's national clouds: applications, tenants and hosts are each cloud's own.
enum class Cloud { global, gcc_high, dod, china };

/// How much may be handed over. 0: no limit.
struct SendingLimits {
    std::uint32_t mails_per_minute = 0;
    std::uint32_t recipients_per_day = 0;

    bool operator==(const SendingLimits&) const = default;
};

/// How many IMAP and POP3 sessions are open at once. 0: no limit.
struct SessionLimits {
    std::uint32_t per_credential = 0;
    std::uint32_t per_tenant = 0;
    std::uint32_t per_host = 0;
    std::uint32_t per_mailbox = 4;  // one that fetches, and those that watch further folders; 1 at least

    bool operator==(const SessionLimits&) const = default;
};

struct Provider {
    std::string id;
    std::string preset;  // "microsoft365", "gmail", or empty when spelled out
    std::string tenant;
    Cloud cloud = Cloud::global;  // microsoft365
    std::string authorize_url, token_url, device_url;
    std::string jwks_url;             // the keys that id_tokens are signed with
    std::string issuer;               // of id_tokens; Entra's may have {tenantid} in it
    std::vector<std::string> scopes;  // of every grant; empty: by protocol in use (presets)
    oauth2::ClientAuth client_auth = oauth2::ClientAuth::client_secret_post;
    std::string ca_file;  // empty: the system's authorities
    std::optional<Host> imap, pop3, smtp;
    SendingLimits limits;  // of all mailboxes that send here together, in each tenant
    SessionLimits sessions;
};

enum class Flow { authorization_code, device_code, client_credentials, service_account, refresh_token, password };

struct Credential {
    std::string id;
    std::string provider;
    std::string user;
    Flow flow = Flow::refresh_token;
    std::string client_id;
    std::optional<std::chrono::sys_days> client_secret_expires{};
    // Sealed beside it: client_secret, private_key and certificate, service_account, refresh_token, password.
};

enum class Protocol { imap, pop3 };
enum class After { keep, seen, remove, move };

struct Start {
    enum class From { all, fresh, date } from = From::all;
    std::chrono::sys_days date{};
};

/// What becomes of a mail that may have left, when Sent Items cannot tell.
enum class InDoubt { hold, retry };

struct Submit {
    std::string login;
    std::vector<std::string> from;
    std::uint32_t per_minute = 30;
    std::uint32_t connections = 3;
    std::optional<std::uint32_t> recipients_per_day{};  // 0: no limit; absent: the provider's usual one
    InDoubt in_doubt = InDoubt::hold;
};

/// The mailbox is another product's; it is observed, and nothing of it is taken.
struct Shadow {
    /// How the other product shows that it has taken a mail.
    enum class Taken {
        seen,     // it flags it \Seen, or removes it
        removed,  // it removes it from the folder
        list,     // by a list of its own alone
    } taken = Taken::seen;
    std::chrono::milliseconds grace = std::chrono::minutes(15);  // so long it may take
};

struct Mailbox {
    std::string id;
    std::string address;
    std::string credential;
    std::string login;  // SASL user; defaults to the address
    Protocol protocol = Protocol::imap;
    std::vector<std::string> folders{"INBOX"};
    Start start;
    After after = After::keep;
    std::chrono::days delete_after{0};  // with After::remove: so long after it was taken in
    std::string move_to;
    std::string consumer;
    std::optional<Submit> submit;
    std::optional<Shadow> shadow;
};

struct Consumer {
    enum class Kind { maildir, lmtp, webhook, command, pull } kind = Kind::pull;
    std::string id;
    std::string path;                                       // maildir
    enum class Sync { batch, each } sync = Sync::batch;     // maildir: one sync for a batch, or one for each mail
    std::string address;                                    // lmtp; see lmtp_place.hpp
    std::string recipient{standard_recipient};              // lmtp; "{address}" and "{mailbox}" stand for the mailbox's
    std::string url;                                        // webhook; its secret is sealed beside it
    enum class Format { json, raw } format = Format::json;  // webhook
    std::string ca_file;                                    // lmtp, webhook; empty: the system's authorities
    std::vector<std::string> program;                       // command: its path and its arguments
    std::optional<std::chrono::milliseconds> timeout{};     // webhook, command; absent: the kind's usual one
    std::uint32_t connections = 4;                          // lmtp, webhook, command: at once
    std::uint32_t attempts = 20;  // lmtp, webhook, command: failures in a row after which a mail is set aside

    static constexpr std::string_view standard_recipient = "{address}";
};

enum class Topic { submissions, alarms };

/// Where events are posted to; its secret is sealed beside it.
struct Webhook {
    std::string id;
    std::string url;
    std::vector<Topic> events{Topic::submissions, Topic::alarms};
    std::string ca_file;  // empty: the system's authorities
};

/// Who is told by mail when something is wrong.
struct AlarmMail {
    std::string id;
    std::vector<std::string> to;
    std::vector<std::string> from;  // ids of mailboxes that send, the next one where the one before cannot
};

}  // namespace config

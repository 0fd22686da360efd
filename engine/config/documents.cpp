#include "engine/config/documents.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <tuple>

#include "engine/config/presets.hpp"
#include "engine/config/read_shadow.hpp"
#include "engine/config/words.hpp"

namespace config {
namespace {

boost::json::value to_json(const Host& host) {
    return boost::json::object{{"host", host.host}, {"port", host.port}, {"tls", word_of(tls_words, host.tls)}};
}

boost::json::array to_json(const std::vector<std::string>& texts) {
    boost::json::array list;
    for (const auto& text : texts) list.emplace_back(text);
    return list;
}

bool same(const std::optional<Host>& a, const std::optional<Host>& b) {
    if (!a || !b) return a.has_value() == b.has_value();
    return a->host == b->host && a->port == b->port && a->tls == b->tls;
}

void put(boost::json::object& object, std::string_view key, const std::string& value, std::string_view standard = {}) {
    if (value != standard) object[key] = value;
}

std::string date_text(std::chrono::sys_days date) {
    const std::chrono::year_month_day day(date);
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                       static_cast<unsigned>(day.day()));
}

}  // namespace

/// Beside a preset only what differs from it is written, so that a newer program's preset takes effect.
boost::json::object to_json(const Provider& provider) {
    boost::json::object object{{"id", provider.id}};
    Provider standard;
    if (!provider.preset.empty()) standard = preset(provider.preset, provider.tenant, provider.cloud);
    put(object, "preset", provider.preset);
    put(object, "tenant", provider.tenant);
    if (provider.cloud != Cloud::global) object["cloud"] = word_of(cloud_words, provider.cloud);
    put(object, "authorize_url", provider.authorize_url, standard.authorize_url);
    put(object, "token_url", provider.token_url, standard.token_url);
    put(object, "device_url", provider.device_url, standard.device_url);
    put(object, "jwks_url", provider.jwks_url, standard.jwks_url);
    put(object, "issuer", provider.issuer, standard.issuer);
    if (provider.client_auth != standard.client_auth)
        object["token_endpoint_auth_method"] = word_of(client_auth_words, provider.client_auth);
    if (!provider.scopes.empty()) object["scopes"] = to_json(provider.scopes);
    put(object, "ca_file", provider.ca_file);
    if (!same(provider.imap, standard.imap)) object["imap"] = to_json(*provider.imap);
    if (!same(provider.pop3, standard.pop3)) object["pop3"] = to_json(*provider.pop3);
    if (!same(provider.smtp, standard.smtp)) object["smtp"] = to_json(*provider.smtp);
    if (provider.limits != SendingLimits()) {
        boost::json::object limits;
        if (provider.limits.mails_per_minute > 0) limits["mails_per_minute"] = provider.limits.mails_per_minute;
        if (provider.limits.recipients_per_day > 0) limits["recipients_per_day"] = provider.limits.recipients_per_day;
        object["limits"] = std::move(limits);
    }
    boost::json::object sessions;
    for (const auto& [key, most, usual] :
         {std::tuple("per_credential", provider.sessions.per_credential, standard.sessions.per_credential),
          std::tuple("per_tenant", provider.sessions.per_tenant, standard.sessions.per_tenant),
          std::tuple("per_host", provider.sessions.per_host, standard.sessions.per_host),
          std::tuple("per_mailbox", provider.sessions.per_mailbox, standard.sessions.per_mailbox)}) {
        if (most != usual) sessions[key] = most;
    }
    if (!sessions.empty()) object["sessions"] = std::move(sessions);
    return object;
}

boost::json::object to_json(const Credential& credential) {
    boost::json::object object{{"id", credential.id},
                               {"provider", credential.provider},
                               {"user", credential.user},
                               {"flow", word_of(flow_words, credential.flow)}};
    put(object, "client_id", credential.client_id);
    if (credential.client_secret_expires)
        object["client_secret_expires"] = date_text(*credential.client_secret_expires);
    return object;
}

boost::json::object to_json(const Mailbox& mailbox) {
    boost::json::object object{{"id", mailbox.id}, {"address", mailbox.address}, {"credential", mailbox.credential}};
    put(object, "login", mailbox.login, mailbox.address);
    if (mailbox.protocol != Protocol::imap) object["protocol"] = word_of(protocol_words, mailbox.protocol);
    if (mailbox.folders != std::vector<std::string>{"INBOX"}) object["folders"] = to_json(mailbox.folders);
    if (mailbox.start.from == Start::From::fresh) object["start"] = "new";
    if (mailbox.start.from == Start::From::date) object["start"] = date_text(mailbox.start.date);
    if (mailbox.after == After::move) {
        object["after"] = "move:" + mailbox.move_to;
    } else if (mailbox.after == After::remove && mailbox.delete_after.count() > 0) {
        object["after"] = "delete:" + std::to_string(mailbox.delete_after.count()) + "d";
    } else if (mailbox.after != After::keep) {
        object["after"] = word_of(after_words, mailbox.after);
    }
    put(object, "consumer", mailbox.consumer);
    if (mailbox.submit) {
        const Submit standard;
        boost::json::object submit;
        put(submit, "login", mailbox.submit->login);
        if (mailbox.submit->from != std::vector{mailbox.address}) submit["from"] = to_json(mailbox.submit->from);
        if (mailbox.submit->per_minute != standard.per_minute) submit["per_minute"] = mailbox.submit->per_minute;
        if (mailbox.submit->connections != standard.connections) submit["connections"] = mailbox.submit->connections;
        if (mailbox.submit->recipients_per_day) submit["recipients_per_day"] = *mailbox.submit->recipients_per_day;
        if (mailbox.submit->in_doubt != standard.in_doubt)
            submit["in_doubt"] = word_of(in_doubt_words, mailbox.submit->in_doubt);
        object["submit"] = std::move(submit);
    }
    if (mailbox.shadow) {
        boost::json::object shadow;
        if (mailbox.shadow->taken != Shadow().taken) shadow["taken"] = word_of(taken_words, mailbox.shadow->taken);
        if (mailbox.shadow->grace != Shadow().grace) shadow["grace"] = grace_text(mailbox.shadow->grace);
        object["shadow"] = std::move(shadow);
    }
    return object;
}

boost::json::object to_json(const Consumer& consumer) {
    boost::json::object object{{"id", consumer.id}, {"kind", word_of(kind_words, consumer.kind)}};
    const Consumer standard;
    put(object, "path", consumer.path);
    if (consumer.sync != standard.sync) object["sync"] = word_of(sync_words, consumer.sync);
    put(object, "address", consumer.address);
    if (consumer.recipient != standard.recipient) object["recipient"] = consumer.recipient;
    put(object, "url", consumer.url);
    if (consumer.format != standard.format) object["format"] = word_of(format_words, consumer.format);
    put(object, "ca_file", consumer.ca_file);
    if (!consumer.program.empty()) object["program"] = to_json(consumer.program);
    if (consumer.timeout) object["timeout"] = fmt::format("{}ms", consumer.timeout->count());
    if (consumer.connections != standard.connections) object["connections"] = consumer.connections;
    if (consumer.attempts != standard.attempts) object["attempts"] = consumer.attempts;
    return object;
}

boost::json::object to_json(const Webhook& webhook) {
    boost::json::object object{{"id", webhook.id}, {"url", webhook.url}};
    boost::json::array events;
    for (const auto topic : webhook.events) events.emplace_back(word_of(topic_words, topic));
    if (webhook.events != Webhook().events) object["events"] = std::move(events);
    put(object, "ca_file", webhook.ca_file);
    return object;
}

boost::json::object to_json(const AlarmMail& alarm) {
    return {{"id", alarm.id}, {"to", to_json(alarm.to)}, {"from", to_json(alarm.from)}};
}

std::string to_document(const Provider& provider) { return boost::json::serialize(to_json(provider)); }
std::string to_document(const Credential& credential) { return boost::json::serialize(to_json(credential)); }
std::string to_document(const Mailbox& mailbox) { return boost::json::serialize(to_json(mailbox)); }
std::string to_document(const Consumer& consumer) { return boost::json::serialize(to_json(consumer)); }
std::string to_document(const Webhook& webhook) { return boost::json::serialize(to_json(webhook)); }
std::string to_document(const AlarmMail& alarm) { return boost::json::serialize(to_json(alarm)); }

Need need_of(Flow flow, std::string_view secret_name) {
    if (flow == Flow::password) return secret_name == "password" ? Need::needed : Need::none;
    if (flow == Flow::service_account) return secret_name == "service_account" ? Need::needed : Need::none;
    if (secret_name == "client_secret" || secret_name == "private_key" || secret_name == "certificate")
        return Need::optional;
    if (secret_name == "refresh_token" && flow != Flow::client_credentials) {
        return flow == Flow::refresh_token ? Need::needed : Need::optional;
    }
    return Need::none;
}

/// Ids hold no slash, so theirs is no credential's.
std::string secret_owner(const Credential& credential) { return credential.id; }
std::string secret_owner(const Consumer& consumer) { return "consumer/" + consumer.id; }
std::string secret_owner(const Webhook& webhook) { return "webhook/" + webhook.id; }

}  // namespace config

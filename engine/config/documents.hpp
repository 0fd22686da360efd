#pragma once
/// Model values as JSON objects, the way the import document and the store write them. Defaults are left out.

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config/faults.hpp"
#include "engine/config/model.hpp"
#include "engine/config/sources.hpp"
#include "protocols/base/result.hpp"

namespace config {

/// What Store::put_object and put_mailbox keep: one JSON object, no secrets.
std::string to_document(const Provider& provider);
std::string to_document(const Credential& credential);
std::string to_document(const Mailbox& mailbox);
std::string to_document(const Consumer& consumer);
std::string to_document(const Webhook& webhook);
std::string to_document(const AlarmMail& alarm);

boost::json::object to_json(const Provider& provider);
boost::json::object to_json(const Credential& credential);
boost::json::object to_json(const Mailbox& mailbox);
boost::json::object to_json(const Consumer& consumer);
boost::json::object to_json(const Webhook& webhook);
boost::json::object to_json(const AlarmMail& alarm);

/// Reads what to_document wrote. T: a type of the model that has an id. Presets are expanded, defaults filled in;
/// an empty Submit::login means the credential's user. Errors: errc::malformed_document.
template <class T>
Result<T> from_document(std::string_view document);

/// The kinds under which Store::put_object keeps everything but mailboxes.
inline constexpr std::string_view provider_kind = "provider";
inline constexpr std::string_view credential_kind = "credential";
inline constexpr std::string_view consumer_kind = "consumer";
inline constexpr std::string_view webhook_kind = "webhook";
inline constexpr std::string_view alarm_kind = "alarm";

/// The secrets that may stand beside a credential, a consumer and a webhook.
inline constexpr std::string_view credential_secrets[] = {"client_secret",   "private_key",   "certificate",
                                                          "service_account", "refresh_token", "password"};
inline constexpr std::string_view consumer_secrets[] = {"secret"};
inline constexpr std::string_view webhook_secrets[] = {"secret"};
/// Whether a flow has a use for that secret of its credential, and cannot do without it. A client proves itself with a
/// client_secret, or with private_key and certificate (PEM); client_credentials needs one of them.
enum class Need { none, optional, needed };
Need need_of(Flow flow, std::string_view secret_name);
/// Store::put_secret's owner of a credential's secrets is the credential's id; of others, this.
std::string secret_owner(const Credential& credential);
std::string secret_owner(const Consumer& consumer);
std::string secret_owner(const Webhook& webhook);

/// Reads one object of the import document; faults name keys below `path`. With `sources`, relative paths are made
/// absolute and secret keys may stand there (they are read by the caller); without, the object is the store's own.
void read_object(const boost::json::object& object, const std::string& path, const Sources* sources, Faults& faults,
                 Provider& into);
void read_object(const boost::json::object& object, const std::string& path, const Sources* sources, Faults& faults,
                 Credential& into);
void read_object(const boost::json::object& object, const std::string& path, const Sources* sources, Faults& faults,
                 Mailbox& into);
void read_object(const boost::json::object& object, const std::string& path, const Sources* sources, Faults& faults,
                 Consumer& into);
void read_object(const boost::json::object& object, const std::string& path, const Sources* sources, Faults& faults,
                 Webhook& into);
void read_object(const boost::json::object& object, const std::string& path, const Sources* sources, Faults& faults,
                 AlarmMail& into);

}  // namespace config

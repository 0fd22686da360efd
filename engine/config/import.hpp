#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/config/documents.hpp"
#include "engine/config/faults.hpp"
#include "engine/config/model.hpp"
#include "engine/config/sources.hpp"
#include "engine/secrets/keyring.hpp"
#include "protocols/base/result.hpp"
#include "queue/store/store.hpp"

namespace config {

inline constexpr std::size_t document_bytes_max = 64 * 1024 * 1024;

/// A secret of the document and what it belongs to (Store::put_secret's owner and name).
struct GivenSecret {
    std::string owner;
    std::string name;
    Secret value{};
    bool keep = false;   // {"sealed": true}: what is sealed already stays
    std::string path{};  // where it stood
};

/// An import document, or everything that a store holds.
struct Document {
    std::vector<Provider> providers;
    std::vector<Credential> credentials;
    std::vector<Mailbox> mailboxes;
    std::vector<Consumer> consumers;
    std::vector<Webhook> webhooks;
    std::vector<AlarmMail> alarms;
    std::vector<GivenSecret> secrets;
};

struct Reading {
    Document document;
    Faults faults;
};

/// Reads an import document and says everything that is wrong with it alone: syntax with line and column, unknown keys,
/// wrong types, duplicate ids, secrets that cannot be read. References are judged by check().
Reading read_document(std::string_view text, const Sources& sources);

/// Judges the document together with what is there already: references, and combinations that cannot work. Objects of
/// `there` that the document does not name stay, and must go on working. Call it with faults of reading or without.
void check(const Document& document, const Document& there, Faults& faults);

/// What a store holds; of each secret only that it is there (keep). Errors: malformed_document, the store's.
Result<Document> stored(store::Store& store);

/// What an import changed.
struct Imported {
    Faults faults;  // not empty: nothing was imported
    std::size_t providers = 0, credentials = 0, mailboxes = 0, consumers = 0, webhooks = 0, alarms = 0;
};

/// Checks against the store, seals the secrets, merges the objects, moves subscriptions. For one committer job: all
/// of it or nothing. Importing the same again changes nothing.
Result<Imported> import_into(store::Store& store, const secrets::Keyring& keyring, const Document& document);

/// The import document of what the store holds, as JSON with line breaks; secrets are {"sealed": true}.
std::string exported(const Document& there);

/// The document as the API takes it: with the values of the secrets in it.
Secret with_secrets(const Document& document);

/// Opens what stored() found sealed, so that with_secrets() writes it. Errors: the store's; malformed, foreign_key,
/// tampered of the secret that `at` names then ("desk: client_secret").
Result<void> open_secrets(Document& there, store::Store& store, const secrets::Keyring& keyring, std::string& at);

}  // namespace config

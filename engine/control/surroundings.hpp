#pragma once

#include <map>
#include <memory>
#include <string>

#include "engine/control/alarming.hpp"
#include "engine/control/api_token.hpp"
#include "engine/control/live.hpp"
#include "engine/control/sending.hpp"
#include "engine/control/worker.hpp"
#include "engine/secrets/keyring.hpp"
#include "engine/submission/senders.hpp"
#include "queue/store/committer.hpp"

namespace tokens {
class SignIns;
}
namespace doctor {
class Doctor;
}

namespace control {

/// Ids of mailboxes by number; both never change. Used on the committer's thread only, where it is filled as needed,
/// so that naming a message's mailbox does not cost a walk over all of them.
class MailboxNames {
public:
    /// unknown_id: no such mailbox, or it was removed.
    Result<std::string> name_of(store::Store& store, store::MailboxNumber number);

private:
    std::map<store::MailboxNumber, std::string> known_;
};

/// What commands work on. All of it outlives the call; one shard, whose inbox `home` is.
struct Surroundings {
    store::Committer& committer;
    queue::Inbox& home;
    const Clock& clock;
    const secrets::Keyring* keyring = nullptr;  // import, and export with secrets
    Live* live = nullptr;                       // a running daemon's
    tokens::SignIns* sign_ins = nullptr;        // a running daemon's
    Random* random = nullptr;                   // for a new token of the API, and marks of submissions
    ApiToken* api_token = nullptr;              // a running daemon's
    doctor::Doctor* doctor = nullptr;           // of whoever may go out to the network
    Sending* sending = nullptr;                 // a running daemon's
    Alarming* alarming = nullptr;               // a running daemon's, with that role
    std::shared_ptr<MailboxNames> names = std::make_shared<MailboxNames>();
    std::shared_ptr<submission::Senders> senders = std::make_shared<submission::Senders>();
    std::shared_ptr<Worker> worker = std::make_shared<Worker>();  // reads mails
};

inline store::Millis now_of(const Surroundings& here) {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(here.clock.wall());
}

}  // namespace control

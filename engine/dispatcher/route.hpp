#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/config/model.hpp"
#include "engine/dispatcher/purse.hpp"
#include "engine/dispatcher/settlement.hpp"
#include "protocols/net/tls.hpp"
#include "queue/store/records.hpp"

namespace dispatcher {

/// A provider as its senders use it, shared by all of them.
struct Place {
    config::Provider provider;
    std::shared_ptr<const net::TlsClient> tls;
    store::Digest version{};  // of its hosts and of whom they are trusted by
};

/// A mailbox that may send, and how.
struct Sender {
    store::MailboxNumber number = 0;
    std::string id;
    std::string address;
    std::string credential;
    std::string login;       // the SASL user of SMTP
    std::string imap_login;  // that of IMAP, to look into its Sent Items
    bool password = false;
    std::shared_ptr<const Place> place;
    PaceLimits pace;
    Tenant tenant;
    std::uint32_t connections = 3;
    OutOfSight out_of_sight = OutOfSight::hold;
    std::string paused;          // reason of the operator, of all or of sending alone; empty: not paused
    std::string fault;           // why it cannot send as configured; empty: it can
    std::uint64_t sign_ins = 0;  // at its credential since the start
    store::Digest documents{};  // of all that it is configured by, secrets included: tells whether anything has changed
};

}  // namespace dispatcher

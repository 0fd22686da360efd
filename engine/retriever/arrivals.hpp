#pragma once

#include "queue/store/records.hpp"

namespace retriever {

/// Hears that mail of a mailbox has become durable: whoever hands it off. Called on any shard.
class Arrivals {
public:
    virtual ~Arrivals() = default;
    virtual void arrived(store::MailboxNumber mailbox) = 0;
};

}  // namespace retriever

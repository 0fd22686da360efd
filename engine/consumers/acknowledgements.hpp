#pragma once

#include "queue/store/records.hpp"

namespace consumers {

/// Hears that mail of a mailbox was acknowledged, durably: whoever deals with it at its server. Called on any shard.
class Acknowledgements {
public:
    virtual ~Acknowledgements() = default;
    virtual void acknowledged(store::MailboxNumber mailbox) = 0;
};

}  // namespace consumers

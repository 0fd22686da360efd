#pragma once

#include "engine/consumers/acknowledgements.hpp"
#include "engine/retriever/doorbell.hpp"

/// Where consumers and sessions meet: what was acknowledged may be dealt with at its server.
class AcknowledgementsToDoorbell final : public consumers::Acknowledgements {
public:
    explicit AcknowledgementsToDoorbell(retriever::Doorbell& bell) : bell_(bell) {}
    void acknowledged(store::MailboxNumber mailbox) override { bell_.acknowledged(mailbox); }

private:
    retriever::Doorbell& bell_;
};

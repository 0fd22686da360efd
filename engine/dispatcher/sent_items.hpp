#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/dispatcher/route.hpp"
#include "engine/dispatcher/settlement.hpp"
#include "engine/tokens/token_client.hpp"
#include "protocols/imap/client.hpp"
#include "protocols/net/seams.hpp"

namespace dispatcher {

/// By what a message is recognised among those that have left.
struct Trace {
    std::string message_id;    // with its brackets
    std::string mark;          // of the private header: some providers rewrite ids
    std::uint32_t copies = 0;  // that are there anyhow, of earlier attempts
};

struct Looked {
    std::optional<Sight> sight;  // nullopt: the look itself failed, another may do
    std::string why;             // for people
};

/// Looks for messages in a mailbox's own Sent Items over IMAP, read-only, on a connection of its own: by the private
/// header; among messages without one by Message-ID, and by the id that Exchange keeps when it rewrites one. One answer
/// for each trace.
awaitable<std::vector<Looked>> look_into_sent_items(Seams& seams, tokens::TokenClient& tokens, Sender sender,
                                                    std::vector<Trace> traces);

/// The folder that a LIST answer shows to hold sent mail: by \Sent (RFC 6154), else by one of the usual names. Pure.
std::optional<std::string> sent_folder_of(const std::vector<imap::ListEntry>& entries);

}  // namespace dispatcher

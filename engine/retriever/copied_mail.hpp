#pragma once

#include <map>
#include <string>

#include "protocols/imap/client.hpp"
#include "queue/store/folder_notes.hpp"

namespace retriever {

/// Tells which mails of a copy whose answer was lost have come into the other folder. By their heads: neither UIDs nor
/// dates need be the same there. Leaves another folder open. One session, one shard.
class CopiedMail {
public:
    /// `source`: the folder that they were copied from. `client` outlives this.
    CopiedMail(imap::Client& client, std::string source) : client_(client), source_(std::move(source)) {}

    /// Of `uids`, those in the source that have a copy. One that cannot be told apart from others has none: rather two
    /// copies than none.
    awaitable<Result<imap::UidSet>> find(const store::CopyIntent& intent, imap::UidSet uids);

private:
    using Heads = std::map<imap::Uid, store::Digest>;
    awaitable<Result<imap::UidSet>> arrived(const store::CopyIntent& intent);
    awaitable<Result<Heads>> heads(imap::UidSet uids);

    imap::Client& client_;
    std::string source_;
};

}  // namespace retriever

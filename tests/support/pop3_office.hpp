#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "protocols/net/stream.hpp"

namespace support {

/// A POP3 server in memory with one mailbox, which needs no log-in. Its connections can be lost at any call that a
/// client makes: what was written then does not arrive, what was to be read does not come back. Outlives its streams.
class Pop3Office {
public:
    struct Mail {
        std::string uidl;
        std::string body;  // ends with CRLF
    };
    std::vector<Mail> mails;
    bool uidl = true, top = true, pipelining = true;
    std::int64_t listed_too_much = 0;  // LIST says so many bytes more than there are
    std::set<std::string> refused;     // UIDLs that RETR does not give
    std::string quit_refused;          // not empty: what QUIT says, and nothing is removed

    std::unique_ptr<net::Stream> connect();
    /// The `number`-th read or write from now on, over all connections, and all after it on that connection fail.
    void cut_at(std::uint64_t number) { cut_at_ = calls_ + number; }
    void be_well() { cut_at_ = 0; }
    [[nodiscard]] std::uint64_t calls() const noexcept { return calls_; }

    std::vector<std::string> retrieved;  // UIDLs, in the order of RETR
    std::uint64_t heads = 0;             // of TOP
    std::uint64_t quits = 0;

private:
    class Connection;
    std::uint64_t calls_ = 0;
    std::uint64_t cut_at_ = 0;
};

}  // namespace support

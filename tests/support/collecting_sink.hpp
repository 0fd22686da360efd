#pragma once

#include <map>
#include <string>
#include <vector>

#include "protocols/imap/client.hpp"

namespace support {

/// Keeps the bodies that an imap::Client fetches, and checks the order of the calls.
class CollectingSink final : public imap::FetchSink {
public:
    Flow body_begins(const imap::FetchItem& known, std::uint64_t bytes) override;
    Flow body_bytes(std::string_view chunk) override;
    Flow fetched(const imap::FetchItem& item) override;
    void body_broken() noexcept override;
    awaitable<Result<void>> room() override;

    Flow answer = Flow::go_on;     // to every call
    bool sizes_are_hints = false;  // POP3: a body may have another size than announced
    error_code no_room;            // what room() fails with
    std::map<imap::Uid, std::string> bodies;
    std::vector<imap::FetchItem> items;  // in the order they came
    std::size_t broken = 0;
    std::size_t rooms = 0;
    std::vector<std::string> violations;  // of the contract of FetchSink; empty when all is well

private:
    bool in_body_ = false;
    std::uint64_t announced_bytes_ = 0;
    std::string body_;
};

}  // namespace support

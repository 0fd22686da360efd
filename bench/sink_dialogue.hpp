#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

/// The server's side of SMTP, as cheap as can be: whoever logs in is welcome, every mail is taken and thrown away.
/// Bytes in, replies out.
class SinkDialogue {
public:
    /// Puts what these bytes are answered with behind `replies`.
    void take(std::string_view bytes, std::string& replies);

    [[nodiscard]] std::uint64_t mails() const noexcept { return mails_; }
    [[nodiscard]] bool logged_in() const noexcept { return logged_in_; }
    /// The client has sent all it may for now: it waits for the answers.
    [[nodiscard]] bool awaited() const noexcept {
        return reading_ != Reading::chunk && reading_ != Reading::last_chunk;
    }
    [[nodiscard]] bool leaving() const noexcept { return leaving_; }

private:
    enum class Reading { commands, answer_to_auth, chunk, last_chunk, data };
    void answer(std::string_view line, std::string& replies);
    std::size_t take_chunk(std::string_view bytes, std::string& replies);
    std::size_t take_data(std::string_view bytes, std::string& replies);
    void mail_taken(std::string& replies);

    Reading reading_ = Reading::commands;
    std::string line_;               // or, in data, the last bytes that were seen
    std::uint64_t chunk_bytes_ = 0;  // still to come
    std::uint64_t mails_ = 0;
    bool logged_in_ = false;
    bool leaving_ = false;
};

}  // namespace bench

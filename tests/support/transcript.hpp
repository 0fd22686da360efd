#pragma once

#include <string_view>
#include <vector>

#include "tests/support/scripted_stream.hpp"

namespace support {

using Transcript = std::vector<ScriptedStream::Turn>;

/// Reads tests/transcripts/`name`: one turn for each line "S: …" (the server says) or "C: …" (the client says), each
/// with CRLF behind it; "T:" lets the time run out that the client allowed; "#" and empty lines are for people.
/// Throws std::runtime_error: no such file, or another kind of line.
Transcript load_transcript(std::string_view name);
/// The first `turns` of it: then the server hangs up.
Transcript cut_after(const Transcript& transcript, std::size_t turns);
/// The names of all transcripts in a folder ("imap"), sorted.
std::vector<std::string> transcripts_in(std::string_view folder);

}  // namespace support

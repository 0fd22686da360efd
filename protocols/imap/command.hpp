#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/result.hpp"
#include "protocols/imap/types.hpp"

namespace imap {

/// How the server takes strings. Literals: RFC 7888, without LITERAL+ or LITERAL- they wait for a continuation.
struct Syntax {
    enum class Literals { synchronising, small_without_waiting, all_without_waiting };
    enum class Quoted { ascii, utf8 };  // after ENABLE UTF8=ACCEPT, RFC 6855
    Literals literals = Literals::synchronising;
    Quoted quoted = Quoted::ascii;
};

/// A command as the pieces to write: after each piece but the last, the server's continuation is awaited.
class Command {
public:
    Command(std::string_view tag, std::string_view name) { pieces_.emplace_back(tag) += ' ', pieces_.back() += name; }

    Command& word(std::string_view text);  // as it is: atoms, sets, lists
    /// An astring: atom, quoted string or literal, whichever `text` can be. Errors: bad_argument (NUL, CR, LF).
    Result<void> astring(std::string_view text, Syntax syntax);
    /// A string: quoted or literal, never an atom. Errors as above.
    Result<void> string(std::string_view text, Syntax syntax);
    /// Ready to write, with the line end.
    [[nodiscard]] std::vector<std::string> pieces() &&;

private:
    void literal(std::string_view text, Syntax::Literals literals);

    std::vector<std::string> pieces_;
};

/// Without CR, LF and NUL.
bool is_plain_text(std::string_view text) noexcept;
/// "\"…\"" with escapes; the text has only what a quoted string can hold.
std::string quoted(std::string_view text);

}  // namespace imap

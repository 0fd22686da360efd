#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "protocols/mime/structure.hpp"

/// Mail that a server does not take as it is becomes one that says the same: parts are encoded, header lines folded.
/// Two passes over the same bytes, each in any pieces and with bounded memory: what becomes of a part stands in its
/// header, and is known at its end.
namespace mime {

enum class Goal {
    short_lines,  // none over line_bytes_max. RFC 5322 §2.1.1, RFC 5321 §4.5.3.1.6
    seven_bit,    // that, and no byte over 0x7f. RFC 6152 §3
};

/// Why a mail cannot become so. The first reason that was met.
struct Unfit {
    enum class Reason {
        sealed,            // RFC 1847 §2.1, RFC 3156 §3: not a byte of what is signed or encrypted may change
        header_line,       // of a field: too long, and no white space to fold it at
        header_eight_bit,  // the same with bytes beyond ASCII
        composite,         // a type whose parts can have no encoding, and its structure is not known
        encoded,           // a part that is encoded already, as its header says
        unreadable,        // a header that readers understand differently
        ambiguous,         // a line that may be a boundary
        too_deep,
        too_many,
    } reason;
    std::string about{};  // field or type
    /// A sentence without its end.
    [[nodiscard]] std::string words() const;
};

/// How a part is encoded.
enum class Way : std::uint8_t { quoted_printable, base64, base64_lines };

/// What is to be done with a mail.
struct Plan {
    Goal goal = Goal::short_lines;
    bool needed = false;         // else it is as it should be
    std::optional<Unfit> unfit;  // it is needed and cannot be
    struct Part {
        Way way;
        std::string_view charset;  // of a mail from before MIME, whose bytes say so. Empty: it has none, or needs none
    };
    std::map<std::size_t, Part> parts;  // by Entity::number
    static constexpr std::size_t parts_max = 10'000;
};

/// The first pass.
class Survey final : private Listener {
public:
    explicit Survey(Goal goal) { plan_.goal = goal; }
    void put(std::string_view chunk) { structure_.put(chunk); }
    Plan finish();

private:
    void head(const Entity& entity, std::string_view section) override;
    void body(std::string_view bytes) override;
    void between(std::string_view bytes, Cover cover) override;
    void end_leaf();
    void need(Unfit::Reason reason, std::string_view about);
    [[nodiscard]] std::optional<Unfit::Reason> obstacle() const;

    /// Lines and bytes, as they come.
    struct Sight {
        std::uint64_t bytes = 0;
        std::uint64_t foreign_bytes = 0;  // over 0x7f
        std::uint64_t line_bytes = 0;     // of the line that has not ended, its CR included
        bool has_long_line = false;
        bool is_utf8 = true;
        std::string character{};  // of UTF-8 that has not ended
        bool after_cr = false;
        void take(std::string_view piece);
        void end();

    private:
        void take_foreign(char c);
    };
    [[nodiscard]] bool falls_short(const Sight& sight) const;

    Structure structure_{*this};
    Plan plan_;
    Entity leaf_;
    bool in_leaf_ = false;
    Sight sight_;
    Sight outside_;
};

/// The second pass, with the plan of the first.
class Conversion final : private Listener {
public:
    explicit Conversion(Plan plan);
    ~Conversion() override;
    /// Appends to `out`.
    void put(std::string_view chunk, std::string& out);
    void finish(std::string& out);

private:
    class Coder;
    void head(const Entity& entity, std::string_view section) override;
    void body(std::string_view bytes) override;
    void between(std::string_view bytes, Cover cover) override;
    void end_leaf();

    Structure structure_{*this};
    Plan plan_;
    std::unique_ptr<Coder> coder_;  // of the leaf that is being read, when it is to be encoded
    std::size_t outside_column_ = 0;
    std::string* out_ = nullptr;
};

}  // namespace mime

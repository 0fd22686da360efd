#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/mime/entity.hpp"

namespace mime {

/// Who is told what a mail consists of. Everything that is told, in its order, is the mail.
class Listener {
public:
    virtual ~Listener() = default;
    /// A header section with its empty line, if it has one.
    virtual void head(const Entity& entity, std::string_view section) = 0;
    /// The next bytes of the body of a leaf, the one whose head was told last.
    virtual void body(std::string_view bytes) = 0;
    /// What is nobody's body: boundaries with the line end before them, what stands before the first and behind the
    /// last. `sealed`: a signature may cover it.
    enum class Cover { open, sealed };
    virtual void between(std::string_view bytes, Cover cover) = 0;
};

/// Walks through a mail while it comes, in any pieces; its lines end with CRLF. Holds one header section, a line and
/// the boundaries that are open: bounded, whatever the mail. What is deeper, or longer, is a leaf that is not readable.
class Structure {
public:
    static constexpr std::size_t depth_max = 64;
    static constexpr std::size_t header_bytes_max = 256 * 1024 + 16 * 1024;  // what a mail may have, and our own fields
    static constexpr std::size_t boundary_line_bytes_max = 1000;

    explicit Structure(Listener& listener) : listener_(listener) {}
    void put(std::string_view chunk);
    void finish();
    /// A line began like a boundary and went on otherwise: readers may differ in where a part ends.
    [[nodiscard]] bool ambiguous() const noexcept { return ambiguous_; }

private:
    enum class In { head, body, between };
    struct Level {
        std::string boundary;
        DefaultType standard;
        bool sealed;
        std::size_t depth;  // of its parts
    };
    struct Match {
        std::size_t level;
        bool closing;
    };

    void take(std::string_view piece, bool whole_line);
    void take_head_line(std::string_view line);
    void end_head();
    void take_text(std::string_view piece);
    [[nodiscard]] const Match* boundary_at(std::string_view line);
    void end_part(const Match& match, std::string_view line);
    void tell(std::string_view bytes);
    [[nodiscard]] bool sealed() const { return !levels_.empty() && levels_.back().sealed; }
    [[nodiscard]] bool holds_lines() const { return in_ == In::head || !levels_.empty(); }

    Listener& listener_;
    std::vector<Level> levels_;
    Match match_{};
    In in_ = In::head;
    std::string section_;  // of the head that is read
    std::string line_;     // that has not ended, from its begin on
    bool line_begin_ = true;
    bool broken_head_ = false;
    std::string pending_;  // of a line end that may belong to a boundary
    std::size_t entities_ = 0;
    std::size_t depth_ = 0;
    DefaultType standard_ = DefaultType::text_plain;
    bool root_ = true;
    bool ambiguous_ = false;
};

}  // namespace mime

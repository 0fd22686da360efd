#include "protocols/mime/addresses.hpp"

#include <utility>

namespace mime {
namespace {

constexpr std::size_t comment_depth_max = 16;

bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Goes through a list once. What stands between two separators is an address in brackets, or, without brackets, the
/// words themselves.
class List {
public:
    explicit List(std::string_view text) : left_(text) {}

    std::optional<std::vector<std::string>> read() {
        while (!left_.empty()) {
            if (!step()) return std::nullopt;
        }
        if (!end_entry()) return std::nullopt;
        return std::move(found_);
    }

private:
    bool step() {
        const char c = left_.front();
        if (c == '(') return skip_comment();
        if (c == '"') return take_quoted();
        if (c == '<') return take_bracketed();
        left_.remove_prefix(1);
        if (c == ',' || c == ';') return end_entry();
        if (c == ':') {  // the name of a group
            words_.clear();
            gap_ = false;
            return !bracketed_;
        }
        if (c == '>' || c == ')') return false;
        if (is_blank(c)) {
            gap_ = !words_.empty();
            return true;
        }
        add(std::string_view(&c, 1));
        return true;
    }

    void add(std::string_view word) {
        // Blanks around "@" and "." are allowed by the old syntax; elsewhere they part the words of a name.
        if (gap_ && words_.back() != '.' && words_.back() != '@' && word != "." && word != "@") words_ += ' ';
        gap_ = false;
        words_ += word;
    }

    bool skip_comment() {
        std::size_t depth = 0;
        for (std::size_t at = 0; at < left_.size(); ++at) {
            if (left_[at] == '\\')
                ++at;
            else if (left_[at] == '(' && ++depth > comment_depth_max)
                return false;
            else if (left_[at] == ')' && --depth == 0) {
                left_.remove_prefix(at + 1);
                gap_ = !words_.empty();
                return true;
            }
        }
        return false;
    }

    bool take_quoted() {
        for (std::size_t at = 1; at < left_.size(); ++at) {
            if (left_[at] == '\\')
                ++at;
            else if (left_[at] == '"') {
                add(left_.substr(0, at + 1));
                left_.remove_prefix(at + 1);
                return true;
            }
        }
        return false;
    }

    bool take_bracketed() {
        if (bracketed_) return false;
        const std::size_t begin = left_.find_first_not_of("< \t\r\n");
        bool quoted = false;
        for (std::size_t at = 1; at < left_.size(); ++at) {
            if (left_[at] == '\\')
                ++at;
            else if (left_[at] == '"')
                quoted = !quoted;
            else if (left_[at] == '>' && !quoted) {
                if (begin >= at) return false;
                std::string_view inside = left_.substr(begin, at - begin);
                while (is_blank(inside.back())) inside.remove_suffix(1);
                // A route is out of use: "<@a,@b:c@d>". RFC 5322 §4.4.
                if (inside.front() == '@') {
                    const auto colon = inside.find(':');
                    if (colon == std::string_view::npos || colon + 1 == inside.size()) return false;
                    inside.remove_prefix(colon + 1);
                }
                found_.emplace_back(inside);
                bracketed_ = true;
                left_.remove_prefix(at + 1);
                return true;
            }
        }
        return false;
    }

    bool end_entry() {
        const bool had_brackets = std::exchange(bracketed_, false);
        std::string words = std::exchange(words_, {});
        gap_ = false;
        if (had_brackets || words.empty()) return true;
        bool quoted = false;
        for (const char c : words) {
            if (c == '"') quoted = !quoted;
            if (c == ' ' && !quoted) return false;  // several words and no address
        }
        found_.push_back(std::move(words));
        return true;
    }

    std::string_view left_;
    std::vector<std::string> found_;
    std::string words_;
    bool gap_ = false;
    bool bracketed_ = false;
};

}  // namespace

std::optional<std::vector<std::string>> addresses_in(std::string_view value) { return List(value).read(); }

}  // namespace mime

#include "protocols/mime/parties.hpp"

#include <algorithm>
#include <utility>

#include "protocols/base/text.hpp"
#include "protocols/mime/charsets.hpp"
#include "protocols/mime/encoded_words.hpp"
#include "protocols/mime/headers.hpp"

namespace mime {
namespace {

constexpr std::size_t npos = std::string_view::npos;

/// Goes through a list once.
class Parties {
public:
    Parties(std::string_view line, std::string_view likely) : left_(line), likely_(likely) {}

    std::vector<Party> read() {
        while (!left_.empty() && found_.size() < parties_max) step();
        end_entry();
        return std::move(found_);
    }

private:
    void step() {
        const char c = left_.front();
        if (c == '"') return take_quoted();
        if (c == '(') return take_comment();
        if (c == '<') return take_bracketed();
        left_.remove_prefix(1);
        if (c == ',') return end_entry();
        if (c == ';') {
            end_entry();
            group_.clear();
            return;
        }
        if (c == ':' && !has_address_ && !has_at_) {
            group_ = decoded_words(text::trimmed(std::exchange(words_, {})), likely_);
            return;
        }
        has_at_ = has_at_ || c == '@';
        words_ += c;
    }

    void take_quoted() {
        std::size_t at = 1;
        std::string inside;
        for (; at < left_.size() && left_[at] != '"'; ++at) {
            if (left_[at] == '\\' && at + 1 < left_.size()) ++at;
            inside += left_[at];
        }
        const bool closed = at < left_.size();
        const auto behind = left_.substr(std::min(at + 1, left_.size()));
        // "john doe"@example.org is an address; any other quotes are those of a name.
        if (closed && behind.starts_with('@')) inside = left_.substr(0, at + 1);
        words_ += inside;
        left_ = behind;
    }

    void take_comment() {
        std::size_t depth = 0;
        std::size_t at = 0;
        std::string inside;
        for (; at < left_.size(); ++at) {
            const char c = left_[at];
            if (c == '\\' && at + 1 < left_.size()) {
                inside += left_[++at];
                continue;
            }
            if (c == '(' && depth++ == 0) continue;
            if (c == ')' && --depth == 0) break;
            inside += c;
        }
        left_.remove_prefix(std::min(at + 1, left_.size()));
        if (comment_.empty()) comment_ = std::move(inside);
        if (!words_.empty()) words_ += ' ';
    }

    void take_bracketed() {
        const auto end = left_.find('>');
        auto inside = text::trimmed(left_.substr(1, end == npos ? npos : end - 1));
        left_.remove_prefix(end == npos ? left_.size() : end + 1);
        while (inside.starts_with('<')) inside = text::trimmed(inside.substr(1));
        // A route is out of use: "<@a,@b:c@d>". RFC 5322 §4.4.
        if (inside.starts_with('@') && inside.find(':') != npos) inside.remove_prefix(inside.find(':') + 1);
        if (text::starts_with_same(inside, "mailto:")) inside.remove_prefix(7);
        if (has_address_) return;
        has_address_ = true;
        address_ = inside;
    }

    void end_entry() {
        Party party;
        auto words = text::trimmed(words_);
        if (has_address_) {
            party.address = readable(address_);
            party.name = decoded_words(words, likely_);
        } else if (words.starts_with('"') || (words.find('@') != npos && words.find_first_of(" \t") == npos)) {
            party.address = readable(words);
        } else if (const auto bare = without_blanks_around_marks(words); !bare.empty()) {
            party.address = readable(bare);
        } else {
            party.name = decoded_words(words, likely_);
        }
        if (party.name.empty() && !comment_.empty()) party.name = decoded_words(comment_, likely_);
        party.name = text::trimmed(party.name);
        if (party.name.size() >= 2 && party.name.front() == '\'' && party.name.back() == '\'')
            party.name = party.name.substr(1, party.name.size() - 2);
        party.group = group_;
        const bool empty = party.name.empty() && party.address.empty();
        if (!empty) found_.push_back(std::move(party));
        words_.clear();
        comment_.clear();
        address_.clear();
        has_address_ = has_at_ = false;
    }

    /// The old syntax: "john . doe @ example.org". Empty: it is something else.
    static std::string without_blanks_around_marks(std::string_view words) {
        if (std::count(words.begin(), words.end(), '@') != 1) return {};
        std::string bare;
        bool gap = false;
        for (const char c : words) {
            if (c == ' ' || c == '\t') {
                gap = true;
                continue;
            }
            const bool mark = c == '.' || c == '@';
            if (gap && !mark && !bare.empty() && bare.back() != '.' && bare.back() != '@') return {};
            gap = false;
            bare += c;
        }
        return bare;
    }

    /// Addresses are UTF-8 (RFC 6532), or somebody wrote an encoded word where none may be.
    [[nodiscard]] std::string readable(std::string_view address) const {
        if (is_ascii(address) && address.find("=?") == npos) return without_controls(std::string(address));
        return decoded_words(address, likely_);
    }

    std::string_view left_;
    std::string_view likely_;
    std::vector<Party> found_;
    std::string words_, comment_, address_, group_;
    bool has_address_ = false;
    bool has_at_ = false;  // in words_
};

}  // namespace

std::vector<Party> parties_in(std::string_view value, std::string_view likely) {
    const std::string line = unfolded(text::trimmed(value));
    return Parties(line, likely).read();
}

std::vector<std::string> message_ids_in(std::string_view value) {
    std::vector<std::string> ids;
    const auto add = [&ids](std::string id) {
        std::erase_if(id, [](char c) { return c == '\r' || c == '\n' || c == '\t'; });
        if (!is_utf8(id)) id = decoded_text(id, {}).utf8;
        ids.push_back(without_controls(std::move(id)));
    };
    while (!value.empty() && ids.size() < ids_max) {
        const auto open = value.find('<');
        const auto close = open == npos ? npos : value.find('>', open);
        if (close != npos) {
            const auto inside = text::trimmed(value.substr(open + 1, close - open - 1));
            if (!inside.empty()) add('<' + std::string(inside) + '>');
            value.remove_prefix(close + 1);
            continue;
        }
        if (!ids.empty()) break;
        const std::string line = unfolded(value);  // the words are views into it
        for (const auto word : text::split(line, ' ')) {
            const auto bare = text::trimmed(word);
            if (bare.find('@') != npos && ids.size() < ids_max) add(std::string(bare));
        }
        break;
    }
    return ids;
}

}  // namespace mime

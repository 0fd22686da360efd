#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace config {

/// One thing wrong with the import document.
struct Fault {
    std::string path;  // of the key: mailboxes[3].credential; empty: the document as a whole
    std::string what;  // what was found, what was expected
};

/// `path: what` as an operator reads it.
std::string text_of(const Fault& fault);

/// What is wrong, gathered: everything is reported at once, up to faults_max.
class Faults {
public:
    static constexpr std::size_t faults_max = 50;

    void add(std::string path, std::string what);
    /// Whether that key has a fault already: what follows from it is not said again.
    [[nodiscard]] bool concern(std::string_view path) const;
    [[nodiscard]] bool empty() const noexcept { return list_.empty(); }
    [[nodiscard]] const std::vector<Fault>& list() const noexcept { return list_; }
    /// How many more there were than the list keeps.
    [[nodiscard]] std::size_t left_out() const noexcept { return left_out_; }

private:
    std::vector<Fault> list_;
    std::size_t left_out_ = 0;
};

/// `; did you mean "…"?` for the word that is nearest to what was written, or nothing when none is near.
std::string suggestion(std::string_view written, std::span<const std::string_view> known);

/// `"a", "b" or "c"`.
std::string either_of(std::span<const std::string_view> words);

}  // namespace config

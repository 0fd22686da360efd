#pragma once

#include <string>
#include <vector>

namespace cli {

/// Rows under a heading in aligned columns, as people read them.
class Table {
public:
    explicit Table(std::vector<std::string> heading) : rows_{std::move(heading)} {}
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    /// Controls in a cell become \xNN; an empty cell shows as -.
    [[nodiscard]] std::string text() const;

private:
    std::vector<std::vector<std::string>> rows_;
};

/// 1536 → 1.5 KiB
std::string size_text(double bytes);

}  // namespace cli

#include "queue/store/sqlite_meta.hpp"

#include <utility>

namespace store {

/// What has changed stays until it is written.
void SqliteMeta::keep(std::string_view name, std::optional<std::string> value) {
    if (kept_.size() >= kept_rows_max && changed_.empty()) kept_.clear();
    kept_.insert_or_assign(std::string(name), std::move(value));
}

Result<void> SqliteMeta::put(std::string_view name, std::string_view value) {
    if (value.size() > kept_bytes_max) {
        kept_.erase(std::string(name));
        changed_.erase(std::string(name));
        return work_.write(put_, name, blob(value));
    }
    keep(name, std::string(value));
    changed_.insert(std::string(name));
    return {};
}

Result<std::optional<std::string>> SqliteMeta::get(std::string_view name) {
    if (const auto kept = kept_.find(std::string(name)); kept != kept_.end()) return kept->second;
    auto found = work_.first<std::string>(get_, read_text, name);
    if (!found) return found.error();
    const auto& row = *found;
    if (!row || row->size() <= kept_bytes_max) keep(name, row);
    return found;
}

Result<void> SqliteMeta::remove(std::string_view name) {
    changed_.erase(std::string(name));
    keep(name, std::nullopt);
    return work_.write(remove_, name);
}

Result<void> SqliteMeta::finish_group() {
    for (const auto& name : changed_) {
        const auto& kept = kept_.at(name);
        if (!kept) continue;  // what is removed is written at once
        const auto written = work_.write(put_, std::string_view(name), blob(*kept));
        if (!written) return written;
    }
    return {};
}

void SqliteMeta::rolled_back() noexcept {
    kept_.clear();
    changed_.clear();
}

}  // namespace store

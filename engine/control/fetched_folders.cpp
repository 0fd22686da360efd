#include "engine/control/fetched_folders.hpp"

#include <algorithm>

#include "protocols/imap/folder_choice.hpp"

namespace control {

Result<std::vector<std::string>> fetched_folders(store::Store& store, store::MailboxNumber number,
                                                 const config::Mailbox& mailbox) {
    std::vector<std::string> names;
    bool chosen = false;
    for (const auto& entry : mailbox.folders) {
        chosen = chosen || imap::is_looked_up(entry);
        if (!imap::is_looked_up(entry)) names.push_back(entry);
    }
    if (!chosen) return names;
    const auto known = store.folders(number);
    if (!known) return known.error();
    for (const auto& folder : *known) {
        const bool named = std::find(names.begin(), names.end(), folder.name) != names.end();
        if (!named && folder.uid_validity != 0) names.push_back(folder.name);
    }
    return names;
}

}  // namespace control

#pragma once

#include <memory>
#include <string>

#include "queue/store/file.hpp"

namespace store {

/// Lets SQLite keep its files on a Disk. For one connection in EXCLUSIVE locking mode: it takes no locks and shares no
/// memory; whoever opens the directory holds its lock. Registered with SQLite until it ends, after its connections.
class SqliteVfs {
public:
    explicit SqliteVfs(Disk& disk);
    SqliteVfs(const SqliteVfs&) = delete;
    SqliteVfs& operator=(const SqliteVfs&) = delete;
    ~SqliteVfs();

    /// By which connections ask for it.
    [[nodiscard]] const std::string& name() const noexcept;

private:
    struct Registration;
    std::unique_ptr<Registration> registration_;
};

}  // namespace store

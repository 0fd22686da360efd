#include "queue/store/sqlite_vfs.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cstring>
#include <new>
#include <string>

#include "protocols/base/ensure.hpp"

namespace store {
namespace {

constexpr int path_bytes_max = 1024;
constexpr int sector_bytes = 4096;
constexpr std::size_t gathered_bytes_max = 256 * 1024;

/// What was written to a write-ahead log and has not gone to the file yet. SQLite writes a commit's frames one behind
/// the other, each in two pieces; they go out as one write before the sync, or before anybody looks at the file.
struct Gathered {
    std::string bytes;
    std::uint64_t offset = 0;  // of the first one
};

/// What SQLite holds of an open file: it allocates the bytes, we build the rest into them.
struct OpenFile {
    sqlite3_file base;  // first: SQLite knows no more
    Disk* disk;
    File* file;
    Path* path;
    Gathered* gathered;  // nullptr: not a write-ahead log
    bool is_new;         // its name is not durable yet
    bool ends_with_handle;
};

OpenFile& opened(sqlite3_file* file) { return *reinterpret_cast<OpenFile*>(file); }

int code_of(error_code reason, int otherwise) { return reason == errc::disk_full ? SQLITE_FULL : otherwise; }

/// What fails is dropped, as a write that failed is: SQLite takes the transaction back.
int put_gathered(OpenFile& here) {
    if (here.gathered == nullptr || here.gathered->bytes.empty()) return SQLITE_OK;
    const auto written = here.file->write(here.gathered->bytes, here.gathered->offset);
    here.gathered->bytes.clear();
    return written ? SQLITE_OK : code_of(written.error(), SQLITE_IOERR_WRITE);
}

int close_file(sqlite3_file* handle) {
    OpenFile& here = opened(handle);
    static_cast<void>(put_gathered(here));  // never synced: nobody counts on it
    delete here.gathered;
    delete here.file;
    if (here.ends_with_handle) static_cast<void>(here.disk->remove(*here.path));
    delete here.path;
    return SQLITE_OK;
}

int read_file(sqlite3_file* handle, void* into, int size, sqlite3_int64 offset) {
    const std::span<char> wanted(static_cast<char*>(into), static_cast<std::size_t>(size));
    const int put = put_gathered(opened(handle));
    if (put != SQLITE_OK) return put;
    const auto got = opened(handle).file->read(wanted, static_cast<std::uint64_t>(offset));
    if (!got) return SQLITE_IOERR_READ;
    if (*got == wanted.size()) return SQLITE_OK;
    std::memset(wanted.data() + *got, 0, wanted.size() - *got);
    return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* handle, const void* from, int size, sqlite3_int64 offset) {
    const std::string_view bytes(static_cast<const char*>(from), static_cast<std::size_t>(size));
    const auto at = static_cast<std::uint64_t>(offset);
    OpenFile& here = opened(handle);
    if (here.gathered == nullptr) {
        const auto written = here.file->write(bytes, at);
        return written ? SQLITE_OK : code_of(written.error(), SQLITE_IOERR_WRITE);
    }
    Gathered& gathered = *here.gathered;
    const bool follows = gathered.offset + gathered.bytes.size() == at;
    if (!follows || gathered.bytes.size() + bytes.size() > gathered_bytes_max) {
        const int put = put_gathered(here);
        if (put != SQLITE_OK) return put;
    }
    if (gathered.bytes.empty()) gathered.offset = at;
    gathered.bytes += bytes;
    return SQLITE_OK;
}

int truncate_file(sqlite3_file* handle, sqlite3_int64 size) {
    const int put = put_gathered(opened(handle));
    if (put != SQLITE_OK) return put;
    return opened(handle).file->truncate(static_cast<std::uint64_t>(size)) ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

int sync_file(sqlite3_file* handle, int) {
    OpenFile& here = opened(handle);
    const int put = put_gathered(here);
    if (put != SQLITE_OK) return put;
    if (!here.file->sync()) return SQLITE_IOERR_FSYNC;
    if (here.is_new && !here.disk->sync_directory(here.path->parent_path())) return SQLITE_IOERR_DIR_FSYNC;
    here.is_new = false;
    return SQLITE_OK;
}

int size_of_file(sqlite3_file* handle, sqlite3_int64* size) {
    const int put = put_gathered(opened(handle));
    if (put != SQLITE_OK) return put;
    const auto found = opened(handle).file->size();
    if (!found) return SQLITE_IOERR_FSTAT;
    *size = static_cast<sqlite3_int64>(*found);
    return SQLITE_OK;
}

int no_lock(sqlite3_file*, int) { return SQLITE_OK; }
int nobody_locks(sqlite3_file*, int* is_locked) {
    *is_locked = 0;
    return SQLITE_OK;
}
int no_control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int sector_size(sqlite3_file*) { return sector_bytes; }
int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

constexpr sqlite3_io_methods methods{.iVersion = 1,
                                     .xClose = close_file,
                                     .xRead = read_file,
                                     .xWrite = write_file,
                                     .xTruncate = truncate_file,
                                     .xSync = sync_file,
                                     .xFileSize = size_of_file,
                                     .xLock = no_lock,
                                     .xUnlock = no_lock,
                                     .xCheckReservedLock = nobody_locks,
                                     .xFileControl = no_control,
                                     .xSectorSize = sector_size,
                                     .xDeviceCharacteristics = characteristics,
                                     .xShmMap = nullptr,
                                     .xShmLock = nullptr,
                                     .xShmBarrier = nullptr,
                                     .xShmUnmap = nullptr,
                                     .xFetch = nullptr,
                                     .xUnfetch = nullptr};

Disk& disk_of(sqlite3_vfs* vfs) { return *static_cast<Disk*>(vfs->pAppData); }

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* handle, int flags, int* flags_given) {
    handle->pMethods = nullptr;
    if (name == nullptr) return SQLITE_CANTOPEN;  // temporary tables live in memory
    Disk& disk = disk_of(vfs);
    const bool may_make = (flags & SQLITE_OPEN_CREATE) != 0;
    const auto is_there = disk.exists(name);
    if (!is_there) return SQLITE_CANTOPEN;
    auto file = disk.open(name, may_make ? Disk::Mode::create : Disk::Mode::write);
    if (!file) return code_of(file.error(), SQLITE_CANTOPEN);
    OpenFile& here = *new (handle) OpenFile();
    here.base.pMethods = &methods;
    here.disk = &disk;
    here.file = file->release();
    here.path = new Path(name);
    here.gathered = (flags & SQLITE_OPEN_WAL) != 0 ? new Gathered() : nullptr;
    here.is_new = !*is_there;
    here.ends_with_handle = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    if (flags_given != nullptr) *flags_given = flags;
    return SQLITE_OK;
}

int remove_file(sqlite3_vfs* vfs, const char* name, int is_to_last) {
    const auto removed = disk_of(vfs).remove(name);
    if (!removed) return is_missing(removed.error()) ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
    if (is_to_last == 0) return SQLITE_OK;
    return disk_of(vfs).sync_directory(Path(name).parent_path()) ? SQLITE_OK : SQLITE_IOERR_DIR_FSYNC;
}

int has_access(sqlite3_vfs* vfs, const char* name, int, int* answer) {
    const auto is_there = disk_of(vfs).exists(name);
    if (!is_there) return SQLITE_IOERR_ACCESS;
    *answer = *is_there ? 1 : 0;
    return SQLITE_OK;
}

int full_name(sqlite3_vfs*, const char* name, int size, char* into) {
    const std::string_view text(name);
    if (text.size() >= static_cast<std::size_t>(size)) return SQLITE_CANTOPEN;
    std::memcpy(into, name, text.size() + 1);
    return SQLITE_OK;
}

sqlite3_vfs& system() { return *sqlite3_vfs_find(nullptr); }
int randomness(sqlite3_vfs*, int size, char* into) { return system().xRandomness(&system(), size, into); }
int sleep_for(sqlite3_vfs*, int micros) { return system().xSleep(&system(), micros); }
int day(sqlite3_vfs*, double* now) { return system().xCurrentTime(&system(), now); }
int last_error(sqlite3_vfs*, int, char*) { return 0; }

}  // namespace

struct SqliteVfs::Registration {
    std::string name;
    sqlite3_vfs vfs{};
};

SqliteVfs::SqliteVfs(Disk& disk) : registration_(std::make_unique<Registration>()) {
    registration_->name = fmt::format("rohrpost {}", static_cast<const void*>(this));
    sqlite3_vfs& vfs = registration_->vfs;
    vfs.iVersion = 1;
    vfs.szOsFile = sizeof(OpenFile);
    vfs.mxPathname = path_bytes_max;
    vfs.zName = registration_->name.c_str();
    vfs.pAppData = &disk;
    vfs.xOpen = open_file;
    vfs.xDelete = remove_file;
    vfs.xAccess = has_access;
    vfs.xFullPathname = full_name;
    vfs.xRandomness = randomness;
    vfs.xSleep = sleep_for;
    vfs.xCurrentTime = day;
    vfs.xGetLastError = last_error;
    sqlite3_initialize();
    ensure(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK, "SQLite takes the VFS");
}

SqliteVfs::~SqliteVfs() { sqlite3_vfs_unregister(&registration_->vfs); }

const std::string& SqliteVfs::name() const noexcept { return registration_->name; }

}  // namespace store

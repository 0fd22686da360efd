#include "engine/secrets/keyring.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace secrets {
namespace {

constexpr std::string_view check_name = "key_check";
constexpr std::string_view check_words = "this store is sealed with this key";

/// Closes a file descriptor when it ends.
struct OpenFile {
    explicit OpenFile(int descriptor) : number(descriptor) {}
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    ~OpenFile() {
        if (number >= 0) ::close(number);
    }
    int number;
};

/// The length before the owner keeps ("ab", "c") and ("a", "bc") apart.
std::string place_of(std::string_view owner, std::string_view name) {
    return std::to_string(owner.size()) + ':' + std::string(owner) + ':' + std::string(name);
}

Result<Key> read_key(const std::filesystem::path& path) {
    const OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.number < 0) return errno == ENOENT ? errc::key_missing : errc::key_unreadable;
    struct stat status {};
    if (::fstat(file.number, &status) != 0 || !S_ISREG(status.st_mode)) return errc::key_unreadable;
    if ((status.st_mode & 077U) != 0) return errc::key_exposed;
    if (status.st_size != static_cast<off_t>(key_bytes)) return errc::key_wrong_size;
    std::string bytes(key_bytes, '\0');
    const ssize_t count = ::read(file.number, bytes.data(), bytes.size());
    Secret secret(std::move(bytes));
    if (count != static_cast<ssize_t>(key_bytes)) return errc::key_unreadable;
    return Key::from_bytes(std::move(secret));
}

bool sync_folder(const std::filesystem::path& folder) {
    const OpenFile open_folder(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return open_folder.number >= 0 && ::fsync(open_folder.number) == 0;
}

/// Written under another name and linked when complete: a crash leaves no short key, and no key is ever overwritten.
Result<Key> create_key(const std::filesystem::path& path, Random& random) {
    std::string bytes(key_bytes, '\0');
    random.fill(std::as_writable_bytes(std::span(bytes)));
    Secret secret(std::move(bytes));
    std::filesystem::path draft = path;
    draft += ".new";
    ::unlink(draft.c_str());
    {
        const OpenFile file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (file.number < 0) return errc::key_uncreatable;
        const ssize_t count = ::write(file.number, secret.reveal().data(), key_bytes);
        if (count != static_cast<ssize_t>(key_bytes) || ::fsync(file.number) != 0) return errc::key_uncreatable;
    }
    const bool linked = ::link(draft.c_str(), path.c_str()) == 0;
    ::unlink(draft.c_str());
    const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    if (!linked || !sync_folder(folder)) return errc::key_uncreatable;
    return Key::from_bytes(std::move(secret));
}

}  // namespace

Result<Keyring> Keyring::open(const std::filesystem::path& key_file, store::Store& store, Random& random) {
    auto check = store.meta(check_name);
    if (!check) return check.error();
    auto key = read_key(key_file);
    if (!key && key.error() == errc::key_missing && !*check) key = create_key(key_file, random);
    if (!key) return key.error();
    Keyring keyring(std::move(*key), random);
    if (!*check) {
        auto put = store.put_meta(check_name, keyring.seal("meta", check_name, Secret(std::string(check_words))));
        if (!put) return put.error();
        return keyring;
    }
    const auto opened = keyring.unseal("meta", check_name, **check);
    if (!opened || opened->reveal() != check_words) return errc::key_foreign;
    return keyring;
}

std::string Keyring::seal(std::string_view owner, std::string_view name, const Secret& plain) const {
    return secrets::seal(key_, place_of(owner, name), plain, *random_);
}

Result<Secret> Keyring::unseal(std::string_view owner, std::string_view name, std::string_view sealed) const {
    return secrets::unseal(key_, place_of(owner, name), sealed);
}

}  // namespace secrets

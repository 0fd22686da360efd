#include "engine/secrets/key_file.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "protocols/base/base64.hpp"
#include "protocols/base/text.hpp"

namespace secrets {
namespace {

constexpr off_t written_bytes_max = 256;
constexpr int old_keys_max = 1000;

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

std::optional<std::string> from_hexadecimal(std::string_view digits) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
        const auto pair = digits.substr(i, 2);
        unsigned value = 0;
        const auto read = std::from_chars(pair.data(), pair.data() + 2, value, 16);
        if (read.ec != std::errc{} || read.ptr != pair.data() + 2) return std::nullopt;
        bytes += static_cast<char>(value);
    }
    return bytes;
}

Result<Key> key_from(Secret written) {
    if (written.reveal().size() == key_bytes) return Key::from_bytes(std::move(written));
    const auto text = text::trimmed(written.reveal());
    auto bytes = text.size() == 2 * key_bytes ? from_hexadecimal(text) : base64_decoded(text);
    return bytes ? Key::from_bytes(Secret(std::move(*bytes))) : Result<Key>(errc::key_wrong_size);
}

bool sync_folder_of(const std::filesystem::path& path) {
    const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    const OpenFile open_folder(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return open_folder.number >= 0 && ::fsync(open_folder.number) == 0;
}

std::filesystem::path beside(const std::filesystem::path& path, const char* ending) {
    auto other = path;
    other += ending;
    return other;
}

/// A second name for the key: the first that is free, or that an interrupted rotation has given it already.
Result<std::filesystem::path> keep_beside(const std::filesystem::path& key_file) {
    for (int number = 1; number <= old_keys_max; ++number) {
        const auto ending = number == 1 ? std::string(".old") : ".old." + std::to_string(number);
        auto old = beside(key_file, ending.c_str());
        if (::link(key_file.c_str(), old.c_str()) == 0) return old;
        if (errno == ENOENT) return std::filesystem::path();
        std::error_code unknown;
        if (errno != EEXIST) return errc::key_uncreatable;
        if (std::filesystem::equivalent(key_file, old, unknown)) return old;
    }
    return errc::key_uncreatable;
}

}  // namespace

Result<Key> read_key(const KeySource& source) {
    if (source.kind == KeySource::Kind::variable) return key_from(source.text);
    const OpenFile file(::open(source.file.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.number < 0) return errno == ENOENT ? errc::key_missing : errc::key_unreadable;
    struct stat status {};
    if (::fstat(file.number, &status) != 0 || !S_ISREG(status.st_mode)) return errc::key_unreadable;
    // systemd keeps others from its credentials in ways of its own (an ACL shows as a right of the group).
    if (source.kind == KeySource::Kind::file && (status.st_mode & 077U) != 0) return errc::key_exposed;
    if (status.st_size > written_bytes_max) return errc::key_wrong_size;
    std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
    const ssize_t count = ::read(file.number, bytes.data(), bytes.size());
    Secret secret(std::move(bytes));
    if (count != static_cast<ssize_t>(status.st_size)) return errc::key_unreadable;
    return key_from(std::move(secret));
}

/// Written under another name and linked when complete: a crash leaves no short key, and no key is ever overwritten.
Result<Key> create_key(const std::filesystem::path& path, Random& random) {
    std::string bytes(key_bytes, '\0');
    random.fill(std::as_writable_bytes(std::span(bytes)));
    Secret secret(std::move(bytes));
    const auto draft = beside(path, ".new");
    ::unlink(draft.c_str());
    {
        const OpenFile file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (file.number < 0) return errc::key_uncreatable;
        const ssize_t count = ::write(file.number, secret.reveal().data(), key_bytes);
        if (count != static_cast<ssize_t>(key_bytes) || ::fsync(file.number) != 0) return errc::key_uncreatable;
    }
    const bool linked = ::link(draft.c_str(), path.c_str()) == 0;
    ::unlink(draft.c_str());
    if (!linked || !sync_folder_of(path)) return errc::key_uncreatable;
    return Key::from_bytes(std::move(secret));
}

std::filesystem::path next_of(const std::filesystem::path& key_file) { return beside(key_file, ".next"); }

Result<std::filesystem::path> replace_key(const std::filesystem::path& key_file) {
    const auto old = keep_beside(key_file);
    if (!old) return old.error();
    if (::rename(next_of(key_file).c_str(), key_file.c_str()) != 0) return errc::key_uncreatable;
    return sync_folder_of(key_file) ? old : Result<std::filesystem::path>(errc::key_uncreatable);
}

}  // namespace secrets

#include "tools/rohrpost/offline_store.hpp"

#include <fmt/format.h>

#include "tools/rohrpost/exit.hpp"

namespace cli {
namespace {

int code_of(error_code reason) {
    if (reason == store::errc::in_use) return EX_TEMPFAIL;
    if (reason == store::errc::unreadable) return EX_NOPERM;
    if (reason == store::errc::disk_full) return EX_CANTCREAT;
    if (reason == store::errc::newer_format || reason == store::errc::not_a_store) return EX_CONFIG;
    return EX_IOERR;
}

int code_of_key(error_code reason) {
    if (reason == secrets::errc::key_unreadable) return EX_NOPERM;
    if (reason == secrets::errc::key_uncreatable) return EX_CANTCREAT;
    if (reason == secrets::errc::key_missing) return EX_NOINPUT;
    return reason.category() == secrets::category() ? EX_CONFIG : code_of(reason);
}

}  // namespace

store::OpenedStore offline_store(store::Disk& disk, const std::string& data) {
    store::OpenFailure failure;
    auto opened = store::open_store(disk, data, {}, &failure);
    if (!opened) throw Failure(code_of(failure.reason), failure.sentence);
    return std::move(*opened);
}

secrets::Keyring offline_keyring(store::Store& store, const secrets::KeySource& source, Random& random) {
    check_store(store.begin());
    auto keyring = secrets::Keyring::open(source, store, random);
    if (!keyring) {
        store.rollback();
        throw Failure(code_of_key(keyring.error()), source.name() + ": " + keyring.error().message());
    }
    check_store(store.commit());
    return std::move(*keyring);
}

void check_store(const Result<void>& done) {
    if (!done) throw Failure(code_of(done.error()), "the store: " + done.error().message());
}

}  // namespace cli

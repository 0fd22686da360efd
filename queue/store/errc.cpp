#include "queue/store/errc.hpp"

#include <string>

namespace store {
namespace {

const char* words_of(errc code) noexcept {
    switch (code) {
        case errc::disk_full:
            return "the disk is full";
        case errc::io_failed:
            return "a write or sync of the disk failed";
        case errc::damaged:
            return "stored bytes are damaged";
        case errc::newer_format:
            return "the store was written by a newer program";
        case errc::not_a_store:
            return "the directory does not hold a store";
        case errc::in_use:
            return "another process has the store open";
        case errc::unreadable:
            return "no permission to read or write the store";
        case errc::unknown_id:
            return "there is nothing with this id in the store";
        case errc::body_gone:
            return "the message body is no longer kept";
        case errc::out_of_order:
            return "the position would move backwards or past the end";
        case errc::closed:
            return "the store is closed";
        case errc::body_too_large:
            return "the message body is larger than the configured limit";
    }
    return "unknown store error";
}

class Category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "store"; }
    std::string message(int code) const override { return words_of(static_cast<errc>(code)); }
};

}  // namespace

const boost::system::error_category& category() noexcept {
    static const Category instance;
    return instance;
}

}  // namespace store

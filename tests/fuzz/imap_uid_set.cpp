/// UidSet beside a model of it: a window of 256 UIDs at either end of the numbers, and what is done to it.

#include <bitset>

#include "protocols/imap/types.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

constexpr std::size_t window = 256;
using Model = std::bitset<window>;

class Twins {
public:
    explicit Twins(imap::Uid base) : base_(base) {}

    void add(std::size_t first, std::size_t last) {
        set_.add(imap::UidRange{uid(first), uid(last)});
        for (std::size_t at = std::min(first, last); at <= std::max(first, last); ++at) model_.set(at);
    }
    void remove(std::size_t at) {
        set_.remove(uid(at));
        model_.reset(at);
    }
    void merge(const Twins& other) {
        set_.add(other.set_);
        model_ |= other.model_;
    }
    Twins take_front(std::size_t uids_max, std::size_t text_bytes_max) {
        Twins taken(base_);
        taken.set_ = set_.take_front(uids_max, text_bytes_max);
        fuzz::expect(taken.set_.count() <= uids_max, "no more is taken than asked for");
        fuzz::expect(taken.set_.text().size() <= text_bytes_max, "what is taken fits in its text");
        std::size_t left = taken.set_.count();
        for (std::size_t at = 0; at < window && left > 0; ++at) {
            if (!model_.test(at)) continue;
            model_.reset(at);
            taken.model_.set(at);
            --left;
        }
        taken.check();
        return taken;
    }
    void check() const {
        fuzz::expect(set_.count() == model_.count(), "as many as in the model");
        fuzz::expect(set_.empty() == model_.none(), "empty when the model is");
        for (std::size_t at = 0; at < window; ++at)
            fuzz::expect(set_.contains(uid(at)) == model_.test(at), "the same as in the model");
        std::uint64_t before = 0;
        for (const auto& range : set_.ranges()) {
            fuzz::expect(range.first <= range.last && range.first > before, "ranges are sorted and apart");
            before = std::uint64_t{range.last} + 1;
        }
        fuzz::expect(imap::UidSet::of(set_.ranges()) == set_, "a set of its ranges is the same set");
    }

private:
    [[nodiscard]] imap::Uid uid(std::size_t at) const { return base_ + static_cast<imap::Uid>(at); }

    imap::Uid base_;
    imap::UidSet set_;
    Model model_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size < 1) return 0;
    const imap::Uid base = bytes[0] % 2 == 0 ? 1 : UINT32_MAX - (window - 1);
    Twins twins(base);
    Twins taken(base);
    for (std::size_t at = 1; at + 2 < size; at += 3) {
        const std::size_t first = bytes[at + 1];
        const std::size_t second = bytes[at + 2];
        switch (bytes[at] % 6) {
            case 0:
                twins.add(first, second);
                break;
            case 1:
                twins.add(first, first);
                break;
            case 2:
                twins.remove(first);
                break;
            case 3:
                taken = twins.take_front(first, second);
                break;
            case 4:
                taken = twins.take_front(window, second);
                break;
            default:
                twins.merge(taken);
        }
        twins.check();
    }
    return 0;
}

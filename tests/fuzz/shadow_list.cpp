/// What another product says to have delivered, and the head of a mail from its files: each line reads and prints to
/// the same again, whatever is told apart has a bound, and a report's counts add up.

#include "engine/retriever/shadow_list.hpp"

#include <algorithm>

#include "engine/retriever/shadow_identity.hpp"
#include "engine/retriever/shadow_report.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

bool is_plain(std::string_view id) {
    return std::all_of(id.begin(), id.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

void check_report(const retriever::ShadowList& list, fuzz::Chance& chance) {
    retriever::ShadowReport::Question question;
    question.until = store::Millis(std::chrono::hours(24 * 365 * 60));
    retriever::ShadowReport report(question, &list);
    for (const auto& entry : list.entries) {
        if (chance.up_to(2) == 0) continue;
        store::ShadowMail mail;
        mail.message_id = entry.message_id;
        mail.fingerprint = entry.fingerprint.value_or(store::Digest());
        mail.arrived_at = entry.at.value_or(store::Millis());
        report.add(mail);
    }
    report.finish();
    const auto& counts = report.counts();
    fuzz::expect(counts.observed == counts.taken + counts.late + counts.missed + counts.open + counts.not_comparable,
                 "counts add up");
    fuzz::expect(counts.missed + counts.not_comparable == 0, "what is in the list is taken");
    fuzz::expect(counts.observed + counts.doubled + counts.unknown_here == list.entries.size(), "no entry is lost");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto input = fuzz::text_of(bytes, size);
    fuzz::Chance chance(input);
    const auto list = retriever::read_shadow_list(input);
    fuzz::expect(is_plain(list.fault) || list.fault.find('\n') == std::string::npos, "a fault is one line");
    for (const auto& entry : list.entries) {
        fuzz::expect(is_plain(entry.message_id) && entry.message_id.size() <= retriever::message_id_bytes_max,
                     "a Message-ID is plain and has a bound");
        const auto again = retriever::read_shadow_list(retriever::line_of(entry));
        fuzz::expect(again.fault.empty() && again.entries == std::vector{entry}, "an entry reads to the same");
    }
    if (list.fault.empty()) check_report(list, chance);
    const auto identity = retriever::shadow_identity_of(input);
    fuzz::expect(is_plain(identity.message_id), "a Message-ID of a head is plain");
    return 0;
}

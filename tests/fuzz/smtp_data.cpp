/// Any bytes as a mail's body: whoever reads what is sent behind DATA, strictly or carelessly, sees exactly one mail.

#include "protocols/smtp/data.hpp"

#include "tests/fuzz/fuzz.hpp"
#include "tests/support/smtp_readers.hpp"

namespace {

struct Worked {
    std::string stuffed;  // or "refused"
    bool refused = false;
    std::string canonical;
    smtp::BodyFacts facts;

    bool operator==(const Worked&) const = default;
};

Worked worked(std::string_view input, fuzz::Arrival arrival) {
    Worked out;
    smtp::DotStuffing stuffing;
    smtp::Canonicalisation canonicalisation;
    smtp::BodyInspection inspection;
    std::string sent;  // by somebody who sends each chunk at once
    for (const std::string_view piece : fuzz::split(input, arrival)) {
        std::string now;
        if (!out.refused) out.refused = stuffing.put(piece, now).has_error();
        if (!out.refused) sent += now;
        canonicalisation.put(piece, out.canonical);
        inspection.take(piece);
    }
    if (out.refused) fuzz::expect(support::read_data_carelessly(sent).mails.empty(), "nothing ends a refused mail");
    if (!out.refused) out.refused = stuffing.finish(sent).has_error();
    out.stuffed = out.refused ? "refused" : sent;
    canonicalisation.finish(out.canonical);
    out.facts = inspection.facts();
    return out;
}

void expect_one_mail(const std::string& sent) {
    const auto strict = support::read_data_strictly(sent);
    const auto careless = support::read_data_carelessly(sent);
    fuzz::expect(strict.mails.size() == 1 && strict.rest.empty(), "a strict server sees one mail");
    fuzz::expect(careless.mails == strict.mails && careless.rest.empty(), "a careless server sees the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto input = fuzz::text_of(bytes, size);
    const Worked whole = worked(input, fuzz::Arrival::whole);
    fuzz::expect(worked(input, fuzz::Arrival::bytes) == whole, "byte by byte it is the same");
    fuzz::expect(worked(input, fuzz::Arrival::pieces) == whole, "in any pieces it is the same");
    fuzz::expect(whole.refused == (whole.facts.bare_cr || whole.facts.bare_lf), "what is not canonical is refused");
    fuzz::expect((whole.canonical == input) == whole.facts.canonical(), "canonical is what stays as it is");
    if (!whole.refused) expect_one_mail(whole.stuffed);
    const Worked again = worked(whole.canonical, fuzz::Arrival::whole);
    fuzz::expect(!again.refused && again.canonical == whole.canonical, "canonical bytes are sent and stay");
    expect_one_mail(again.stuffed);
    fuzz::expect(support::read_data_strictly(again.stuffed).mails.front() == whole.canonical, "and arrive as they are");
    return 0;
}

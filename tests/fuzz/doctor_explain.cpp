/// Texts that people paste, and tokens that are looked into: whatever they are, the answer is words for people.

#include <algorithm>

#include "engine/doctor/claims.hpp"
#include "engine/doctor/explain.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

constexpr std::size_t answer_bytes_max = 32 * 1024;

bool is_printable(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) {
        const auto code = static_cast<unsigned char>(c);
        return (code < 0x20 && c != '\n') || code == 0x7f;
    });
}

void judge(const doctor::Explanation& explanation) {
    using Is = doctor::Explanation::Is;
    const auto all = explanation.id + explanation.about + explanation.cause + explanation.remedy + explanation.remark;
    fuzz::expect(is_printable(all), "what is explained can be shown");
    fuzz::expect(all.size() <= answer_bytes_max, "an explanation has an end");
    fuzz::expect((explanation.is == Is::unknown) == explanation.id.empty(), "what is known has a name");
    fuzz::expect((explanation.is == Is::unknown) == explanation.cause.empty(), "and a cause");
    fuzz::expect(explanation.is == Is::known || !explanation.remark.empty(), "what is not known is said to be so");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto input = fuzz::text_of(bytes, size);
    const auto explanation = doctor::explain(input);
    judge(explanation);
    if (!explanation.id.empty()) judge(doctor::explain(explanation.id));
    if (const auto claims = doctor::read_claims(input)) {
        fuzz::expect(is_printable(claims->audience + claims->tenant + claims->object_id + claims->client_id),
                     "claims can be shown");
        for (const auto* list : {&claims->names, &claims->scopes, &claims->roles}) {
            for (const auto& word : *list) fuzz::expect(is_printable(word), "claims can be shown");
        }
    }
    return 0;
}

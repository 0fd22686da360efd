/// Any bytes as a mail: what the walk tells is the mail, in any pieces; a converted mail needs nothing more, and has
/// what a server takes.

#include <algorithm>

#include "protocols/mime/conversion.hpp"
#include "protocols/mime/folding.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

/// Lines as a mail has them once it is accepted.
std::string canonical(std::string_view input) {
    std::string mail;
    for (const char c : input) {
        if (c == '\n') mail += '\r';
        mail += c == '\r' ? ' ' : c;
    }
    if (!mail.ends_with('\n')) mail += "\r\n";
    return mail;
}

struct Retelling final : mime::Listener {
    std::string all, shape;
    void head(const mime::Entity& entity, std::string_view section) override {
        all += section;
        shape += '[' + entity.type + ']';
    }
    void body(std::string_view bytes) override {
        all += bytes;
        shape += bytes;
    }
    void between(std::string_view bytes, Cover) override {
        all += bytes;
        if (!shape.ends_with('|')) shape += '|';
    }
};

std::string retold(const std::string& mail, fuzz::Arrival arrival) {
    Retelling told;
    mime::Structure structure(told);
    for (const auto piece : fuzz::split(mail, arrival)) structure.put(piece);
    structure.finish();
    fuzz::expect(told.all == mail, "all that is told is the mail");
    return told.shape;
}

mime::Plan planned(const std::string& mail, mime::Goal goal, fuzz::Arrival arrival) {
    mime::Survey survey(goal);
    for (const auto piece : fuzz::split(mail, arrival)) survey.put(piece);
    return survey.finish();
}

std::string converted(const std::string& mail, const mime::Plan& plan, fuzz::Arrival arrival) {
    mime::Conversion conversion(plan);
    std::string out;
    for (const auto piece : fuzz::split(mail, arrival)) conversion.put(piece, out);
    conversion.finish(out);
    return out;
}

void expect_short_lines(std::string_view mail) {
    while (!mail.empty()) {
        const auto line = fuzz::take_line(mail);
        fuzz::expect(line.size() <= mime::line_bytes_max + 1, "no line is too long");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto mail = canonical(fuzz::text_of(bytes, size));
    const auto shape = retold(mail, fuzz::Arrival::whole);
    fuzz::expect(retold(mail, fuzz::Arrival::bytes) == shape, "byte by byte it is the same");
    fuzz::expect(retold(mail, fuzz::Arrival::pieces) == shape, "in any pieces it is the same");
    for (const auto goal : {mime::Goal::short_lines, mime::Goal::seven_bit}) {
        const auto plan = planned(mail, goal, fuzz::Arrival::whole);
        const auto again = planned(mail, goal, fuzz::Arrival::pieces);
        fuzz::expect(plan.needed == again.needed && plan.parts.size() == again.parts.size(), "one plan for any pieces");
        fuzz::expect(plan.unfit.has_value() == again.unfit.has_value(), "one judgement for any pieces");
        if (plan.unfit) {
            fuzz::expect(plan.needed && !plan.unfit->words().empty(), "a reason has words");
            continue;
        }
        const auto after = converted(mail, plan, fuzz::Arrival::whole);
        fuzz::expect(converted(mail, plan, fuzz::Arrival::pieces) == after, "converted the same in any pieces");
        if (!plan.needed && goal == mime::Goal::short_lines) fuzz::expect(after == mail, "what fits stays");
        expect_short_lines(after);
        const bool foreign =
            std::any_of(after.begin(), after.end(), [](char c) { return static_cast<unsigned char>(c) > 0x7f; });
        fuzz::expect(goal == mime::Goal::short_lines || !foreign, "seven bits");
        const auto left = planned(after, goal, fuzz::Arrival::whole);
        fuzz::expect(!left.needed, "a converted mail needs nothing more");
    }
    return 0;
}

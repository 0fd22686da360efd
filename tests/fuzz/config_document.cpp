/// An import document as the API takes it: faults are few and readable, and a sound document prints and reads to the
/// same again, whole and object by object.

#include <algorithm>

#include "engine/config/import.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

constexpr std::size_t fault_bytes_max = 16 * 1024;

template <class T>
void check_object(const T& object) {
    const std::string text = to_document(object);
    const auto again = config::from_document<T>(text);
    fuzz::expect(again.has_value(), "an object that was written reads");
    fuzz::expect(to_document(*again) == text, "an object is written and read to the same");
}

bool one_line(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

void check_faults(const config::Faults& faults) {
    fuzz::expect(faults.list().size() <= config::Faults::faults_max, "faults have a limit");
    for (const auto& fault : faults.list()) {
        const std::string text = text_of(fault);
        fuzz::expect(text.size() <= fault_bytes_max, "a fault is no flood");
        fuzz::expect(one_line(text), "a fault is one line");
    }
}

/// No file and no variable of this machine; relative paths have a place.
class Elsewhere final : public config::Sources {
public:
    [[nodiscard]] Found file(const std::string& path) const override { return {Secret("file " + path), {}}; }
    [[nodiscard]] Found variable(const std::string& name) const override { return {Secret("variable " + name), {}}; }
    [[nodiscard]] std::string located(const std::string& path) const override {
        return path.starts_with('/') ? path : "/there/" + path;
    }
    [[nodiscard]] std::string unreadable(const std::string&) const override { return {}; }
};

void check_document(std::string_view text, const config::Sources& sources) {
    auto reading = config::read_document(text, sources);
    config::check(reading.document, {}, reading.faults);
    check_faults(reading.faults);
    if (!reading.faults.empty()) return;
    for (const auto& object : reading.document.providers) check_object(object);
    for (const auto& object : reading.document.credentials) check_object(object);
    for (const auto& object : reading.document.mailboxes) check_object(object);
    for (const auto& object : reading.document.consumers) check_object(object);

    const auto written = config::with_secrets(reading.document);
    auto again = config::read_document(written.reveal(), sources);
    config::check(again.document, {}, again.faults);
    for (const auto& fault : again.faults.list()) std::fprintf(stderr, "%s\n", text_of(fault).c_str());
    fuzz::expect(again.faults.empty(), "a printed document has no faults");
    fuzz::expect(config::with_secrets(again.document).reveal() == written.reveal(),
                 "a document prints and reads to the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto input = fuzz::text_of(bytes, size);
    check_document(input, Elsewhere());
    check_document(input, config::NoSources());
    return 0;
}

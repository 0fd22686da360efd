#include "queue/store/segment_record.hpp"

#include "queue/store/crc32c.hpp"

namespace store {
namespace {

constexpr std::uint32_t magic = 0x31425052;  // "RPB1"

template <class Number>
void append_number(std::string& to, Number number) {
    for (std::size_t byte = 0; byte < sizeof number; ++byte) to.push_back(static_cast<char>(number >> (8 * byte)));
}

template <class Number>
Number take_number(std::string_view& from) {
    Number number = 0;
    for (std::size_t byte = 0; byte < sizeof number; ++byte) {
        number |= static_cast<Number>(static_cast<Number>(static_cast<unsigned char>(from[byte])) << (8 * byte));
    }
    from.remove_prefix(sizeof number);
    return number;
}

}  // namespace

void append_header(std::string& to, const SegmentRecord& record) {
    std::string rest;
    rest.reserve(SegmentRecord::bytes);
    append_number(rest, record.segment);
    append_number(rest, record.length);
    append_number(rest, record.crc32c);
    append_number(rest, std::uint32_t{0});
    append_number(to, magic);
    append_number(to, crc32c(rest));
    to += rest;
}

std::optional<SegmentRecord> read_header(std::string_view bytes) {
    if (bytes.size() < SegmentRecord::bytes) return std::nullopt;
    bytes = bytes.substr(0, SegmentRecord::bytes);
    if (take_number<std::uint32_t>(bytes) != magic) return std::nullopt;
    if (take_number<std::uint32_t>(bytes) != crc32c(bytes)) return std::nullopt;
    SegmentRecord record;
    record.segment = take_number<std::uint64_t>(bytes);
    record.length = take_number<std::uint64_t>(bytes);
    record.crc32c = take_number<std::uint32_t>(bytes);
    return record;
}

}  // namespace store

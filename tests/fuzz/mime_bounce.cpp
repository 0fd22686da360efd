/// Any text as a report for people, and any fields as one for machines: what is found is named in it.

#include "protocols/mime/bounce_dialects.hpp"
#include "protocols/mime/charsets.hpp"
#include "protocols/mime/delivery_report.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto input = fuzz::text_of(bytes, size);
    auto text = mime::decoded_text(input, "utf-8").utf8;
    if (const auto told = mime::read_bounce_text(text)) {
        fuzz::expect(!told->dialect.empty() && !told->recipients.empty(), "a report names somebody");
        for (const auto& recipient : told->recipients) {
            fuzz::expect(text.find(recipient.address) != std::string::npos, "a recipient stands in the text");
            fuzz::expect(recipient.address.find('@') != std::string::npos, "a recipient is an address");
            fuzz::expect(recipient.action == "failed" || recipient.action == "delayed", "a recipient has a fate");
            fuzz::expect(recipient.diagnostic.size() <= 1100, "a diagnostic has its limit");
        }
    }
    const std::string mail = "Return-Path: <>\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\n" +
                             std::string(input) + "\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n" +
                             std::string(input) + "\r\n--b--\r\n";
    const auto parts = mime::read_parts(mail, {});
    const auto report = mime::read_delivery_report(parts, "X-Mark");
    fuzz::expect(report.has_value() || parts.all.size() < 3, "a status part is a report");
    if (report)
        for (const auto& recipient : report->recipients) {
            fuzz::expect(mime::is_utf8(recipient.address) && mime::is_utf8(recipient.diagnostic), "UTF-8");
            fuzz::expect(!recipient.address.empty(), "a recipient has an address");
        }
    return 0;
}

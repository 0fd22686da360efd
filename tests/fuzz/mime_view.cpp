/// Any bytes as a mail: it has a view that is JSON in UTF-8, within the limits; its parts are part of it.

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "engine/view/view.hpp"
#include "protocols/mime/charsets.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto mail = fuzz::text_of(bytes, size);
    view::Limits limits;
    limits.mime.depth_max = 5;
    limits.mime.parts_max = 20;
    limits.mime.header_bytes_max = 2000;
    limits.mime.fields_max = 50;
    limits.text_bytes_max = 500;
    limits.mark_field = "X-Rohrpost-Submission";
    const auto parts = mime::read_parts(mail, limits.mime);
    fuzz::expect(!parts.all.empty() && parts.all.size() <= 20, "there are parts, and not too many");
    for (std::size_t number = 0; number < parts.all.size(); ++number) {
        const auto& part = parts.all[number];
        fuzz::expect(fuzz::within(part.body, mail), "a body is part of the mail");
        fuzz::expect(number == 0 || part.parent < number, "a part stands behind its parent");
        fuzz::expect(part.depth <= 5, "parts in parts end");
        if (part.encoding == mime::Entity::Encoding::base64)
            fuzz::expect(mime::decoded_body_bytes(part) == mime::decoded_body(part).size(), "counted as decoded");
        for (const auto& field : part.head.fields)
            fuzz::expect(fuzz::within(field.value, mail) && !field.name.empty(), "a field is part of the mail");
    }
    const auto view = view::view_of(mail, limits);
    const auto text = boost::json::serialize(view);
    fuzz::expect(mime::is_utf8(text), "a view is UTF-8");
    fuzz::expect(boost::json::parse(text).as_object() == view, "a view prints and reads to the same");
    fuzz::expect(view.at("readable").as_bool() == parts.unreadable_because.empty(), "unreadable has its reason");
    if (view.at("readable").as_bool()) {
        for (const std::string_view key : {"text", "html"}) {
            if (view.at(key).is_string()) fuzz::expect(view.at(key).as_string().size() <= 500, "a text has its limit");
        }
        for (const auto& one : view.at("attachments").as_array()) {
            const auto file = view::file_of(mail, one.at("part").to_number<std::size_t>(), limits);
            fuzz::expect(file && file->bytes.size() == one.at("size").to_number<std::size_t>(), "a file has its size");
            const auto disposition = view::disposition_of(file->name);
            fuzz::expect(mime::is_ascii(disposition) && disposition.find_first_of("\r\n") == std::string::npos,
                         "a disposition is one line of ASCII");
        }
    }
    (void)view::headers_of(mail, limits);
    return 0;
}

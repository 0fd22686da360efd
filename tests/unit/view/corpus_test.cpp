#include <catch2/catch.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <set>

#include "engine/view/view.hpp"
#include "protocols/mime/charsets.hpp"
#include "tests/support/mail_corpus.hpp"

namespace {

view::Limits limits() {
    view::Limits limits;
    limits.mark_field = "X-Rohrpost-Submission";
    return limits;
}

}  // namespace

TEST_CASE("each mail of the corpus has the view that it should have", "[view]") {
    const auto mails = support::mail_corpus();
    CHECK(mails.size() >= 200);
    std::set<std::string> names;
    for (const auto& mail : mails) {
        CAPTURE(mail.file, mail.name);
        CHECK(names.insert(mail.file + mail.name).second);
        const auto view = view::view_of(mail.bytes, limits());
        CHECK(support::difference(mail.expected, view) == "");
    }
}

TEST_CASE("each view of the corpus is JSON in UTF-8, and its header alone says the same", "[view]") {
    for (const auto& mail : support::mail_corpus()) {
        CAPTURE(mail.file, mail.name);
        const auto view = view::view_of(mail.bytes, limits());
        const auto text = boost::json::serialize(view);
        CHECK(mime::is_utf8(text));
        CHECK(boost::json::parse(text).as_object() == view);
        const auto head = view::headers_of(mail.bytes, limits());
        for (const std::string_view key : {"message_id", "date", "references", "is_list", "is_loop"})
            CHECK(head.at(key) == view.at(key));
    }
}

TEST_CASE("every beginning of a mail of the corpus has a view", "[view]") {
    for (const auto& mail : support::mail_corpus()) {
        CAPTURE(mail.file, mail.name);
        for (std::size_t kept = 0; kept < mail.bytes.size(); kept += 1 + mail.bytes.size() / 40) {
            const auto view = view::view_of(std::string_view(mail.bytes).substr(0, kept), limits());
            CHECK(view.contains("readable"));
        }
    }
}

TEST_CASE("with LF as its line end a mail of the corpus has the same header", "[view]") {
    for (const auto& mail : support::mail_corpus()) {
        CAPTURE(mail.file, mail.name);
        std::string bytes;
        for (const char c : mail.bytes) {
            if (c != '\r') bytes += c;
        }
        const auto view = view::view_of(mail.bytes, limits());
        const auto other = view::view_of(bytes, limits());
        for (const std::string_view key : {"subject", "from", "message_id", "is_bounce", "is_complaint"})
            CHECK(other.at(key) == view.at(key));
    }
}

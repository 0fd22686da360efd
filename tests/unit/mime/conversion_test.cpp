#include "protocols/mime/conversion.hpp"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <functional>

#include "protocols/base/base64.hpp"
#include "protocols/base/text.hpp"
#include "protocols/mime/transfer.hpp"
#include "tests/support/places.hpp"
#include "tests/support/process.hpp"
#include "tests/support/random_mail.hpp"
#include "tests/support/temporary_directory.hpp"

using mime::Goal;
using Reason = mime::Unfit::Reason;
using support::RandomMail;

namespace {

/// Pieces of `text` by `length`, which is asked for each.
template <class Length>
void in_pieces(std::string_view text, Length length, const std::function<void(std::string_view)>& take) {
    while (!text.empty()) {
        const auto piece = text.substr(0, std::max<std::size_t>(length(), 1));
        text.remove_prefix(piece.size());
        take(piece);
    }
}

template <class Length>
mime::Plan planned(std::string_view mail, Goal goal, Length length) {
    mime::Survey survey(goal);
    in_pieces(mail, length, [&](std::string_view piece) { survey.put(piece); });
    return survey.finish();
}
mime::Plan planned(std::string_view mail, Goal goal) {
    return planned(mail, goal, [] { return std::string_view::npos; });
}

template <class Length>
std::string converted(std::string_view mail, const mime::Plan& plan, Length length) {
    mime::Conversion conversion(plan);
    std::string all;
    in_pieces(mail, length, [&](std::string_view piece) {
        std::string out;
        conversion.put(piece, out);
        all += out;
    });
    std::string out;
    conversion.finish(out);
    return all + out;
}

/// What becomes of it; "unchanged", or why it cannot be.
std::string outcome(std::string_view mail, Goal goal) {
    const auto plan = planned(mail, goal);
    if (!plan.needed) return "unchanged";
    if (plan.unfit) return plan.unfit->words();
    return converted(mail, plan, [] { return std::string_view::npos; });
}

std::string printable_decoded(std::string_view text) {
    std::string bytes;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '=') {
            bytes += text[at];
        } else if (text.substr(at, 3) == "=\r\n") {
            at += 2;
        } else {
            bytes += static_cast<char>(std::stoi(std::string(text.substr(at + 1, 2)), nullptr, 16));
            at += 2;
        }
    }
    return bytes;
}

std::string without_line_ends(std::string text) {
    text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n'; }), text.end());
    return text;
}

template <class Coder>
std::string coded(std::string_view bytes, RandomMail& chance) {
    Coder coder;
    std::string out;
    in_pieces(
        bytes, [&] { return chance.up_to(9); }, [&](std::string_view piece) { coder.put(piece, out); });
    coder.finish(out);
    return out;
}

struct Retelling final : mime::Listener {
    std::string all;
    std::string shape;  // with what is a leaf's in braces
    void head(const mime::Entity& entity, std::string_view section) override {
        all += section;
        shape += fmt::format("[{}]", entity.type);
    }
    void body(std::string_view bytes) override {
        all += bytes;
        for (const char c : bytes) shape += c == '\r' ? '\\' : c == '\n' ? '/' : c;
    }
    void between(std::string_view bytes, Cover) override {
        all += bytes;
        if (!shape.ends_with('|')) shape += '|';
    }
};

const std::string long_line(1200, 'x');
const std::string umlaut = "gr\xc3\xbc\xc3\x9f dich!";

std::string signed_mail(const std::string& body) {
    return "Content-Type: multipart/signed; boundary=s; protocol=\"application/pgp-signature\"\r\n\r\n--s\r\n\r\n" +
           body + "\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\nsig\r\n--s--\r\n";
}

}  // namespace

TEST_CASE("mime transfer: what is encoded decodes to the same, in lines that nothing is mistaken for", "[mime]") {
    RandomMail chance(7);
    for (int round = 0; round < 300; ++round) {
        CAPTURE(round);
        const std::string mail = chance.make();
        const auto printable = coded<mime::QuotedPrintable>(mail, chance);
        CHECK(printable_decoded(printable) == mail);
        for (const auto line : text::split(printable, '\n')) {
            CHECK(line.size() <= 77);
            CHECK(line.find_first_of("-.") != 0);
            CHECK(std::all_of(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x7f; }));
            const auto kept = line.substr(0, line.find_last_not_of('\r') + 1);
            CHECK_FALSE((kept.ends_with(' ') || kept.ends_with('\t')));
        }
        const auto encoded = coded<mime::Base64>(mail, chance);
        CHECK(base64_decoded(without_line_ends(encoded)) == mail);
        CHECK(coded<mime::Base64Lines>(base64_encoded(mail), chance) == encoded);
        for (const auto line : text::split(encoded, '\n')) CHECK(line.size() <= 77);
    }
    for (const std::string odd : {"\r", "a\rb", " \r", "\t", "a \r\n", ""})
        CHECK(printable_decoded(coded<mime::QuotedPrintable>(odd, chance)) == odd);
}

TEST_CASE("mime structure: all that is told is the mail, in any pieces, and parts are told apart", "[mime]") {
    RandomMail chance(11);
    for (int round = 0; round < 300; ++round) {
        CAPTURE(round);
        const std::string mail = chance.make();
        std::string shape;
        for (const std::size_t most : {std::size_t{0}, std::size_t{40}, mail.size()}) {
            Retelling told;
            mime::Structure structure(told);
            in_pieces(
                mail, [&] { return most == mail.size() ? most : chance.up_to(most); },
                [&](std::string_view piece) { structure.put(piece); });
            structure.finish();
            CHECK(told.all == mail);
            if (shape.empty()) shape = told.shape;
            CHECK(told.shape == shape);
        }
    }
    const auto shape_of = [](std::string_view mail) {
        Retelling told;
        mime::Structure structure(told);
        structure.put(mail);
        structure.finish();
        return told.shape;
    };
    CHECK(shape_of("A: b\r\n\r\nx\r\n--b\r\ny\r\n") == "[text/plain]x\\/--b\\/y\\/");
    const std::string mixed = "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n";
    CHECK(shape_of(mixed + "p\r\n--b\r\n\r\nx\r\n\r\n--b \t\r\n\r\ny\r\n--b--\r\n--b\r\ne\r\n") ==
          "[multipart/mixed]|[text/plain]x\\/|[text/plain]y|");
    CHECK(shape_of(mixed + "--b\r\n--b\r\nno field\r\n--b\r\nA: b\r\n--b--") ==
          "[multipart/mixed]|[text/plain]|[text/plain]no field|[text/plain]|");
    CHECK(shape_of("Content-Type: multipart/digest; boundary=b (b;)\r\n\r\n--b\r\n\r\nA: b\r\n\r\nx\r\n--b--\r\n") ==
          "[multipart/digest]|[message/rfc822][text/plain]x|");
    CHECK(shape_of("Content-Type: multipart/mixed\r\n\r\n--\r\n") == "[multipart/mixed]--\\/");
}

TEST_CASE("mime conversion: a part with a long line is encoded, and nothing else is touched", "[mime]") {
    const std::string head =
        "From: a@b.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npre\r\n--b\r\n";
    const std::string other = "\r\n--b\r\nContent-Type: text/plain\r\n\r\nstays = as it is \r\n--b--\r\nbehind\r\n";
    const auto html = outcome(head + "Content-Type: text/html\r\n\r\n<p>\r\n" + long_line + other, Goal::short_lines);
    std::string soft;
    for (std::size_t left = long_line.size(); left > 75; left -= 75) soft += std::string(75, 'x') + "=\r\n";
    CHECK(html == head + "Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>\r\n" +
                      soft + std::string(75, 'x') + other);
    const auto image =
        outcome(head + "Content-Transfer-Encoding: binary\r\nContent-Type: image/x\r\n\r\n" + long_line + other,
                Goal::short_lines);
    CHECK(image.starts_with(head + "Content-Type: image/x\r\nContent-Transfer-Encoding: base64\r\n\r\neHh4"));
    CHECK(image.ends_with("eHh4" + other));
    CHECK(outcome("A: b\r\n\r\n" + std::string(998, 'x') + "\r\n", Goal::short_lines) == "unchanged");
    CHECK(outcome("A: b\r\n\r\n" + std::string(999, 'x') + "\r\n", Goal::short_lines)
              .starts_with("A: b\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nxxx"));
    CHECK(outcome(head + umlaut + other, Goal::short_lines) == "unchanged");
}

TEST_CASE("mime conversion: long header lines are folded at white space, and unfold to the same", "[mime]") {
    std::string references = "References:";
    while (references.size() < 5000) references += " <" + std::string(60, 'i') + "@a.test>";
    const auto folded = outcome(references + "\r\nSubject: x\r\n\r\nx\r\n", Goal::short_lines);
    std::string unfolded = folded;
    for (auto at = unfolded.find("\r\n "); at != std::string::npos; at = unfolded.find("\r\n ")) unfolded.erase(at, 2);
    CHECK(unfolded == references + "\r\nSubject: x\r\n\r\nx\r\n");
    for (const auto line : text::split(folded, '\n')) CHECK(line.size() <= 90);
    CHECK(outcome("Subject: a\r\n b " + long_line + "\r\n\r\nx\r\n", Goal::short_lines) ==
          "the header field Subject has a line of more than 998 bytes and no white space to fold it at");
    CHECK(outcome("X: " + std::string(1100, ' ') + "\r\n\r\nx\r\n", Goal::short_lines)
              .starts_with("the header field X "));
    CHECK(outcome("X: " + std::string(990, 'a') + std::string(30, ' ') + "b\r\n\r\nx\r\n", Goal::short_lines) ==
          "X: " + std::string(990, 'a') + "\r\n" + std::string(30, ' ') + "b\r\n\r\nx\r\n");
}

TEST_CASE("mime conversion: without 8BITMIME parts are encoded, and what holds them says 7bit", "[mime][hostile-21]") {
    CHECK(outcome("Subject: x\r\n\r\n" + umlaut + "\r\n", Goal::seven_bit) ==
          "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
          "Content-Transfer-Encoding: quoted-printable\r\n\r\ngr=C3=BC=C3=9F dich!\r\n");
    CHECK(outcome("Subject: x\r\n\r\ngr\xfc\xdf dich und alle\r\n", Goal::seven_bit).find("charset=unknown-8bit") !=
          std::string::npos);
    CHECK(outcome("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\xe6\xbc\xa2\xe5\xad\x97\r\n",
                  Goal::seven_bit) ==
          "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
          "Content-Transfer-Encoding: base64\r\n\r\n5ryi5a2XDQo=\r\n");
    CHECK(
        outcome("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n"
                "\r\n\xc3\xa4\r\n--b\r\nContent-Type: message/rfc822\r\ncontent-transfer-encoding:\r\n binary\r\n\r\n"
                "Subject: inner\r\n\r\n" +
                    umlaut + "\r\n--b--\r\n",
                Goal::seven_bit) ==
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
        "??\r\n--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\nSubject: inner\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\ngr=C3=BC=C3=9F dich!\r\n--b--\r\n");
}

TEST_CASE("mime conversion: what must not be changed is not, and says why", "[mime][hostile-21]") {
    struct Row {
        std::string mail;
        Goal goal;
        std::string why;
    };
    std::string deep;
    for (std::size_t level = 0; level < 70; ++level) deep += "Content-Type: message/rfc822\r\n\r\n";
    const std::string sealed = "what is signed or encrypted must not be altered (RFC 1847)";
    const std::string unreadable = "the header of a part is malformed, or says something twice";
    const Row rows[] = {
        {signed_mail(umlaut), Goal::seven_bit, sealed},
        {signed_mail(long_line), Goal::short_lines, sealed},
        {signed_mail("plain"), Goal::seven_bit, "unchanged"},
        {"Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\n\r\n" + umlaut + "\r\n--b--\r\n", Goal::seven_bit,
         sealed},
        {"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Disposition: x; filename=\"\xc3\xa4\"\r\n\r\n"
         "--b--\r\n",
         Goal::seven_bit, "the header field Content-Disposition of a part has bytes beyond ASCII"},
        {"Content-Type: message/delivery-status\r\n\r\n" + long_line + "\r\n", Goal::short_lines,
         "a part of type message/delivery-status may not be encoded (RFC 2046)"},
        {"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + umlaut + "\r\n", Goal::seven_bit,
         "a part of type text/plain is not encoded as its header says"},
        {"Content-Transfer-Encoding: x-uuencode\r\n\r\n" + long_line + "\r\n", Goal::short_lines, unreadable},
        {"Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\n" + long_line + "\r\n", Goal::short_lines,
         unreadable},
        {"Content-Type: multipart/mixed; boundary*=b\r\n\r\n" + long_line + "\r\n", Goal::short_lines, unreadable},
        {"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n--bx\r\n" + long_line + "\r\n--b--\r\n",
         Goal::short_lines, "a line begins with the boundary of the parts and is none"},
        {deep + "\r\n" + long_line + "\r\n", Goal::short_lines, "its parts are nested deeper than 64 levels"},
        {deep + "\r\nshort\r\n", Goal::short_lines, "unchanged"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.mail.substr(0, 100));
        CHECK(outcome(row.mail, row.goal) == row.why);
    }
}

TEST_CASE("mime conversion: millions of parts, levels and header lines take little memory and time",
          "[mime][hostile-32]") {
    std::string parts = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
    for (int part = 0; part < 20'000; ++part) parts += "--b\r\n\r\n\xc3\xa4\r\n";
    CHECK(outcome(parts, Goal::seven_bit) == "more than 10000 of its parts would have to be encoded");
    std::string nested;
    for (int level = 0; level < 100'000; ++level)
        nested += fmt::format("Content-Type: multipart/mixed; boundary=b{}\r\n\r\n--b{}\r\n", level, level);
    CHECK(outcome(nested + "\r\n" + umlaut + "\r\n", Goal::seven_bit) == "its parts are nested deeper than 64 levels");
    std::string fields = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n";
    for (int field = 0; field < 100'000; ++field) fields += "X: y\r\n";
    CHECK(outcome(fields + "\r\n" + long_line + "\r\n--b--\r\n", Goal::short_lines) ==
          "the header of a part is malformed, or says something twice");
}

TEST_CASE("mime conversion: Python's email package reads the same parts and bytes, for mails of any shape", "[mime]") {
    const auto goal = GENERATE(Goal::short_lines, Goal::seven_bit);
    const TemporaryDirectory directory;
    int made = 0, unfit = 0;
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        RandomMail chance(seed);
        const std::string mail = chance.make();
        CAPTURE(seed);
        const auto plan = planned(mail, goal);
        const auto again = planned(mail, goal, [&] { return chance.up_to(50); });
        CHECK(again.needed == plan.needed);
        REQUIRE(again.unfit.has_value() == plan.unfit.has_value());
        if (plan.unfit) CHECK(again.unfit->words() == plan.unfit->words());
        if (plan.unfit) ++unfit;
        if (!plan.needed || plan.unfit) continue;
        ++made;
        const auto after = converted(mail, plan, [] { return std::string_view::npos; });
        CHECK(converted(mail, again, [&] { return chance.up_to(50); }) == after);
        CHECK_FALSE(planned(after, goal).needed);
        std::ofstream(directory.path() / fmt::format("{}.before", seed), std::ios::binary) << mail;
        std::ofstream(directory.path() / fmt::format("{}.after", seed), std::ios::binary) << after;
    }
    CHECK(made > 100);
    CHECK(unfit < 150);
    const auto compared =
        support::run_to_end({.command = {"python3", support::source_directory() + "/tests/support/compare_mails.py",
                                         directory.path().string(), goal == Goal::seven_bit ? "7bit" : "8bit"}});
    INFO(compared.output);
    CHECK(compared.exit_code == 0);
}

#include "engine/view/view.hpp"

#include <mimetic/mimetic.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <iostream>

#include "bench/benches.hpp"
#include "bench/measure.hpp"
#include "protocols/base/base64.hpp"
#include "protocols/mime/compose.hpp"

namespace {

constexpr std::size_t attachment_bytes = 45'000;
constexpr std::size_t text_bytes = 3'500;
constexpr std::size_t arena_bytes = 16 * 1024;

std::string repeated(std::string_view sentence, std::size_t bytes) {
    std::string text;
    while (text.size() < bytes) text += sentence;
    return text;
}

/// A mail of about 75 KB as an office sends it: twenty fields of transport, text and HTML, a picture and a document.
std::string office_mail() {
    mime::Letter letter;
    letter.from = {"J\xc3\xbcrgen M\xc3\xbcller", "juergen.mueller@corpus.test"};
    letter.to = {{"Desk, Support", "desk@corpus.test"}, {"", "team@corpus.test"}};
    letter.subject =
        "AW: Angebot f\xc3\xbcr die \xc3\x9c"
        "bersicht, zweite Fassung";
    letter.text = repeated(
        "Sehr geehrte Damen und Herren, anbei die \xc3\x9c"
        "bersicht mit Preisen in \xe2\x82\xac.\n",
        text_bytes);
    letter.html = "<html><body>" +
                  repeated(
                      "<p style=\"margin:0\">Anbei die \xc3\x9c"
                      "bersicht mit Preisen in \xe2\x82\xac.</p>\n",
                      2 * text_bytes) +
                  "</body></html>";
    mime::Enclosure document;
    document.file_name =
        "\xc3\x9c"
        "bersicht.pdf";
    document.content_type = "application/pdf";
    document.base64 = base64_encoded(repeated("%PDF-1.7 \x01\x02\x03\xf0\xf1 stream ", attachment_bytes));
    letter.enclosures.push_back(document);
    letter.in_reply_to = {"<1@corpus.test>"};
    letter.references = {"<0@corpus.test>", "<1@corpus.test>"};
    std::string head;
    for (int hop = 0; hop < 5; ++hop)
        head +=
            "Received: from a.corpus.test (192.0.2.1) by b.corpus.test (192.0.2.2) with Microsoft SMTP Server\r\n"
            " (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.1.1;\r\n"
            " Sat, 31 Jan 2026 12:00:00 +0000\r\n";
    head +=
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=corpus.test; s=selector1;\r\n"
        " h=From:Date:Subject:Message-ID:Content-Type:MIME-Version;\r\n b=" +
        std::string(340, 'B') + "\r\n";
    for (const char* name : {"X-MS-Exchange-Organization-SCL", "X-MS-Has-Attach", "X-Originating-IP", "Thread-Topic",
                             "Thread-Index", "Accept-Language", "Content-Language"})
        head += std::string(name) + ": a value of some length\r\n";
    head += "Date: Sat, 31 Jan 2026 13:00:00 +0100\r\nMessage-ID: <2@corpus.test>\r\n";
    return head + mime::composed(std::move(letter), "mark");
}

struct Measured {
    double best_us = 0;
    double median_us = 0;
    std::uint64_t sum = 0;  // of what came out: nothing is left out as unused
};

/// CPU of one call, over rounds.
template <class Work>
Measured measured(std::size_t rounds, std::size_t calls, Work work) {
    Measured result;
    std::vector<double> each;
    for (std::size_t round = 0; round < rounds; ++round) {
        const auto begin = bench::thread_cpu_time();
        for (std::size_t call = 0; call < calls; ++call) result.sum += work();
        each.push_back(std::chrono::duration<double, std::micro>(bench::thread_cpu_time() - begin).count() /
                       static_cast<double>(calls));
    }
    result.best_us = bench::percentile(each, 0);
    result.median_us = bench::percentile(each, 0.5);
    return result;
}

boost::json::object of(const Measured& measured) {
    return {{"cpu_us", measured.median_us}, {"best_cpu_us", measured.best_us}};
}

}  // namespace

int bench_view(int argc, char** argv) {
    std::size_t rounds = 9;
    std::size_t calls = 300;
    CLI::App app(
        "A mail of 75 KB as JSON: the whole view, the same as text, its headers alone; beside mimetic's bare parse",
        "rohrpost-bench view");
    app.add_option("--rounds", rounds, "Rounds; the figures are their median")->capture_default_str();
    app.add_option("--calls", calls, "Mails in each round")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    const std::string mail = office_mail();
    view::Limits limits;
    limits.mark_field = "X-Rohrpost-Submission";
    // As the API makes them.
    const auto view = measured(rounds, calls, [&] {
        boost::json::monotonic_resource arena(arena_bytes);
        return view::view_of(mail, limits, &arena).size();
    });
    const auto text = measured(rounds, calls, [&] {
        boost::json::monotonic_resource arena(arena_bytes);
        return boost::json::serialize(view::view_of(mail, limits, &arena)).size();
    });
    const auto head = measured(rounds, calls, [&] {
        boost::json::monotonic_resource arena(arena_bytes);
        return view::headers_of(mail, limits, &arena).size();
    });
    const auto bare = measured(rounds, calls, [&] {
        const mimetic::MimeEntity entity(mail.begin(), mail.end());
        return entity.body().parts().size();
    });
    const auto bare_head = measured(rounds, calls, [&] {
        const mimetic::MimeEntity entity(mail.begin(), mail.end(), mimetic::imBody | mimetic::imChildParts);
        return entity.header().size();
    });
    std::cout << boost::json::serialize(boost::json::object{{"bench", "view"},
                                                            {"mail_bytes", mail.size()},
                                                            {"view", of(view)},
                                                            {"view_as_text", of(text)},
                                                            {"headers", of(head)},
                                                            {"mimetic_parse", of(bare)},
                                                            {"mimetic_headers", of(bare_head)},
                                                            {"sum", view.sum + text.sum + head.sum + bare.sum}})
              << '\n';
    return 0;
}

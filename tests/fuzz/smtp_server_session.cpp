/// Any bytes of a client: in any split the same replies and the same mails, every mail as strict and careless readers
/// see it, nothing kept beyond the limits.

#include "protocols/smtp/server.hpp"

#include "tests/fuzz/fuzz.hpp"
#include "tests/support/smtp_readers.hpp"

namespace {

using smtp::ServerSession;
using Wants = ServerSession::Wants;

constexpr std::size_t message_bytes_max = 2000;

struct Outcome {
    std::string replies;
    std::vector<std::string> mails;
    [[nodiscard]] bool operator==(const Outcome&) const = default;
};

ServerSession::Options options(bool offers_tls) {
    ServerSession::Options chosen;
    chosen.name = "mx.example";
    chosen.message_bytes_max = message_bytes_max;
    chosen.recipients_max = 3;
    chosen.offers_tls = offers_tls;
    return chosen;
}

void expect_one_mail(const std::string& message) {
    fuzz::expect(message.size() <= message_bytes_max, "a mail has a limit");
    smtp::BodyInspection inspection;
    inspection.take(message);
    fuzz::expect(!inspection.facts().bare_cr && !inspection.facts().bare_lf, "a mail has whole line ends");
    std::string stuffed;
    smtp::DotStuffing stuffing;
    fuzz::expect(stuffing.put(message, stuffed).has_value() && stuffing.finish(stuffed).has_value(), "it can be sent");
    fuzz::expect(support::read_data_carelessly(stuffed).mails.size() == 1, "one mail stays one");
}

/// True: it goes on.
bool answer(ServerSession& session, Wants wants, Outcome& outcome) {
    switch (wants) {
        case Wants::sender: {
            const bool known = session.mail().sender && session.mail().sender->domain() == "b.example";
            session.answer(known ? smtp::Answer{250, "ok"} : smtp::Answer{550, "no"}, outcome.replies);
            return true;
        }
        case Wants::login:
            session.answer(session.password().reveal() == "t" ? smtp::Answer{235, "ok"} : smtp::Answer{535, "no"},
                           outcome.replies);
            return true;
        case Wants::tls:
            session.tls_started();
            return true;
        case Wants::mail:
            fuzz::expect(session.mail().sender.has_value() && !session.mail().recipients.empty() &&
                             session.mail().recipients.size() <= 3,
                         "a mail has a sender and recipients");
            outcome.mails.push_back(session.take_message());
            expect_one_mail(outcome.mails.back());
            session.answer({250, "queued"}, outcome.replies);
            return true;
        default:
            return false;
    }
}

Outcome outcome_of(std::string_view input, fuzz::Arrival arrival, bool offers_tls) {
    Outcome outcome;
    ServerSession session(options(offers_tls));
    session.greet(outcome.replies);
    for (std::string_view piece : fuzz::split(input, arrival)) {
        for (;;) {
            const auto wants = session.advance(piece, outcome.replies);
            fuzz::expect(session.held_bytes() <= 4 * message_bytes_max + 2 * input.size(), "what is kept has a limit");
            if (wants == Wants::end) return outcome;
            if (!answer(session, wants, outcome)) break;
        }
        fuzz::expect(piece.empty(), "all bytes are taken");
    }
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto input = fuzz::text_of(bytes, size);
    const auto whole = outcome_of(input, fuzz::Arrival::whole, false);
    fuzz::expect(outcome_of(input, fuzz::Arrival::bytes, false) == whole, "byte by byte it is the same session");
    fuzz::expect(outcome_of(input, fuzz::Arrival::pieces, false) == whole, "in any pieces it is the same session");
    for (const auto arrival : fuzz::arrivals) (void)outcome_of(input, arrival, true);
    return 0;
}

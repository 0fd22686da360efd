/// A random SMTP server against the client. Input: a line that says what the client does, a letter each, then what the
/// server says, line by line. The dialogue ends whatever the server says, and goes the same way however the bytes of a
/// line arrive; after an error nothing more is said.
///
///     +: in the clear at first   greet first   h: EHLO   H: EHLO or HELO   t: STARTTLS   x o p l: log in   m: a small
///     mail   M: a large one for many   r: RSET   n: NOOP   i: look at rest   q: QUIT

#include "protocols/net/tls.hpp"
#include "protocols/smtp/client.hpp"
#include "tests/fuzz/random_peer.hpp"
#include "tests/support/pieces_body.hpp"
#include "tests/support/run_coroutine.hpp"

namespace {

using smtp::Client;

const smtp::Limits limits{.reply = {.line_bytes_max = 300, .lines_max = 20, .reply_bytes_max = 2000},
                          .recipients_in_flight_max = 2,
                          .one_flight_bytes_max = 50,
                          .chunk_bytes_max = 40};
constexpr std::size_t steps_max = 40;

std::shared_ptr<const net::TlsClient> tls() {
    static const auto instance = *net::TlsClient::make({});
    return instance;
}

class Dialogue {
public:
    Dialogue(std::string_view steps, std::string_view server, fuzz::Arrival arrival)
        : steps_(steps.substr(0, steps_max)),
          peer_(server, arrival, fuzz::RandomPeer::Talk::line_by_line),
          client_(peer_, limits, smtp::Paces{}) {
        if (steps_.starts_with('+')) peer_.begin_plain();
    }

    awaitable<bool> run() {
        auto greeting = co_await client_.greet();
        note("greeting", greeting);
        for (std::size_t at = 0; at < steps_.size(); ++at) {
            const bool usable = client_.usable();
            const std::size_t written = peer_.written().size();
            co_await step(steps_[at]);
            fuzz::expect(usable || (peer_.written().size() == written && !client_.usable()),
                         "after an error nothing is said");
            words_ += std::string(smtp::words_of(client_.phase())) + (client_.in_doubt() ? ", in doubt\n" : "\n");
        }
        co_return true;
    }

    void check() {
        const auto lines = client_.last_lines();
        fuzz::expect(lines.size() <= 20, "the last lines are few");
        for (const auto& line : lines)
            fuzz::expect(!line.starts_with("C:") || line.find("eWEyOS50b2tlbg") == std::string::npos,
                         "no line shows a secret");
        fuzz::expect(peer_.encrypted() || peer_.written().find("AUTH") == std::string::npos, "no login in the clear");
        words_ += client_.farewell().text() + '\n' + peer_.written();
    }
    [[nodiscard]] const std::string& words() const noexcept { return words_; }

private:
    template <class T>
    void note(std::string_view what, const Result<T>& result) {
        words_.append(what).append(result ? ": fine\n" : ": " + result.error().message() + '\n');
    }

    awaitable<bool> log_in(smtp::Mechanism mechanism) {
        smtp::Login login{mechanism, "user@example.com", Secret("ya29.token"), "smtp.example.com", 587};
        auto answer = co_await client_.log_in(std::move(login));
        note("log-in", answer);
        if (answer) words_ += answer->reply.text() + ' ' + answer->challenge + '\n';
        co_return true;
    }

    awaitable<bool> submit(std::size_t recipients, std::string text) {
        smtp::Envelope envelope;
        for (std::size_t at = 0; at < recipients; ++at)
            envelope.recipients.push_back({*smtp::Address::of("r" + std::to_string(at) + "@example.org")});
        support::PiecesBody body(std::move(text), 33);
        const bool was_usable = client_.usable();
        auto submitted = co_await client_.submit(envelope, body);
        note("submit", submitted);
        const smtp::Submission& came = client_.submission();
        fuzz::expect(came.recipients.size() == recipients, "each recipient has a place for its reply");
        words_ += came.sender.text() + '\n';
        bool delivered = false;
        for (std::size_t at = 0; at < recipients; ++at) {
            words_ += came.verdict_for(at).text() + '\n';
            delivered = delivered || came.delivered_to(at);
            if (submitted && !came.obstacle && client_.usable())
                fuzz::expect(came.verdict_for(at).came(), "each recipient has a verdict");
        }
        if (client_.in_doubt())
            fuzz::expect(body.given_bytes() == body.size_bytes() && !client_.usable(),
                         "in doubt is what was sent whole, over a connection that is lost");
        if (submitted) fuzz::expect(!client_.in_doubt(), "a mail that was answered is not in doubt");
        if (submitted && !was_usable) fuzz::expect(false, "nothing is submitted over a spoilt connection");
        if (delivered && submitted)
            fuzz::expect(body.given_bytes() == body.size_bytes(), "no mail is delivered in part");
        co_return true;
    }

    awaitable<bool> step(char what) {
        switch (what) {
            case 'h': {
                auto reply = co_await client_.hello("rohrpost.example");
                note("hello", reply);
                break;
            }
            case 'H': {
                auto reply = co_await client_.hello("rohrpost.example", Client::Dialect::basic_when_refused);
                note("hello", reply);
                break;
            }
            case 't': {
                if (peer_.encrypted()) break;
                const auto shared = tls();
                auto reply = co_await client_.start_tls(*shared, "smtp.example.com");
                note("tls", reply);
                break;
            }
            case 'x':
                co_await log_in(smtp::Mechanism::xoauth2);
                break;
            case 'o':
                co_await log_in(smtp::Mechanism::oauthbearer);
                break;
            case 'p':
                co_await log_in(smtp::Mechanism::plain);
                break;
            case 'l':
                co_await log_in(smtp::Mechanism::login);
                break;
            case 'm':
                co_await submit(2, "Subject: one\r\n\r\n");
                break;
            case 'M':
                co_await submit(5, "Subject: many\r\n\r\n.\r\n" + std::string(100, 'x') + "\r\n");
                break;
            case 'r': {
                auto reply = co_await client_.reset();
                note("reset", reply);
                break;
            }
            case 'n': {
                auto reply = co_await client_.noop();
                note("noop", reply);
                break;
            }
            case 'i': {
                auto idle = co_await client_.check_idle();
                note("idle", idle);
                break;
            }
            case 'q': {
                auto left = co_await client_.quit();
                note("quit", left);
                break;
            }
            default:
                break;
        }
        co_return true;
    }

    std::string_view steps_;
    fuzz::RandomPeer peer_;
    Client client_;
    std::string words_;
};

std::string words_of(std::string_view steps, std::string_view server, fuzz::Arrival arrival) {
    Dialogue dialogue(steps, server, arrival);
    support::run_coroutine(dialogue.run());
    dialogue.check();
    return dialogue.words();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    auto server = fuzz::text_of(bytes, size);
    const auto steps = fuzz::take_line(server);
    const std::string whole = words_of(steps, server, fuzz::Arrival::whole);
    fuzz::expect(words_of(steps, server, fuzz::Arrival::bytes) == whole, "byte by byte the dialogue goes the same way");
    fuzz::expect(words_of(steps, server, fuzz::Arrival::pieces) == whole,
                 "in any pieces the dialogue goes the same way");
    return 0;
}

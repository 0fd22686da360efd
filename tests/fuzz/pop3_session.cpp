/// A random POP3 server against the client. Input: a line that says what the client does, a letter each, then what the
/// server says. The dialogue ends whatever the server says, keeps its contract with the sink, and goes the same way
/// however the bytes arrive.
///
///     greet first; +: in the clear, until t: STLS   c: CAPA   x g o p l: log in   s: STAT   i: LIST   u: UIDL
///     f h: RETR, TOP of what was listed   d: DELE of it   n: NOOP   r: RSET   q: QUIT

#include "protocols/net/tls.hpp"
#include "protocols/pop3/client.hpp"
#include "tests/fuzz/random_peer.hpp"
#include "tests/support/collecting_sink.hpp"
#include "tests/support/run_coroutine.hpp"

namespace {

using pop3::Client;

const pop3::Limits limits{.line_bytes_max = 2000,
                          .capability_lines_max = 20,
                          .listing_lines_max = 30,
                          .uidl_bytes_max = 70,
                          .body_bytes_max = 5000};
constexpr std::size_t steps_max = 40;

const net::TlsClient& tls() {
    static const auto client = net::TlsClient::make({});
    return **client;
}

/// What a dialogue brought, in words.
class Dialogue {
public:
    Dialogue(std::string_view steps, std::string_view server, fuzz::Arrival arrival)
        : steps_(steps.substr(0, steps_max)),
          // Behind STLS nothing may come with its answer, so how it comes would matter.
          peer_(server, arrival,
                steps.starts_with('+') ? fuzz::RandomPeer::Talk::line_by_line : fuzz::RandomPeer::Talk::at_once),
          client_(peer_, limits, pop3::Paces{}) {
        sink_.sizes_are_hints = true;
        if (steps.starts_with('+')) peer_.begin_plain();
    }

    awaitable<bool> run() {
        auto greeting = co_await client_.greet();
        bool alive = note_answer("greeting", greeting);
        for (std::size_t at = 0; alive && at < steps_.size(); ++at) alive = co_await step(steps_[at]);
        co_return alive;
    }

    void check() {
        for (const auto& violation : sink_.violations) fuzz::expect(false, violation);
        fuzz::expect(client_.last_lines().size() <= 21, "the last lines are few");
        for (const auto& line : client_.last_lines())
            fuzz::expect(!line.starts_with("C:") || line.find("ya29") == std::string::npos, "no line shows a secret");
        fuzz::expect(peer_.encrypted() || peer_.written().find("ya29") == std::string::npos,
                     "no secret goes in the clear");
        words_ += std::to_string(sink_.broken) + " broken\n" + peer_.written();
    }
    [[nodiscard]] const std::string& words() const noexcept { return words_; }

private:
    template <class T>
    bool note(std::string_view what, const Result<T>& result) {
        words_.append(what).append(result ? ": fine\n" : ": " + result.error().message() + '\n');
        return result.has_value();
    }
    bool note_answer(std::string_view what, const Result<pop3::Answer>& answer) {
        if (answer) words_ += answer->code + ' ' + answer->text + ' ' + answer->challenge + '\n';
        return note(what, answer);
    }
    awaitable<bool> log_in(pop3::Mechanism mechanism, pop3::Initial initial) {
        pop3::Login login{mechanism, "user@example.com", Secret("ya29.token"), "pop.example.com", 995, initial};
        auto answer = co_await client_.log_in(std::move(login));
        co_return note_answer("log-in", answer);
    }
    awaitable<bool> list() {
        auto listed = co_await client_.list();
        if (!note("list", listed)) co_return false;
        fuzz::expect(listed->entries.size() <= limits.listing_lines_max, "a listing has a limit");
        listed_ = std::move(listed->entries);
        for (std::size_t i = 1; i < listed_.size(); ++i)
            fuzz::expect(listed_[i - 1].number < listed_[i].number, "numbers rise");
        co_return true;
    }
    awaitable<bool> uidl() {
        auto named = co_await client_.uidl();
        if (!note("uidl", named)) co_return false;
        for (const auto& entry : named->entries) words_ += std::to_string(entry.number) + ' ' + entry.uidl + '\n';
        co_return true;
    }
    awaitable<bool> fetch(Client::Part part) {
        sink_.bodies.clear();
        auto fetched = co_await client_.fetch(listed_, part, sink_);
        for (const auto& [number, body] : sink_.bodies) words_ += std::to_string(number) + " = " + body + '\n';
        if (!note("fetch", fetched)) co_return false;
        fuzz::expect(fetched->size() + sink_.bodies.size() == listed_.size(), "every message is taken or refused");
        co_return true;
    }
    awaitable<bool> remove() {
        std::vector<pop3::Number> numbers;
        for (const auto& entry : listed_) numbers.push_back(entry.number);
        auto removed = co_await client_.remove(std::move(numbers));
        if (removed) words_ += std::to_string(removed->size()) + " refused\n";
        co_return note("remove", removed);
    }
    awaitable<bool> step(char what) {
        bool alive = true;
        Result<pop3::Answer> answer = pop3::Answer{};
        switch (what) {
            case 't':
                answer = co_await client_.start_tls(tls(), "pop.example.com");
                alive = note_answer("stls", answer);
                break;
            case 'c':
                answer = co_await client_.learn_capabilities();
                alive = note_answer("capa", answer);
                break;
            case 'x':
                alive = co_await log_in(pop3::Mechanism::xoauth2, pop3::Initial::own_line);
                break;
            case 'g':
                alive = co_await log_in(pop3::Mechanism::xoauth2, pop3::Initial::with_command);
                break;
            case 'o':
                alive = co_await log_in(pop3::Mechanism::oauthbearer, pop3::Initial::own_line);
                break;
            case 'p':
                alive = co_await log_in(pop3::Mechanism::plain, pop3::Initial::own_line);
                break;
            case 'l':
                alive = co_await log_in(pop3::Mechanism::user_pass, pop3::Initial::own_line);
                break;
            case 's': {
                auto counted = co_await client_.stat();
                alive = note("stat", counted);
                break;
            }
            case 'i':
                alive = co_await list();
                break;
            case 'u':
                alive = co_await uidl();
                break;
            case 'f':
                alive = co_await fetch(Client::Part::whole);
                break;
            case 'h':
                alive = co_await fetch(Client::Part::head);
                break;
            case 'd':
                alive = co_await remove();
                break;
            case 'n':
                answer = co_await client_.noop();
                alive = note_answer("noop", answer);
                break;
            case 'r':
                answer = co_await client_.reset();
                alive = note_answer("rset", answer);
                break;
            case 'q':
                answer = co_await client_.quit();
                note_answer("quit", answer);
                alive = false;
                break;
            default:
                break;
        }
        co_return alive;
    }

    std::string_view steps_;
    fuzz::RandomPeer peer_;
    Client client_;
    support::CollectingSink sink_;
    std::vector<pop3::ListEntry> listed_ = {{1, 10}, {2, 20}};
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
    const std::string by_bytes = words_of(steps, server, fuzz::Arrival::bytes);
    const std::string by_pieces = words_of(steps, server, fuzz::Arrival::pieces);
    fuzz::expect(by_bytes == whole, "byte by byte the dialogue goes the same way");
    fuzz::expect(by_pieces == whole, "in any pieces the dialogue goes the same way");
    return 0;
}

/// A random IMAP server against the client. Input: a line that says what the client does, a letter each, then what the
/// server says. The dialogue ends whatever the server says, keeps its contract with the sink, and, but for IDLE, goes
/// the same way however the bytes arrive.
///
///     greet first; x o p l: log in   i: ID   u: UTF-8   *: LIST   s e: SELECT, EXAMINE   q: UID SEARCH   f: FETCH what
///     was found   r: the rest of a body   t: STATUS   n: NOOP   d: IDLE   b: LOGOUT

#include "protocols/imap/client.hpp"
#include "tests/fuzz/random_peer.hpp"
#include "tests/support/collecting_sink.hpp"
#include "tests/support/run_coroutine.hpp"

namespace {

using imap::Client;

const imap::Limits limits{.line_bytes_max = 2000,
                          .small_literal_bytes_max = 500,
                          .body_bytes_max = 5000,
                          .nesting_max = 8,
                          .untagged_per_command_max = 100,
                          .ranges_max = 40,
                          .list_entries_max = 20,
                          .list_bytes_max = 2000};
constexpr std::size_t steps_max = 40;
constexpr std::size_t fetched_uids_max = 300;

/// What a dialogue brought, in words.
class Dialogue {
public:
    Dialogue(std::string_view steps, std::string_view server, fuzz::Arrival arrival)
        : steps_(steps.substr(0, steps_max)), peer_(server, arrival), client_(peer_, limits, imap::Paces{}) {}

    awaitable<bool> run() {
        auto greeting = co_await client_.greet();
        note("greeting", greeting);
        bool alive = greeting.has_value();
        for (std::size_t at = 0; alive && at < steps_.size(); ++at) alive = co_await step(steps_[at]);
        co_return alive;
    }

    void check() {
        for (const auto& violation : sink_.violations) fuzz::expect(false, violation);
        for (const auto& violation : part_sink_.violations) fuzz::expect(false, violation);
        fuzz::expect(client_.last_lines().size() <= 21, "the last lines are few");
        for (const auto& line : client_.last_lines())
            fuzz::expect(!line.starts_with("C:") || line.find("ya29") == std::string::npos, "no line shows a secret");
        for (const auto& [uid, body] : sink_.bodies) words_ += std::to_string(uid) + " = " + body + '\n';
        for (const auto& item : sink_.items)
            words_ += std::to_string(item.uid) + ' ' + std::to_string(item.size) + ' ' + item.internal_date + '\n';
        words_ += std::to_string(sink_.broken) + " broken\n" + client_.bye() + '\n' + peer_.written();
    }
    [[nodiscard]] const std::string& words() const noexcept { return words_; }

private:
    template <class T>
    void note(std::string_view what, const Result<T>& result) {
        words_.append(what).append(result ? ": fine\n" : ": " + result.error().message() + '\n');
    }
    bool note_answer(std::string_view what, const Result<imap::Answer>& answer) {
        note(what, answer);
        if (answer) words_ += answer->code + ' ' + answer->text + '\n';
        return answer.has_value();
    }

    awaitable<bool> log_in(imap::Mechanism mechanism) {
        imap::Login login{mechanism, "user@example.com", Secret("ya29.token"), "imap.example.com", 993};
        auto answer = co_await client_.log_in(std::move(login));
        co_return note_answer("log-in", answer);
    }
    awaitable<bool> open(Client::Access access) {
        auto opened = co_await client_.open("B\xc3\xbcro & Co", access);
        note("open", opened);
        if (opened)
            words_ += std::to_string(opened->selected.uid_validity) + ' ' + std::to_string(opened->selected.uid_next) +
                      ' ' + std::to_string(opened->selected.exists) + '\n';
        co_return opened.has_value();
    }
    awaitable<bool> search() {
        auto found = co_await client_.search("ALL");
        note("search", found);
        if (!found) co_return false;
        fuzz::expect(found->uids.ranges().size() <= limits.ranges_max, "what is found has a limit");
        words_ += found->uids.text() + '\n';
        found_ = std::move(found->uids);
        co_return true;
    }
    awaitable<bool> fetch() {
        imap::UidSet wanted = found_.take_front(fetched_uids_max, std::string::npos);
        const std::uint64_t asked = wanted.count();
        const Client::FetchPlan plan{.batch_uids = 2, .batches_in_flight = 3, .command_bytes_max = 100};
        support::CollectingSink& sink = sink_;
        sink.bodies.clear();  // an earlier fetch may have asked for the same
        auto fetched = co_await client_.fetch(std::move(wanted), plan, sink);
        note("fetch", fetched);
        if (!fetched) co_return false;
        fuzz::expect(
            fetched->unanswered.count() + fetched->refused.count() + fetched->not_asked.count() + sink.bodies.size() ==
                asked,
            "every UID that was asked for is accounted for");
        words_ +=
            fetched->unanswered.text() + " - " + fetched->refused.text() + " - " + fetched->not_asked.text() + '\n';
        co_return true;
    }
    awaitable<bool> fetch_part() {
        part_sink_.bodies.clear();
        auto fetched = co_await client_.fetch_part(8, 2, 3, part_sink_);
        note("part", fetched);
        for (const auto& [uid, body] : part_sink_.bodies)
            fuzz::expect(uid == 8 && body.size() <= 3, "a part is no more than was asked for");
        co_return fetched.has_value();
    }
    awaitable<bool> list() {
        auto listed = co_await client_.list("*");
        note("list", listed);
        if (!listed) co_return false;
        fuzz::expect(listed->entries.size() <= limits.list_entries_max, "a list has a limit");
        for (const auto& entry : listed->entries) words_ += entry.name + '\n';
        co_return true;
    }
    awaitable<bool> step(char what) {
        bool alive = true;
        switch (what) {
            case 'x':
                alive = co_await log_in(imap::Mechanism::xoauth2);
                break;
            case 'o':
                alive = co_await log_in(imap::Mechanism::oauthbearer);
                break;
            case 'p':
                alive = co_await log_in(imap::Mechanism::plain);
                break;
            case 'l':
                alive = co_await log_in(imap::Mechanism::login);
                break;
            case 'i': {
                std::vector<std::pair<std::string, std::string>> who = {{"name", "rohrpost"}};
                auto answer = co_await client_.identify(std::move(who));
                alive = note_answer("id", answer);
                break;
            }
            case 'u': {
                auto answer = co_await client_.enable_utf8();
                alive = note_answer("utf8", answer);
                break;
            }
            case '*':
                alive = co_await list();
                break;
            case 's':
                alive = co_await open(Client::Access::read_write);
                break;
            case 'e':
                alive = co_await open(Client::Access::read_only);
                break;
            case 'q':
                alive = co_await search();
                break;
            case 'f':
                alive = co_await fetch();
                break;
            case 'r':
                alive = co_await fetch_part();
                break;
            case 't': {
                auto counted = co_await client_.status("INBOX");
                note("status", counted);
                alive = counted.has_value();
                break;
            }
            case 'n': {
                auto answer = co_await client_.noop();
                alive = note_answer("noop", answer);
                break;
            }
            case 'd': {
                auto woken = co_await client_.idle(std::chrono::minutes(9));
                note("idle", woken);
                alive = woken.has_value();
                break;
            }
            case 'b': {
                auto left = co_await client_.log_out();
                note("log-out", left);
                alive = false;
                break;
            }
            default:
                break;
        }
        co_return alive;
    }

    std::string_view steps_;
    fuzz::RandomPeer peer_;
    Client client_;
    support::CollectingSink sink_;
    support::CollectingSink part_sink_;
    imap::UidSet found_ = imap::UidSet::of({{1, 4}});
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
    if (steps.find('d') != std::string_view::npos) return 0;  // what comes with the news is not what comes after it
    fuzz::expect(by_bytes == whole, "byte by byte the dialogue goes the same way");
    fuzz::expect(by_pieces == whole, "in any pieces the dialogue goes the same way");
    return 0;
}

#include "engine/retriever/imap_dialogue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/runtime/log.hpp"
#include "protocols/imap/folder_choice.hpp"

namespace retriever {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t folders_max = 500;

}  // namespace

void ImapDialogue::wake_dialogue() noexcept {
    if (client_ != nullptr) client_->wake_idle();
}

/// One connection, from the token to its end. An idle session keeps this frame and those below it: what only
/// connecting and logging in need is in frames that end before.
awaitable<Ended> ImapDialogue::serve() {
    co_await take_seat();
    if (told_to_stop()) co_return stopped();
    enter(Phase::starting);
    auto place = co_await house_.gate.enter();
    if (told_to_stop()) co_return stopped();
    Begun begun;
    auto hindered = co_await connect(*place_->provider.imap, begun);
    if (hindered) co_return std::move(*hindered);

    const Counted live(house_.counters.sessions_live);
    imap::Client client(*begun.stream, house_.options.limits, house_.options.paces);
    const Shown shown(client_, client);
    auto ended = co_await converse(client, begun, std::move(place));
    if (ended.how == Ended::How::token_expired) token_expired(begun);
    if (spdlog::should_log(spdlog::level::debug)) show_last_lines(ended, client.last_lines());
    begun.stream->close();
    co_return ended;
}

awaitable<Ended> ImapDialogue::converse(imap::Client& client, Begun& begun, LoginGate::Place place) {
    auto refused = co_await introduce(client, begun, place);
    if (refused) co_return std::move(*refused);
    auto ended = co_await stay(client);
    ended.survived = std::chrono::duration_cast<std::chrono::milliseconds>(house_.seams.timers.now() - logged_in_at_);
    co_return ended;
}

/// From the greeting to a session that may open folders.
awaitable<std::optional<Ended>> ImapDialogue::introduce(imap::Client& client, Begun& begun, LoginGate::Place& place) {
    auto hindered = co_await greet(client);
    if (hindered) co_return hindered;
    auto answer = co_await log_in(client, *mailbox_, *place_, password_, begun);
    if (!answer) co_return ended_by(answer.error(), client.bye());
    if (!answer->ok()) {
        auto refused = ended_by(*answer, Ended::How::login_refused, fmt::format("the log-in as {}", mailbox_->login));
        co_return login_refused(std::move(refused), begun);
    }
    logged_in(begun);
    place.leave();
    hindered = co_await tell_who(client);
    co_return hindered;
}

store::Millis ImapDialogue::now() const {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(house_.seams.timers.clock().wall());
}

/// Not longer than until then, and long enough for a clock that runs a little ahead.
std::chrono::milliseconds ImapDialogue::span_until(std::optional<store::Millis> due,
                                                   std::chrono::milliseconds most) const {
    if (!due) return most;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*due - house_.seams.timers.clock().wall());
    return std::clamp<std::chrono::milliseconds>(left, 1s, std::max<std::chrono::milliseconds>(most, 1s));
}

void ImapDialogue::note_proof() {
    state_.last_proof = house_.seams.timers.clock().wall();
    if (house_.seams.timers.now() - logged_in_at_ > 1min) state_.failures = 0;
}

awaitable<std::optional<Ended>> ImapDialogue::find_names(imap::Client& client, std::string except,
                                                         std::vector<std::string>& names) {
    names = mailbox_->folders;
    if (std::none_of(names.begin(), names.end(), imap::is_looked_up)) co_return std::nullopt;
    auto listed = co_await client.list("*");
    if (!listed) co_return ended_by(listed.error(), client.bye());
    if (!listed->answer.ok()) co_return ended_by(listed->answer, Ended::How::folder, "the list of folders");
    names = imap::choose_folders(names, listed->entries, except);
    if (!names.empty() && names.size() <= folders_max) co_return std::nullopt;
    Ended none;
    none.how = Ended::How::folder;
    none.person_needed = true;
    none.reason = fmt::format("{} of {} folders are chosen by \"folders\" {}: there must be 1 to {}", names.size(),
                              listed->entries.size(), fmt::join(mailbox_->folders, ", "), folders_max);
    co_return none;
}

awaitable<ImapDialogue::News> ImapDialogue::wait_for_news(imap::Client& client, std::chrono::milliseconds span) {
    enter(Phase::idle, state_.hindered.empty() ? std::string() : "fetched in part: " + state_.hindered);
    seat().rest(last_news());
    const Counted idle(house_.counters.sessions_idle);
    News news;
    if (!client.can("IDLE")) {
        co_await nap(span);
        if (told_to_stop()) co_return news;
        auto answer = co_await client.noop();
        if (!answer) news.ended = ended_by(answer.error(), client.bye());
        co_return news;
    }
    auto woken = co_await client.idle(span);
    if (woken)
        news.by = *woken;
    else
        news.ended = ended_by(woken.error(), client.bye());
    co_return news;
}

awaitable<Ended> ImapDialogue::take_leave(imap::Client& client) {
    auto left = co_await client.log_out();
    if (!left) spdlog::debug("mailbox={} logout={}", mailbox_->id, runtime::value(left.error().message()));
    co_return stopped();
}

}  // namespace retriever

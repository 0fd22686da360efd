#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/retriever/mailbox_session.hpp"

namespace retriever {

/// A session that waits for news of one folder, beside the one that fetches. It takes nothing in: when something
/// arrives, it says so. It has a place in the budget of sessions while nobody else wants it, and what goes wrong with
/// it costs time alone: the folder is looked at when its turn comes. One shard.
class FolderWatch {
public:
    enum class News { arrived, changed };  // mail has come; something has happened
    /// `heard` is called on the shard, and no more once stop() was called.
    FolderWatch(House house, const Served& served, std::string folder, std::function<void(News)> heard);

    /// Until stop() or cancellation. The coroutine owns the watch.
    static awaitable<void> run(std::shared_ptr<FolderWatch> watch);
    void stop() noexcept;
    /// After stop().
    awaitable<void> join();

    /// It waits for news right now: nobody else has to look.
    [[nodiscard]] bool live() const noexcept { return live_; }
    [[nodiscard]] bool over() const noexcept { return over_; }
    [[nodiscard]] const std::string& folder() const noexcept { return folder_; }

private:
    awaitable<Ended> serve();
    awaitable<Ended> converse(imap::Client& client, Begun& begun, LoginGate::Place place);
    awaitable<Ended> wait_for_news(imap::Client& client);
    awaitable<void> nap(std::chrono::milliseconds span);
    void called() noexcept;

    House house_;
    std::shared_ptr<const config::Mailbox> mailbox_;
    bool password_;
    std::shared_ptr<const Place> place_;
    std::string folder_;
    std::function<void(News)> heard_;
    bool stopped_ = false;
    bool live_ = false;
    bool over_ = false;
    bool leaving_ = false;
    Monotonic last_news_{};
    imap::Client* client_ = nullptr;  // while a dialogue runs
    Parking wake_;
    Parking joiner_;
    SessionBudget::Seat seat_;
};

}  // namespace retriever

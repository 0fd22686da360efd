#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/consumers/consumer.hpp"
#include "engine/runtime/shard.hpp"
#include "tests/simulation/dice.hpp"
#include "tests/simulation/fate.hpp"

namespace simulation {

/// What the application behind the daemon does wrong, in percent of batches.
struct Moods {
    std::uint64_t refuses = 0;      // takes some of the batch, or none, and says so
    std::uint64_t denies = 0;       // takes more than it says
    std::uint64_t dawdles = 0;      // for minutes
    std::uint64_t sees_us_die = 0;  // takes some, and the daemon dies before it hears
};

/// The application that mail is handed off to. Remembers everything, whatever becomes of the daemon. One thread.
class Application {
public:
    struct Taken {
        store::Message record;
        std::string sha256;
        bool possible_repeat = false;
        std::uint32_t order = 0;          // of a report about mail that was handed in; 0: no report
        std::vector<std::string> failed;  // recipients that it names
    };
    /// What came of one mailbox, in order; repeats only where they are allowed.
    struct Box {
        std::vector<Taken> mails;  // by seq: 1, 2, …
        std::map<store::Digest, store::Seq> by_id;
        std::uint64_t repeats = 0;
    };

    Application(Fate& fate, Events& events, std::uint64_t seed) : fate_(fate), events_(events), dice_(seed) {}

    std::unique_ptr<consumers::Consumer> make_consumer(runtime::Shard& shard);
    void set(const Moods& moods) noexcept { moods_ = moods; }
    [[nodiscard]] const std::map<std::string, Box>& boxes() const noexcept { return boxes_; }
    [[nodiscard]] const Box& box(const std::string& mailbox) { return boxes_[mailbox]; }
    /// Reports that came of a mailbox.
    [[nodiscard]] std::vector<Taken> reports(store::MailboxNumber mailbox) const;

private:
    class Counter;
    static void read_report(std::string_view bytes, Taken& into);
    /// Empty: the mail is taken; else why it cannot be.
    std::string take(const consumers::Mail& mail);
    void remember(const consumers::Mail& mail, const std::string& bytes);

    Fate& fate_;
    Events& events_;
    Dice dice_;
    Moods moods_;
    std::map<std::string, Box> boxes_;
};

}  // namespace simulation

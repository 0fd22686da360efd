#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "tools/rohrpost-powercut/post_office.hpp"
#include "tools/rohrpost-powercut/programs.hpp"
#include "tools/rohrpost-powercut/volatile_disk.hpp"

namespace powercut {

/// A power cut: what was on the disk, what the server had, and what had been acknowledged before.
struct Cut {
    std::size_t point = 0;
    std::string moment;  // in words
    Image image;
    Mailboxes server;
    MailNames acknowledged;
    bool prepared = false;  // the program had been set up, and had said so
};

/// What was found after the program had been started again on the disk of a cut and had taken what the server had.
struct Verdict {
    MailNames lost;         // acknowledged, and not there
    MailNames doubled;      // there more than once
    MailNames left_behind;  // still on the server, and not taken in
    std::size_t torn = 0;   // files that are no whole mail
    std::string failed;     // the program did not start or end well, in its words

    [[nodiscard]] bool clean() const {
        return lost.empty() && doubled.empty() && left_behind.empty() && torn == 0 && failed.empty();
    }
};

/// Looks into cuts, several at the same time: each thread has mounts, a loopback network and a server of its own, so
/// that the program finds everything at the place it knows. `hear` is called on these threads, one at a time.
class Checker {
public:
    struct Wish {
        Program program;
        PostOffice::Wish office;
        std::filesystem::path disk, runtime;
        std::string file_system;
        std::size_t threads = 2;
    };
    using Hear = std::function<void(const Cut&, const Verdict&)>;
    /// Returns once all threads stand ready. Throws what kept them from it.
    Checker(Wish wish, Hear hear);
    Checker(const Checker&) = delete;
    Checker& operator=(const Checker&) = delete;
    ~Checker();

    /// Waits while too many cuts are waiting already.
    void take(Cut cut);
    /// Until all that was taken has been looked into; throws what went wrong with the checking itself.
    void finish();

private:
    void serve();
    Verdict look_into(const Cut& cut, PostOffice& office) const;

    Wish wish_;
    Hear hear_;
    std::mutex mutex_, hear_mutex_;
    std::condition_variable changed_;
    std::deque<Cut> waiting_;
    std::size_t ready_ = 0, busy_ = 0;
    bool ending_ = false;
    std::exception_ptr failure_;
    std::vector<std::thread> threads_;
};

}  // namespace powercut

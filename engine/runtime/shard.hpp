#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "protocols/net/seams.hpp"
#include "protocols/wait/asio.hpp"
#include "queue/byte_budget.hpp"
#include "queue/inbox.hpp"

namespace runtime {

/// One thread and its event loop, with everything that a session on it uses. Sessions never leave their shard.
class Shard {
public:
    /// Makes the shard's dialler (it needs the shard's loop and timers).
    using MakeDialer = std::function<std::unique_ptr<net::Dialer>(asio::io_context&, Timers&, Random&)>;

    Shard(std::string name, const Clock& clock, Random& random, std::size_t budget_bytes,
          const MakeDialer& make_dialer);
    ~Shard();

    /// The machine's clock rings its timers from now on. A shard that never heard this is driven by hand: whoever does
    /// polls context() and advances timers().
    void follow_machine();
    void start();  // follows the machine, on a thread of its own
    void stop();   // ends the loop and joins; what still waits ends with the shard
    [[nodiscard]] asio::io_context& context() noexcept { return context_; }
    [[nodiscard]] asio::any_io_executor executor() noexcept { return context_.get_executor(); }
    [[nodiscard]] Seams& seams() noexcept { return seams_; }
    [[nodiscard]] Timers& timers() noexcept { return timers_; }
    [[nodiscard]] queue::Inbox& inbox() noexcept { return inbox_; }
    [[nodiscard]] queue::ByteBudget& budget() noexcept { return budget_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

private:
    std::string name_;
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    Timers timers_;
    std::optional<TimersDriver> driver_;
    queue::Inbox inbox_;
    queue::ByteBudget budget_;
    std::unique_ptr<net::Dialer> dialer_;
    Seams seams_;
    std::thread thread_;
};

}  // namespace runtime

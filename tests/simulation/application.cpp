#include "tests/simulation/application.hpp"

#include "engine/consumers/body_reader.hpp"
#include "protocols/base/text.hpp"
#include "tests/simulation/orders.hpp"
#include "tools/rohrpost-sim/message.hpp"

using namespace std::chrono_literals;

namespace simulation {

/// Where the daemon hands over its batches.
class Application::Counter final : public consumers::Consumer {
public:
    Counter(Application& application, Timers& timers) : application_(application), timers_(timers) {}

    awaitable<consumers::Delivered> deliver(std::span<const consumers::Mail> batch) override {
        auto& dice = application_.dice_;
        const auto& moods = application_.moods_;
        consumers::Delivered delivered;
        if (!application_.fate_.does(Fate::Act::hand_off)) {
            delivered.reason = "the process is dead";
            co_return delivered;
        }
        if (dice.chance(moods.dawdles)) {
            const auto span = dice.span(1s, 5min);
            application_.events_.note("application dawdles ms={}", span.count());
            co_await timers_.sleep_for(span);
        }
        std::size_t takes = batch.size();
        if (dice.chance(moods.refuses)) takes = dice.below(batch.size());
        const bool dies = dice.chance(moods.sees_us_die);
        for (const auto& mail : batch.first(takes)) {
            if (application_.fate_.dead()) {
                delivered.reason = "the process is dead";
                co_return delivered;
            }
            delivered.reason = application_.take(mail);
            if (!delivered.reason.empty()) co_return delivered;
            ++delivered.count;
        }
        if (dies) application_.fate_.die("the application has taken its mail");
        if (delivered.count > 0 && dice.chance(moods.denies)) delivered.count = dice.below(delivered.count);
        if (delivered.count < batch.size()) delivered.reason = "the application is in no mood";
        co_return delivered;
    }

private:
    Application& application_;
    Timers& timers_;
};

std::unique_ptr<consumers::Consumer> Application::make_consumer(runtime::Shard& shard) {
    return std::make_unique<Counter>(*this, shard.timers());
}

std::string Application::take(const consumers::Mail& mail) {
    std::string bytes;
    consumers::BodyReader body(*mail.bodies, mail.record.body);
    while (!body.finished()) {
        const auto piece = body.next();
        if (!piece) return "reading the body: " + piece.error().message();
        bytes += *piece;
    }
    remember(mail, bytes);
    return {};
}

/// RFC 3462: whose Subject it has in it, and whom it names.
void Application::read_report(std::string_view bytes, Taken& into) {
    constexpr std::string_view sender = "From: Mail delivery <", field = "X-Failed-Recipients: ";
    if (!bytes.starts_with(sender)) return;
    into.order = order_in(bytes);
    const auto from = bytes.find(field);
    if (from == std::string_view::npos) return;
    const auto line = bytes.substr(from + field.size(), bytes.find("\r\n", from) - from - field.size());
    for (const auto name : text::split(line, ',')) into.failed.emplace_back(text::trimmed(name));
}

std::vector<Application::Taken> Application::reports(store::MailboxNumber mailbox) const {
    std::vector<Taken> reports;
    for (const auto& [id, box] : boxes_) {
        for (const auto& mail : box.mails) {
            if (mail.record.mailbox == mailbox && mail.order != 0) reports.push_back(mail);
        }
    }
    return reports;
}

void Application::remember(const consumers::Mail& mail, const std::string& bytes) {
    std::string sha256 = sim::sha256_hex(bytes);
    auto& box = boxes_[std::string(mail.mailbox)];
    const auto& record = mail.record;
    events_.note("application takes mailbox={} seq={} uid={} repeat={}", mail.mailbox, record.seq, record.uid,
                 mail.possible_repeat);
    const auto known = box.by_id.find(record.id);
    if (known != box.by_id.end()) {
        ++box.repeats;
        if (!mail.possible_repeat) {
            events_.violated("doubled: mailbox {} uid {} was handed off before, and is not marked as a possible repeat",
                             mail.mailbox, record.uid);
        }
        if (known->second != record.seq) {
            events_.violated("mailbox {} uid {} was number {}, is number {} now", mail.mailbox, record.uid,
                             known->second, record.seq);
        } else if (box.mails[static_cast<std::size_t>(record.seq - 1)].sha256 != sha256) {
            events_.violated("mailbox {} uid {} has other bytes when repeated", mail.mailbox, record.uid);
        }
        return;
    }
    if (record.seq != static_cast<store::Seq>(box.mails.size()) + 1) {
        events_.violated("out of order: mailbox {} number {} comes after number {}", mail.mailbox, record.seq,
                         box.mails.size());
        return;
    }
    box.by_id.emplace(record.id, record.seq);
    box.mails.push_back({record, std::move(sha256), mail.possible_repeat, 0, {}});
    read_report(bytes, box.mails.back());
}

}  // namespace simulation

#include "tests/fault/store_world.hpp"

#include <catch2/catch.hpp>

using namespace store;

namespace {

const Path directory = "/data";
constexpr int outbound = 77;  // the mailbox in the bodies of submissions

OpenOptions small_options() {
    OpenOptions options;
    options.reserve_bytes = 64 << 10;
    options.ledger.wal_pages = 12;
    options.ledger.journal_rows_max = 9;
    options.bodies.segment_bytes = 4096;
    options.bodies.spare_files_max = 2;
    return options;
}

std::string id_of(int mailbox) { return "mailbox-" + std::to_string(mailbox); }

Result<Folder> folder_of(Store& store, int mailbox) {
    const auto number = store.put_mailbox(id_of(mailbox), "{}");
    if (!number) return number.error();
    const auto subscribed = store.subscribe("consumer", *number);
    if (!subscribed) return subscribed.error();
    auto folder = store.folder(*number, "INBOX");
    if (!folder || folder->uid_validity != 0) return folder;
    const auto adopted = store.adopt_folder(folder->number, 7, 0);
    if (!adopted) return adopted.error();
    return store.folder(*number, "INBOX");
}

Result<BodyPlace> stream_in(Bodies& bodies, std::string_view body) {
    const auto stream = bodies.open(body.size());
    if (!stream) return stream.error();
    for (std::size_t at = 0; at < body.size(); at += 700) {
        const auto written = bodies.write(*stream, body.substr(at, 700));
        if (!written) {
            bodies.abandon(*stream);
            return written.error();
        }
    }
    return bodies.finish(*stream);
}

}  // namespace

std::string StoreWorld::body_of(int mailbox, std::uint32_t uid) {
    const std::size_t length = uid % 5 == 4 ? 2500 : 100 + uid * 97 % 600;
    std::string body = "mailbox " + std::to_string(mailbox) + " uid " + std::to_string(uid) + "\r\n";
    for (std::size_t at = 0; body.size() < length; ++at) body += static_cast<char>('a' + (at * uid) % 26);
    return body;
}

/// A message with its cursor.
class StoreWorld::Take final : public Job {
public:
    Take(queue::Inbox& home, StoreWorld& world, int mailbox, std::uint32_t uid)
        : Job(home), world_(world), mailbox_(mailbox), uid_(uid) {}

    error_code apply(Workbench bench) override {
        const auto folder = folder_of(bench.store, mailbox_);
        if (!folder) return folder.error();
        // Like a session: a uid behind the cursor was taken before, one that leaves a gap must wait for its like.
        if (uid_ != folder->cursor + 1) return errc::out_of_order;
        const std::string body = body_of(mailbox_, uid_);
        const auto place = uid_ % 3 == 1 ? stream_in(bench.bodies, body) : bench.bodies.append(body);
        if (!place) return place.error();
        Message message{
            .mailbox = folder->mailbox, .folder = folder->number, .uid_validity = 7, .uid = uid_, .body = *place};
        message.id = {static_cast<unsigned char>(mailbox_), static_cast<unsigned char>(uid_)};
        const auto added = bench.store.add_message(message);
        if (!added) return added.error();
        if (added->known_before) return errc::out_of_order;
        const auto moved = bench.store.move_cursor(folder->number, 7, uid_);
        if (!moved) return moved.error();
        return {};
    }
    void done(error_code reason) noexcept override {
        if (reason) {
            ++world_.refused_;
            world_.next_uid_[mailbox_] = std::min(world_.next_uid_[mailbox_], uid_);  // fetched again
        } else {
            world_.promised_.insert({mailbox_, uid_});
        }
    }

private:
    StoreWorld& world_;
    int mailbox_;
    std::uint32_t uid_;
};

class StoreWorld::Acknowledge final : public Job {
public:
    Acknowledge(queue::Inbox& home, StoreWorld& world, int mailbox) : Job(home), world_(world), mailbox_(mailbox) {}

    error_code apply(Workbench bench) override {
        const auto found = bench.store.mailbox(id_of(mailbox_));
        if (!found) return found.error();
        const Seq seq = found->last_seq > 2 ? found->last_seq - 2 : 0;
        world_.acked_[mailbox_] = std::max(world_.acked_[mailbox_], seq);
        const auto acknowledged = bench.store.acknowledge("consumer", found->number, seq);
        return acknowledged ? error_code() : acknowledged.error();
    }
    void done(error_code reason) noexcept override {
        if (reason) ++world_.refused_;
    }

private:
    StoreWorld& world_;
    int mailbox_;
};

/// A submission, whose key is known to the application that hands it in.
class StoreWorld::HandIn final : public Job {
public:
    HandIn(queue::Inbox& home, StoreWorld& world, int mailbox, std::uint32_t key)
        : Job(home), world_(world), mailbox_(mailbox), key_(key) {}

    error_code apply(Workbench bench) override {
        const auto folder = folder_of(bench.store, mailbox_);
        if (!folder) return folder.error();
        const auto place = bench.bodies.append(body_of(outbound, key_));
        if (!place) return place.error();
        Submission submission;
        submission.mailbox = folder->mailbox;
        submission.due = Millis();
        submission.body = *place;
        submission.key = std::to_string(key_);
        const auto accepted = bench.store.outbox().accept(submission);
        return accepted ? error_code() : accepted.error();
    }
    void done(error_code reason) noexcept override {
        if (reason)
            ++world_.refused_;
        else
            world_.accepted_.insert(key_);
    }

private:
    StoreWorld& world_;
    int mailbox_;
    std::uint32_t key_;
};

/// Takes what is due; once that is durable it leaves, and the next of its kind settles it.
class StoreWorld::Send final : public Job {
public:
    Send(queue::Inbox& home, StoreWorld& world, int mailbox) : Job(home), world_(world), mailbox_(mailbox) {}

    error_code apply(Workbench bench) override {
        const auto found = bench.store.mailbox(id_of(mailbox_));
        if (!found) return {};  // nothing was handed in yet
        const auto before = bench.store.outbox().taken(100);
        if (!before) return before.error();
        for (const auto& one : *before) {
            if (one.mailbox != found->number) continue;
            const auto key = static_cast<std::uint32_t>(std::stoul(one.key));
            Outcome outcome;
            outcome.attempts = one.attempts + 1;
            outcome.state = SubmissionState::delivered;
            if (!world_.departed_.contains(key)) {
                outcome.state = SubmissionState::queued;
                outcome.due = Millis();
            }
            const auto settled = bench.store.outbox().settle(one.id, outcome);
            if (!settled) return settled.error();
        }
        const auto taken = bench.store.outbox().take_due(found->number, Millis(), 1 + found->last_seq % 2);
        if (!taken) return taken.error();
        for (const auto& one : *taken) {
            leaving_.push_back(static_cast<std::uint32_t>(std::stoul(one.key)));
            const auto body = bench.bodies.read(one.body, 0, one.body.length);
            if (!body && world_.damaged_allowed_ > 0) continue;
            if (!body) return body.error();
            if (*body != body_of(outbound, leaving_.back())) return errc::damaged;
        }
        return {};
    }
    void done(error_code reason) noexcept override {
        if (reason) ++world_.refused_;
        if (reason) return;
        for (const auto key : leaving_) ++world_.departed_[key];
    }

private:
    StoreWorld& world_;
    int mailbox_;
    std::vector<std::uint32_t> leaving_;
};

bool StoreWorld::open() {
    auto opened = open_store(disk_, directory, small_options(), &failure_);
    if (!opened) return false;
    lock_ = std::move(opened->lock);
    findings_ = std::move(opened->findings);
    shard_.restart();
    home_ = std::make_unique<queue::Inbox>(shard_.get_executor());
    for (int mailbox = 0; mailbox < mailboxes; ++mailbox) {
        next_uid_[mailbox] = 1;
        const auto found = opened->store->mailbox(id_of(mailbox));
        if (found) next_uid_[mailbox] = static_cast<std::uint32_t>(found->last_seq) + 1;
    }
    committer_ =
        std::make_unique<Committer>(std::move(opened->store), std::move(opened->bodies), clock_, Committer::Options{});
    return true;
}

void StoreWorld::close() {
    committer_.reset();
    shard_.poll();
    home_.reset();
    lock_.reset();
}

bool StoreWorld::work(std::size_t rounds) {
    refused_ = 0;
    for (std::size_t round = 0; round < rounds; ++round) {
        std::vector<std::unique_ptr<Job>> jobs;
        jobs.push_back(std::make_unique<HandIn>(*home_, *this, static_cast<int>(round % mailboxes), next_key_++));
        jobs.push_back(std::make_unique<Send>(*home_, *this, static_cast<int>((round + 1) % mailboxes)));
        for (std::size_t each = 0; each <= round % 3; ++each) {
            const int mailbox = static_cast<int>((round + each) % mailboxes);
            jobs.push_back(std::make_unique<Take>(*home_, *this, mailbox, next_uid_[mailbox]++));
        }
        jobs.push_back(std::make_unique<Acknowledge>(*home_, *this, static_cast<int>(round % mailboxes)));
        for (auto& job : jobs) REQUIRE(committer_->try_submit(job));
        while (committer_->step()) continue;
        clock_.now_ += std::chrono::seconds(2);
        shard_.restart();
        shard_.poll();
    }
    return refused_ == 0;
}

void StoreWorld::check() {
    class Check final : public Job {
    public:
        Check(queue::Inbox& home, StoreWorld& world) : Job(home), world_(world) {}
        error_code apply(Workbench bench) override {
            for (int mailbox = 0; mailbox < mailboxes; ++mailbox) check(bench, mailbox);
            check_outbox(bench);
            return {};
        }
        void done(error_code) noexcept override {}

    private:
        void check(Workbench bench, int mailbox) {
            std::set<std::uint32_t> uids;
            const auto found = bench.store.mailbox(id_of(mailbox));
            if (found) {
                const auto all = bench.store.messages(found->number, 0, 1000);
                REQUIRE(all.has_value());
                Seq seq = 0;
                for (const auto& message : *all) {
                    REQUIRE(message.seq == ++seq);
                    REQUIRE(uids.insert(message.uid).second);
                    check_body(bench, mailbox, message);
                    const auto same = bench.store.message_by_id(message.id);
                    REQUIRE(same.has_value());
                    REQUIRE(same->has_value());
                    REQUIRE((*same)->seq == message.seq);
                }
                REQUIRE(found->last_seq == seq);
                const auto folder = bench.store.folder(found->number, "INBOX");
                REQUIRE(folder.has_value());
                for (std::uint32_t uid = 1; uid <= folder->cursor; ++uid) REQUIRE(uids.contains(uid));
                REQUIRE(uids.size() == folder->cursor);
            }
            for (const auto& [of, uid] : world_.promised_) {
                if (of == mailbox) REQUIRE(uids.contains(uid));
            }
        }
        void check_outbox(Workbench bench) {
            const auto all = bench.store.outbox().submissions(Outbox::Which::all, 0, 1000);
            REQUIRE(all.has_value());
            std::set<std::uint32_t> keys;
            for (const auto& one : *all) {
                const auto key = static_cast<std::uint32_t>(std::stoul(one.key));
                REQUIRE(keys.insert(key).second);
                const auto departures = world_.departed_.find(key);
                const bool has_left = departures != world_.departed_.end();
                if (has_left) REQUIRE(departures->second == 1);
                REQUIRE((has_left || !is_settled(one.state)));
                REQUIRE((!has_left || one.state != SubmissionState::queued));
                if (is_settled(one.state)) continue;
                CAPTURE(key, one.body.segment, one.body.offset);
                const auto body = bench.bodies.read(one.body, 0, one.body.length);
                if (!body && body.error() == errc::damaged && world_.damaged_ < world_.damaged_allowed_) {
                    ++world_.damaged_;
                    continue;
                }
                REQUIRE(body.has_value());
                REQUIRE(*body == body_of(outbound, key));
            }
            for (const auto key : world_.accepted_) REQUIRE(keys.contains(key));
            for (const auto& [key, times] : world_.departed_) REQUIRE(keys.contains(key));
        }
        void check_body(Workbench bench, int mailbox, const Message& message) {
            CAPTURE(mailbox, message.uid, message.body.segment, message.body.offset);
            const auto body = bench.bodies.read(message.body, 0, message.body.length);
            if (body) {
                REQUIRE(*body == body_of(mailbox, message.uid));
            } else if (body.error() == errc::damaged && world_.damaged_ < world_.damaged_allowed_) {
                ++world_.damaged_;
            } else {
                REQUIRE(body.error() == errc::body_gone);
                REQUIRE(message.seq <= world_.acked_[mailbox]);
            }
        }
        StoreWorld& world_;
    };
    std::unique_ptr<Job> job = std::make_unique<Check>(*home_, *this);
    REQUIRE(committer_->try_submit(job));
    while (committer_->step()) continue;
    REQUIRE_FALSE(committer_->stats().stopped_by);
    shard_.restart();
    shard_.poll();
}

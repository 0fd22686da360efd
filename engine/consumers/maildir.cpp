#include "engine/consumers/maildir.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_set>
#include <vector>

#include "engine/consumers/body_reader.hpp"
#include "engine/consumers/message_id.hpp"
#include "engine/consumers/path_segment.hpp"

namespace consumers {

namespace {

constexpr std::string_view our_mark = ".rohrpost,";
constexpr std::size_t sync_each_max = 2;  // so few files are synced faster than a file system
constexpr std::size_t sure_mails_until_forgotten = 4096;

struct DigestHash {
    std::size_t operator()(const store::Digest& digest) const noexcept {
        std::size_t hash = 0;  // any bytes of a digest are as good as a hash
        std::memcpy(&hash, digest.data(), sizeof hash);
        return hash;
    }
};

std::string reason_for(std::string_view doing, const std::string& what, error_code said) {
    return fmt::format("cannot {} {}: {}", doing, what, said.message());
}

std::optional<unsigned char> hex_value(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned char>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned char>(c - 'a' + 10);
    return std::nullopt;
}

}  // namespace

/// An open Maildir.
struct Maildir::Box {
    std::string place;
    FileHandle tmp, fresh;
    std::uint64_t device = 0;
    std::optional<std::unordered_set<store::Digest, DigestHash>> ids;  // in new/ and cur/, while repeats are expected
    std::size_t sure_mails = 0;                                        // in a row that were no possible repeats
};

std::string maildir_name(const store::Message& message) {
    const auto stored = std::chrono::floor<std::chrono::seconds>(message.received_at).time_since_epoch().count();
    return fmt::format("{}.{}{}S={}", stored, text_of(message.id), our_mark, message.body.length);
}

std::optional<store::Digest> message_id_of(std::string_view maildir_name) {
    const auto mark = maildir_name.find(our_mark);
    const auto dot = maildir_name.find('.');
    store::Digest id{};
    if (mark == std::string_view::npos || mark - dot != 1 + 2 * id.size()) return std::nullopt;
    const auto digits = maildir_name.substr(dot + 1, 2 * id.size());
    for (std::size_t i = 0; i < id.size(); ++i) {
        const auto high = hex_value(digits[2 * i]), low = hex_value(digits[2 * i + 1]);
        if (!high || !low) return std::nullopt;
        id[i] = static_cast<unsigned char>(*high << 4U | *low);
    }
    return id;
}

Maildir::Maildir(Options options, MaildirFiles& files, const Clock& clock)
    : options_(std::move(options)), files_(files), clock_(clock) {}

Maildir::~Maildir() = default;

awaitable<Delivered> Maildir::deliver(std::span<const Mail> batch) { co_return deliver_now(batch); }

Delivered Maildir::deliver_now(std::span<const Mail> batch) {
    std::vector<Item> items;
    items.reserve(batch.size());
    std::string reason;
    const bool sync_each = options_.sync == config::Consumer::Sync::each || batch.size() <= sync_each_max;
    auto fault = Delivered::Fault::consumer;
    auto written = write_all(batch, items, sync_each, fault);
    if (!written) reason = written.error();
    std::size_t count = 0;
    auto synced = sync_each ? Attempt<void>() : sync_written(items);
    if (synced) {
        count = move_all(items, reason);
        synced = sync_moved(std::span(items).first(count));
    }
    if (!synced) {
        reason = synced.error();
        count = 0;
    }
    for (const Item& item : std::span(items).first(count)) {
        if (item.box->ids) item.box->ids->insert(item.mail->record.id);
    }
    close_boxes(batch.subspan(count));
    while (boxes_.size() > options_.open_max) boxes_.pop_back();
    if (count < items.size()) fault = Delivered::Fault::consumer;  // it did not come to the damaged one
    return {.count = count, .reason = std::move(reason), .fault = fault};
}

auto Maildir::write_all(std::span<const Mail> batch, std::vector<Item>& items, bool sync_each, Delivered::Fault& fault)
    -> Attempt<void> {
    BodyRun bodies(batch);
    for (std::size_t at = 0; at < batch.size(); ++at) {
        const Mail& mail = batch[at];
        const bool same_mailbox = !items.empty() && items.back().mail->mailbox == mail.mailbox;
        auto box = same_mailbox ? Attempt<BoxPlace>(items.back().box) : open_box(mail.mailbox);
        if (!box) return box.error();
        auto there = is_there(**box, mail);
        if (!there) return there.error();
        std::string name = *there ? std::string() : maildir_name(mail.record);
        if (!name.empty()) {
            auto written = BodyRun::small(mail) ? write_small(**box, name, bodies.body(at), sync_each, fault)
                                                : write_large(**box, mail, name, sync_each, fault);
            if (!written) return written.error();
        }
        items.push_back({.box = *box, .mail = &mail, .name = std::move(name)});
    }
    return {};
}

/// One sync for each file system.
auto Maildir::sync_written(const std::vector<Item>& items) -> Attempt<void> {
    std::vector<std::uint64_t> devices;
    for (const Item& item : items) {
        const auto device = item.box->device;
        if (std::find(devices.begin(), devices.end(), device) != devices.end()) continue;
        devices.push_back(device);
        auto synced = files_.sync_file_system(item.box->tmp);
        if (!synced) return reason_for("sync the file system of", item.box->place, synced.error());
    }
    return {};
}

std::size_t Maildir::move_all(const std::vector<Item>& items, std::string& reason) {
    std::size_t moved = 0;
    for (const Item& item : items) {
        auto renamed = item.name.empty() ? Result<void>() : files_.rename(item.box->tmp, item.box->fresh, item.name);
        if (!renamed) {
            reason = reason_for("move mail into", item.box->place + "/new", renamed.error());
            break;
        }
        ++moved;
    }
    return moved;
}

/// The names in new/ become durable: by directory, or with one sync of the file system when there are many.
auto Maildir::sync_moved(std::span<const Item> moved) -> Attempt<void> {
    std::vector<const Box*> boxes;
    for (const Item& item : moved) {
        const Box* box = &*item.box;
        if (std::find(boxes.begin(), boxes.end(), box) == boxes.end()) boxes.push_back(box);
    }
    std::vector<std::uint64_t> devices;
    for (const Box* box : boxes) {
        const bool alone = boxes.size() <= sync_each_max;
        if (!alone && std::find(devices.begin(), devices.end(), box->device) != devices.end()) continue;
        devices.push_back(box->device);
        auto synced = alone ? files_.sync_directory(box->fresh) : files_.sync_file_system(box->fresh);
        if (!synced) return reason_for("sync", box->place + "/new", synced.error());
    }
    return {};
}

/// After a failure the directories are opened and listed anew.
void Maildir::close_boxes(std::span<const Mail> not_delivered) {
    for (const Mail& mail : not_delivered) {
        const std::string place = place_for(options_.path, mail.mailbox);
        boxes_.remove_if([&place](const Box& box) { return box.place == place; });
    }
}

auto Maildir::open_box(std::string_view mailbox) -> Attempt<BoxPlace> {
    const std::string place = place_for(options_.path, mailbox);
    for (auto box = boxes_.begin(); box != boxes_.end(); ++box) {
        if (box->place != place) continue;
        boxes_.splice(boxes_.begin(), boxes_, box);
        return box;
    }
    Box box;
    box.place = place;
    for (const std::string_view folder : {"/tmp", "/new", "/cur"}) {
        auto opened = files_.open_directory(place + std::string(folder));
        if (!opened) return reason_for("open", place + std::string(folder), opened.error());
        if (folder == "/tmp") box.tmp = std::move(*opened);
        if (folder == "/new") box.fresh = std::move(*opened);
    }
    auto device = files_.device_of(box.tmp);
    if (!device) return reason_for("look at", place, device.error());
    box.device = *device;
    auto removed = remove_leftovers(box);
    if (!removed) return removed.error();
    boxes_.push_front(std::move(box));
    return boxes_.begin();
}

auto Maildir::remove_leftovers(const Box& box) -> Attempt<void> {
    std::vector<std::string> ours;
    const auto keep_ours = [&ours](std::string_view name) {
        if (message_id_of(name)) ours.emplace_back(name);
    };
    auto listed = files_.list(box.tmp, keep_ours);
    if (!listed) return reason_for("list", box.place + "/tmp", listed.error());
    for (const auto& name : ours) {
        auto modified = files_.modified_at(box.tmp, name);
        if (!modified || clock_.wall() - *modified < options_.leftover_age) continue;
        auto removed = files_.remove(box.tmp, name);
        if (!removed) return reason_for("remove", box.place + "/tmp/" + name, removed.error());
    }
    return {};
}

auto Maildir::is_there(Box& box, const Mail& mail) -> Attempt<bool> {
    if (!mail.possible_repeat) {
        if (box.ids && ++box.sure_mails > sure_mails_until_forgotten) box.ids.reset();
        return false;
    }
    box.sure_mails = 0;
    if (!box.ids) {
        auto listed = list_ids(box);
        if (!listed) return listed.error();
    }
    return box.ids->contains(mail.record.id);
}

auto Maildir::list_ids(Box& box) -> Attempt<void> {
    std::unordered_set<store::Digest, DigestHash> ids;
    const auto keep_id = [&ids](std::string_view name) {
        if (const auto id = message_id_of(name)) ids.insert(*id);
    };
    // new/ first: a mail that a reader moves meanwhile is seen twice rather than never.
    auto listed = files_.list(box.fresh, keep_id);
    if (!listed) return reason_for("list", box.place + "/new", listed.error());
    auto seen = files_.open_directory(box.place + "/cur");
    if (!seen) return reason_for("open", box.place + "/cur", seen.error());
    listed = files_.list(*seen, keep_id);
    if (!listed) return reason_for("list", box.place + "/cur", listed.error());
    box.ids = std::move(ids);
    return {};
}

auto Maildir::write_small(const Box& box, const std::string& name, Result<std::string_view> body, bool sync,
                          Delivered::Fault& fault) -> Attempt<void> {
    if (!body) {
        fault = fault_of_reading(body.error());
        return reason_for("read the body of", name, body.error());
    }
    auto file = files_.create(box.tmp, name);
    if (!file) return reason_for("create", box.place + "/tmp/" + name, file.error());
    Attempt<void> written;
    auto done = files_.write(*file, *body);
    if (!done) written = reason_for("write", box.place + "/tmp/" + name, done.error());
    return finished(box, *file, name, std::move(written), sync);
}

auto Maildir::write_large(const Box& box, const Mail& mail, const std::string& name, bool sync, Delivered::Fault& fault)
    -> Attempt<void> {
    auto file = files_.create(box.tmp, name);
    if (!file) return reason_for("create", box.place + "/tmp/" + name, file.error());
    BodyReader body(*mail.bodies, mail.record.body);
    Attempt<void> written;
    while (written && !body.finished()) {
        auto piece = body.next();
        if (!piece) {
            written = reason_for("read the body of", name, piece.error());
            fault = fault_of_reading(piece.error());
            break;
        }
        auto done = files_.write(*file, *piece);
        if (!done) written = reason_for("write", box.place + "/tmp/" + name, done.error());
    }
    return finished(box, *file, name, std::move(written), sync);
}

auto Maildir::finished(const Box& box, const FileHandle& file, const std::string& name, Attempt<void> written,
                       bool sync) -> Attempt<void> {
    if (written && sync) {
        auto synced = files_.sync_file(file);
        if (!synced) written = reason_for("sync", box.place + "/tmp/" + name, synced.error());
    }
    // Gives the space back at once; what can't be removed now is a leftover later.
    if (!written) (void)files_.remove(box.tmp, name);
    return written;
}

}  // namespace consumers

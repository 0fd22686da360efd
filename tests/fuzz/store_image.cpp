#include "tests/fuzz/store_image.hpp"

#include "tests/fuzz/fuzz.hpp"

namespace fuzz {
namespace {

constexpr std::uint32_t messages = 12;
constexpr std::uint32_t uid_validity = 7;

std::string body_of(std::string_view mailbox, std::uint32_t uid) {
    std::string body = "Subject: " + std::string(mailbox) + ' ' + std::to_string(uid) + "\r\n\r\n";
    body.resize(body.size() + (uid % 4) * 500, static_cast<char>('a' + uid));
    return body;
}

void take_in(store::OpenedStore& opened, const store::Folder& folder, std::uint32_t uid, std::string_view body) {
    expect(opened.store->begin().has_value(), "the image is made");
    const auto place = opened.bodies->append(body);
    expect(place.has_value(), "the image is made");
    store::Message message;
    message.mailbox = folder.mailbox;
    message.folder = folder.number;
    message.uid_validity = uid_validity;
    message.uid = uid;
    message.id = {static_cast<unsigned char>(folder.mailbox), static_cast<unsigned char>(uid)};
    message.body = *place;
    expect(opened.store->add_message(message).has_value(), "the image is made");
    expect(opened.store->move_cursor(folder.number, uid_validity, uid).has_value(), "the image is made");
    expect(opened.bodies->sync().has_value() && opened.store->commit().has_value(), "the image is made");
}

store::Folder folder_of(store::Store& store, std::string_view mailbox) {
    const auto number = store.put_mailbox(mailbox, R"({"id": "one", "address": "a@rig.test", "credential": "r"})");
    expect(number && store.subscribe("consumer", *number), "the image is made");
    auto folder = store.folder(*number, "INBOX");
    expect(folder && store.adopt_folder(folder->number, uid_validity, 0), "the image is made");
    return *folder;
}

Image made() {
    SimulatedDisk disk;
    Image image;
    auto opened = store::open_store(disk, data_directory, small_options());
    expect(opened.has_value(), "the image is made");
    auto& store = *opened->store;
    expect(store.begin().has_value(), "the image is made");
    const store::Folder folders[] = {folder_of(store, "one"), folder_of(store, "two")};
    store::Pending pending;
    pending.folder = folders[0].number;
    pending.uid_validity = uid_validity;
    pending.uid = 100;
    pending.reason = "the server answered without the message";
    store::Grant grant;
    grant.credential = "r";
    grant.sealed = "sealed";
    grant.state = "usable";
    expect(store.put_pending(pending) && store.put_grant(grant) && store.put_secret("r", "refresh_token", "sealed") &&
               store.put_object({"provider", "rig", R"({"id": "rig"})"}) && store.commit(),
           "the image is made");
    for (std::uint32_t at = 0; at < messages; ++at) {
        const std::string mailbox = at % 2 == 0 ? "one" : "two";
        const std::uint32_t uid = at / 2 + 1;
        const std::string body = body_of(mailbox, uid);
        take_in(*opened, folders[at % 2], uid, body);
        image.bodies[mailbox][uid] = body;
    }
    expect(store.begin() && store.acknowledge("consumer", folders[0].mailbox, 2) && store.commit(),
           "the image is made");
    image.files = files_on(disk);
    return image;
}

}  // namespace

store::OpenOptions small_options() {
    store::OpenOptions options;
    options.reserve_bytes = 1 << 10;
    options.ledger.cache_bytes = 1 << 20;
    options.ledger.wal_pages = 12;
    options.ledger.journal_rows_max = 9;
    options.bodies.segment_bytes = 4096;
    options.bodies.body_bytes_max = 1 << 20;
    options.bodies.spare_files_max = 2;
    return options;
}

const Image& image_with_mail() {
    static const Image image = made();
    return image;
}

void lay_out(const Files& files, SimulatedDisk& disk) {
    for (const auto& [path, bytes] : files) {
        const auto directory = store::Path(path).parent_path();
        expect(disk.make_directory(directory).has_value(), "a disk has directories");
        auto file = disk.open(path, store::Disk::Mode::create);
        expect(file && (*file)->write(bytes, 0) && (*file)->sync() && disk.sync_directory(directory),
               "a disk takes files");
    }
}

Files files_on(SimulatedDisk& disk) {
    Files files;
    for (const auto& directory : {data_directory, data_directory / "segments"}) {
        const auto names = disk.list(directory);
        expect(names.has_value(), "a disk lists its files");
        for (const auto& name : *names) {
            const auto path = directory / name;
            if (path == data_directory / "segments") continue;
            files[path.string()] = *disk.contents(path);
        }
    }
    return files;
}

}  // namespace fuzz

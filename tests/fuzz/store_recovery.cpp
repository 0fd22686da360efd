/// A data directory that something has happened to. Input: what happened, a line each. The store opens or says why not,
/// what it opens can be used, and what one start has recovered the next one finds the same.
///
///     bytes FILE OFFSET HEX    flip FILE BIT    cut FILE SIZE    grow FILE BYTES    remove FILE    copy FILE FROM TO
///     BYTES set TABLE COLUMN NUMBER    text TABLE COLUMN WORD    empty TABLE    drop TABLE    rowid TABLE NUMBER
///
/// FILE is a path below the directory: ledger.db, ledger.db-wal, segments/0000000000000001.seg, ….

#include <algorithm>
#include <optional>

#include "protocols/base/text.hpp"
#include "queue/store/sqlite.hpp"
#include "queue/store/sqlite_vfs.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/store_image.hpp"

namespace {

using store::errc;

constexpr std::size_t lines_max = 24;
constexpr std::size_t rows_max = 200;
constexpr std::uint64_t file_bytes_max = 1 << 20;

bool is_name(std::string_view word) {
    return !word.empty() && word.size() < 40 && std::all_of(word.begin(), word.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || c == '_' || c == '3' || c == '2';
    });
}

std::uint64_t number(std::string_view word) { return text::number<std::uint64_t>(word).value_or(0); }

std::string unhexed(std::string_view digits) {
    std::string bytes;
    for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
        unsigned char byte = 0;
        std::from_chars(digits.data() + at, digits.data() + at + 2, byte, 16);
        bytes += static_cast<char>(byte);
    }
    return bytes;
}

/// What an input does to a directory.
class Mishap {
public:
    explicit Mishap(fuzz::Files files) : files_(std::move(files)) {}

    void apply(std::string_view line) {
        const auto words = text::split(line, ' ');
        if (words.size() < 2) return;
        const auto file = files_.find((fuzz::data_directory / std::string(words[1])).string());
        if (file != files_.end()) {
            to_file(words, file);
        } else if (is_name(words[1])) {
            to_table(words);
        }
    }
    [[nodiscard]] const fuzz::Files& files() const noexcept { return files_; }
    /// What was touched beside bodies. The log's end may be missing or nonsense after any power cut.
    enum class Ledger { whole, log_damaged, damaged };
    [[nodiscard]] Ledger ledger() const noexcept { return ledger_; }
    [[nodiscard]] bool touched(std::uint64_t segment) const { return segments_.contains(segment); }

private:
    void to_file(const std::vector<std::string_view>& words, fuzz::Files::iterator file) {
        note(file->first);
        std::string& bytes = file->second;
        const std::string_view act = words[0];
        const std::uint64_t first = words.size() > 2 ? number(words[2]) : 0;
        if (act == "remove") {
            files_.erase(file);
        } else if (act == "cut") {
            bytes.resize(std::min<std::uint64_t>(first, bytes.size()));
        } else if (act == "grow") {
            bytes.resize(std::min<std::uint64_t>(bytes.size() + first % file_bytes_max, file_bytes_max));
        } else if (act == "flip" && !bytes.empty()) {
            char& byte = bytes[first / 8 % bytes.size()];
            byte = static_cast<char>(byte ^ (1 << first % 8));
        } else if (act == "bytes" && words.size() > 3 && first < bytes.size()) {
            const std::string put = unhexed(words[3]);
            bytes.replace(first, put.size(), put);
        } else if (act == "copy" && words.size() > 4 && first < bytes.size() && number(words[3]) < bytes.size()) {
            const std::string piece = bytes.substr(first, number(words[4]));
            bytes.replace(number(words[3]), piece.size(), piece);
        }
    }
    void to_table(const std::vector<std::string_view>& words) {
        const std::string table(words[1]);
        const bool has_value = words.size() > 3 && is_name(words[2]);
        if (words[0] == "empty") sql("DELETE FROM " + table);
        if (words[0] == "drop") sql("DROP TABLE " + table);
        if (words[0] == "set" && has_value)
            sql("UPDATE OR REPLACE " + table + " SET " + std::string(words[2]) + " = " +
                std::to_string(text::number<std::int64_t>(words[3]).value_or(-1)));
        if (words[0] == "text" && has_value && is_name(words[3]))
            sql("UPDATE OR REPLACE " + table + " SET " + std::string(words[2]) + " = '" + std::string(words[3]) + "'");
    }
    /// Through SQLite, as a broken program or a person with a shell would do it.
    void sql(const std::string& statement) {
        ledger_ = Ledger::damaged;
        SimulatedDisk disk;
        fuzz::lay_out(files_, disk);
        {
            const store::SqliteVfs vfs(disk);
            auto database = store::Database::open((fuzz::data_directory / "ledger.db").string(), vfs.name());
            if (!database) return;
            static_cast<void>(database->run("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL"));
            static_cast<void>(database->run(statement.c_str()));
        }
        files_ = fuzz::files_on(disk);
    }
    void note(const std::string& path) {
        const auto name = store::Path(path).filename().string();
        if (name.ends_with(".seg")) {
            segments_[number(name.substr(0, name.find('.')).substr(8))] = true;
        } else if (name == "ledger.db-wal") {
            ledger_ = std::max(ledger_, Ledger::log_damaged);
        } else if (name == "ledger.db") {
            ledger_ = Ledger::damaged;
        }
    }

    fuzz::Files files_;
    Ledger ledger_ = Ledger::whole;
    std::map<std::uint64_t, bool> segments_;
};

/// Everything a store tells of its mail, in words; checks it against what was put in where the ledger was spared.
class Tour {
public:
    Tour(store::OpenedStore& opened, const Mishap& mishap) : opened_(opened), mishap_(mishap) {}

    std::string words() {
        const auto mailboxes = opened_.store->mailboxes("", rows_max);
        if (!good(mailboxes)) return words_;
        for (const auto& mailbox : *mailboxes) {
            words_ += "mailbox " + mailbox.id + ' ' + std::to_string(mailbox.last_seq) + '\n';
            const auto folders = opened_.store->folders(mailbox.number);
            if (good(folders)) {
                for (const auto& folder : *folders) {
                    words_ += "folder " + folder.name + ' ' + std::to_string(folder.cursor) + '\n';
                    const auto pending = opened_.store->pending(folder.number);
                    if (good(pending)) words_ += std::to_string(pending->size()) + " pending\n";
                }
            }
            const auto messages = opened_.store->messages(mailbox.number, 0, rows_max);
            if (!good(messages)) continue;
            for (const auto& message : *messages) visit(mailbox.id, message);
            if (mishap_.ledger() == Mishap::Ledger::whole && mailbox.id != "three")
                fuzz::expect(messages->size() == 6, "a sound ledger has all its rows");
        }
        const auto hand_offs = opened_.store->hand_offs("consumer", store::Store::Which::all, 0, rows_max);
        if (good(hand_offs)) {
            for (const auto& hand_off : *hand_offs) words_ += "acknowledged " + std::to_string(hand_off.acked) + '\n';
        }
        const auto totals = opened_.store->totals();
        if (good(totals)) words_ += std::to_string(totals->messages) + " messages\n";
        good(opened_.store->grant("r"));
        good(opened_.store->secret("r", "refresh_token"));
        good(opened_.store->objects("provider"));
        return words_;
    }

private:
    template <class T>
    bool good(const Result<T>& result) {
        if (!result) words_ += result.error().message() + '\n';
        return result.has_value();
    }
    void visit(const std::string& mailbox, const store::Message& message) {
        words_ += std::to_string(message.seq) + ' ' + std::to_string(message.uid) + ' ';
        const auto body = opened_.bodies->read(message.body, 0, message.body.length);
        words_ += body ? std::to_string(body->size()) + '\n' : body.error().message() + '\n';
        good(opened_.store->message_by_id(message.id));
        if (mishap_.ledger() == Mishap::Ledger::damaged || mailbox == "three") return;
        fuzz::expect(message.seq == static_cast<store::Seq>(message.uid), "what a log lost is its end");
        const auto& bodies = fuzz::image_with_mail().bodies.at(mailbox);
        if (body) fuzz::expect(*body == bodies.at(message.uid), "a body is what was put in, or damaged");
        const bool acknowledged = mailbox == "one" && message.seq <= 2;
        if (!body && !(acknowledged && body.error() == errc::body_gone))
            fuzz::expect(mishap_.touched(message.body.segment), "a body that nothing happened to is there");
    }

    store::OpenedStore& opened_;
    const Mishap& mishap_;
    std::string words_;
};

/// A message more, as a session would bring it. False when the store refused.
bool life_goes_on(store::OpenedStore& opened) {
    auto& store = *opened.store;
    if (!store.begin()) return false;
    const auto number = store.put_mailbox("three", "{}");
    if (!number || !store.subscribe("consumer", *number)) return false;
    const auto folder = store.folder(*number, "INBOX");
    if (!folder) return false;
    if (folder->uid_validity == 0 && !store.adopt_folder(folder->number, 9, 0)) return false;
    const auto place = opened.bodies->append("Subject: new\r\n\r\n");
    if (!place) return false;
    store::Message message;
    message.mailbox = *number;
    message.folder = folder->number;
    message.uid_validity = 9;
    message.uid = 1;
    message.id = {3, 1};
    message.body = *place;
    const auto added = store.add_message(message);
    if (!added || !store.move_cursor(folder->number, 9, 1) || !opened.bodies->sync()) return false;
    const auto released = store.release_segments(opened.bodies->sealed());
    if (!released || !store.commit()) return false;
    opened.bodies->reclaim(*released);
    const auto body = opened.bodies->read(*place, 0, place->length);
    fuzz::expect(body && *body == "Subject: new\r\n\r\n", "a new body reads");
    return true;
}

/// Opens, looks around and ends; `alive` tells whether to write, and then whether it could. nullopt: it does not open.
std::optional<std::string> looked_at(SimulatedDisk& disk, const Mishap& mishap, bool& alive) {
    store::OpenFailure failure;
    auto opened = store::open_store(disk, fuzz::data_directory, fuzz::small_options(), &failure);
    if (!opened) {
        fuzz::expect(failure.sentence.starts_with("/data") && failure.reason, "a refusal is a sentence");
        return std::nullopt;
    }
    std::string words = Tour(*opened, mishap).words();
    if (alive) alive = life_goes_on(*opened);
    opened->store->rollback();
    return words;
}

bool has_bodies(const fuzz::Files& files) {
    return std::any_of(files.begin(), files.end(), [](const auto& file) { return file.first.ends_with(".seg"); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    auto input = fuzz::text_of(bytes, size);
    Mishap mishap(fuzz::image_with_mail().files);
    for (std::size_t line = 0; line < lines_max && !input.empty(); ++line) mishap.apply(fuzz::take_line(input));
    const bool sound = mishap.ledger() != Mishap::Ledger::damaged;

    SimulatedDisk disk;
    fuzz::lay_out(mishap.files(), disk);
    bool alive = false;
    const auto first = looked_at(disk, mishap, alive);
    if (sound) fuzz::expect(first.has_value(), "damaged bodies and a torn log never keep a store from opening");
    const auto* const ledger = disk.contents(fuzz::data_directory / "ledger.db");
    const auto before = mishap.files().find((fuzz::data_directory / "ledger.db").string());
    if (first && ledger != nullptr && has_bodies(mishap.files()))
        fuzz::expect(before != mishap.files().end() && !before->second.empty(), "no ledger is made beside bodies");
    disk.power_cut(1);
    alive = true;
    const auto second = looked_at(disk, mishap, alive);
    if (sound) fuzz::expect(first == second, "what one start has recovered the next one finds the same");
    if (sound) fuzz::expect(alive, "with damaged bodies and a torn log life goes on");
    disk.power_cut(2);
    bool still_alive = false;
    const auto third = looked_at(disk, mishap, still_alive);
    if (sound) fuzz::expect(third.has_value(), "a store that was written to opens again");
    return 0;
}

#include "tools/rohrpost-powercut/post_office.hpp"

#include <fmt/format.h>

#include <fstream>
#include <mutex>

#include "protocols/base/text.hpp"
#include "tools/rohrpost-sim/message.hpp"

namespace powercut {

namespace {

constexpr std::size_t shown_max = 8;

/// Dovecot numbers new files in the order of their names.
std::string file_name(const MailName& mail) { return fmt::format("{:010}.rig", mail.number); }

std::filesystem::path copy_of(const std::filesystem::path& store, const MailName& mail) {
    return store / mail.address / file_name(mail);
}

support::Dovecot::Wish dovecot_wish(const PostOffice::Wish& wish) {
    support::Dovecot::Wish dovecot;
    dovecot.authority = wish.authority;
    dovecot.port = wish.imap_port;
    if (wish.pop3_port != 0) dovecot.settings = support::Dovecot::pop3_settings(wish.pop3_port);
    return dovecot;
}

/// An authority is for one thread at a time.
std::unique_ptr<support::Dovecot> started(const PostOffice::Wish& wish) {
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    return std::make_unique<support::Dovecot>(dovecot_wish(wish));
}

}  // namespace

std::string words_of(const MailNames& names) {
    std::string words;
    std::size_t shown = 0;
    for (const MailName& name : names) {
        if (shown++ == shown_max) return words + fmt::format(" … ({} in all)", names.size());
        words += fmt::format("{}{} {}", words.empty() ? "" : ", ", name.address, name.number);
    }
    return words;
}

PostOffice::PostOffice(Wish wish) : wish_(std::move(wish)), dovecot_(started(wish_)) {}

void PostOffice::open(const std::string& address) {
    last_number_.try_emplace(address, 0);
    const auto maildir = dovecot_->maildir(address);
    for (const char* name : {"", "cur", "new", "tmp"})
        if (std::filesystem::create_directories(maildir / name)) dovecot_->give_away(maildir / name);
}

MailName PostOffice::put(const std::string& address, std::size_t bytes) {
    open(address);
    const MailName mail{address, ++last_number_[address]};
    const auto copy = copy_of(wish_.store, mail);
    std::filesystem::create_directories(copy.parent_path());
    sim::write_private_file(copy, sim::message_of(address, mail.number, bytes));
    dovecot_->give_away(copy);
    std::filesystem::create_hard_link(copy, dovecot_->maildir(address) / "new" / copy.filename());
    put_.insert(mail);
    return mail;
}

Mailboxes PostOffice::mailboxes() const {
    Mailboxes all;
    for (const auto& [address, last] : last_number_) {
        const auto maildir = dovecot_->maildir(address);
        Mailbox& mailbox = all[address];
        std::set<std::uint32_t> found;
        // new/ first: a mail that Dovecot moves meanwhile is seen twice rather than never.
        for (const char* folder : {"new", "cur"}) {
            for (const auto& entry : std::filesystem::directory_iterator(maildir / folder)) {
                const std::string name = entry.path().filename().string();
                const auto number = text::number<std::uint32_t>(std::string_view(name).substr(0, name.find('.')));
                if (!number || !found.insert(*number).second) continue;
                mailbox.files.push_back({std::string(folder) + "/" + name, {address, *number}});
            }
        }
        std::ifstream list(maildir / "dovecot-uidlist", std::ios::binary);
        mailbox.uid_list.assign(std::istreambuf_iterator<char>(list), {});
    }
    return all;
}

void PostOffice::clear() {
    for (const auto& [address, last] : last_number_) std::filesystem::remove_all(dovecot_->maildir(address));
    last_number_.clear();
    put_.clear();
}

void PostOffice::put_up(const Mailboxes& mailboxes) {
    clear();
    for (const auto& [address, mailbox] : mailboxes) {
        open(address);
        const auto maildir = dovecot_->maildir(address);
        for (const Mailbox::File& file : mailbox.files)
            std::filesystem::create_hard_link(copy_of(wish_.store, file.mail), maildir / file.place);
        if (mailbox.uid_list.empty()) continue;
        sim::write_private_file(maildir / "dovecot-uidlist", mailbox.uid_list);
        dovecot_->give_away(maildir / "dovecot-uidlist");
    }
}

}  // namespace powercut

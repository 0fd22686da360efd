#pragma once

#include <chrono>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "engine/config/model.hpp"
#include "engine/consumers/consumer.hpp"
#include "engine/consumers/maildir_files.hpp"
#include "protocols/base/clock.hpp"

namespace consumers {

/// The file name of a message in a Maildir: the second it was stored, its message id, its size. The same message always
/// gets the same name, so a repeated hand-off finds the first one.
std::string maildir_name(const store::Message& message);
/// The message id in a file name of ours, whatever flags a reader has appended; nullopt for other names.
std::optional<store::Digest> message_id_of(std::string_view maildir_name);

/// Delivers into Maildirs: the path of the consumer, or one for each mailbox when the path holds `{mailbox}`. The calls
/// block, so it belongs on a shard of its own.
///
/// A batch may hold mails of many mailboxes. It is written to tmp/, made durable (`batch`: one sync of the file system,
/// from three mails on; `each`: one of each file), renamed into new/, and counts once new/ is durable too. The bytes
/// are exactly those received, CRLF included, so that signatures hold and sizes agree; Dovecot, mutt and others read
/// both kinds of line ends.
///
/// A mail that may be a repeat is looked for by name in new/ and by message id in cur/, with any flags: both are listed
/// once when the first such mail comes (at start, or after a failure), and the ids kept while repeats are to be
/// expected; mails of undisturbed running cost no look-up.
///
/// Directories are made with mode 0700. Our files in tmp/ from before `leftover_age` are removed when a Maildir is
/// opened.
class Maildir final : public Consumer {
public:
    struct Options {
        std::string path;
        config::Consumer::Sync sync = config::Consumer::Sync::batch;
        std::size_t open_max = 256;  // Maildirs that are kept open, two descriptors each
        std::chrono::hours leftover_age{36};
    };
    Maildir(Options options, MaildirFiles& files, const Clock& clock);
    ~Maildir() override;

    awaitable<Delivered> deliver(std::span<const Mail> batch) override;

private:
    struct Box;
    using BoxPlace = std::list<Box>::iterator;
    /// A mail of the batch on its way.
    struct Item {
        BoxPlace box;
        const Mail* mail = nullptr;
        std::string name;  // empty: it is there already
    };
    template <class T>
    using Attempt = boost::system::result<T, std::string>;  // or the reason for people

    Delivered deliver_now(std::span<const Mail> batch);
    Attempt<void> write_all(std::span<const Mail> batch, std::vector<Item>& items, bool sync_each,
                            Delivered::Fault& fault);
    Attempt<void> sync_written(const std::vector<Item>& items);
    std::size_t move_all(const std::vector<Item>& items, std::string& reason);
    Attempt<void> sync_moved(std::span<const Item> moved);
    void close_boxes(std::span<const Mail> not_delivered);

    Attempt<BoxPlace> open_box(std::string_view mailbox);
    Attempt<void> remove_leftovers(const Box& box);
    Attempt<bool> is_there(Box& box, const Mail& mail);
    Attempt<void> list_ids(Box& box);
    Attempt<void> write_small(const Box& box, const std::string& name, Result<std::string_view> body, bool sync,
                              Delivered::Fault& fault);
    Attempt<void> write_large(const Box& box, const Mail& mail, const std::string& name, bool sync,
                              Delivered::Fault& fault);
    /// Syncs what was written, or removes what could not be.
    Attempt<void> finished(const Box& box, const FileHandle& file, const std::string& name, Attempt<void> written,
                           bool sync);

    Options options_;
    MaildirFiles& files_;
    const Clock& clock_;
    std::list<Box> boxes_;  // most recently used first
};

}  // namespace consumers

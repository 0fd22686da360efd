#include "tools/rohrpost-powercut/game.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "protocols/base/text.hpp"
#include "tests/support/daemon.hpp"

namespace powercut {

namespace {

constexpr auto soon = std::chrono::seconds(60);
constexpr auto look_again = std::chrono::milliseconds(2);
constexpr std::size_t points_of_a_life = 60;    // then the daemon goes on from what a cut left
constexpr std::size_t points_of_a_world = 240;  // then everything begins anew
constexpr std::size_t mails_at_once_max = 6;
constexpr std::size_t setting_up_stride = 7;
constexpr std::uint32_t mails_of_a_world_max = 1'000'000;
constexpr std::size_t announce_each = 100;

constexpr std::array<Unflushed, 3> fates{Unflushed::lost, Unflushed::some, Unflushed::kept};
constexpr std::array<const char*, 3> fate_words{"unflushed sectors lost", "some unflushed sectors lost",
                                                "all written sectors kept"};

/// The value of `key=` in a line of the daemon's log; empty: not there.
std::string_view value_of(std::string_view line, std::string_view key) {
    const std::string wanted = fmt::format(" {}=", key);
    const std::size_t at = line.find(wanted);
    if (at == line.npos) return {};
    const std::string_view rest = line.substr(at + wanted.size());
    return rest.substr(0, rest.find(' '));
}

/// What a line of the daemon's log acknowledges: every mail of that mailbox up to this UID.
std::optional<MailName> acknowledged_by(std::string_view line) {
    const auto uid = text::number<std::uint32_t>(value_of(line, "through_uid"));
    const auto mailbox = value_of(line, "mailbox");
    if (!uid || mailbox.empty() || value_of(line, "pending") != "0") return std::nullopt;
    return MailName{fmt::format("{}@sim.test", mailbox), *uid};
}

/// Ends the game, in good order, when somebody wishes so. The signals are blocked.
void heed_signals() {
    sigset_t pending;
    ::sigpending(&pending);
    if (::sigismember(&pending, SIGINT) == 1 || ::sigismember(&pending, SIGTERM) == 1)
        throw std::runtime_error("stopped by a signal");
}

std::size_t size_by(std::mt19937_64& random) {
    const auto between = [&random](std::size_t least, std::size_t most) {
        return std::uniform_int_distribution<std::size_t>(least, most)(random);
    };
    const auto percent = between(0, 99);
    if (percent < 60) return between(600, 8000);
    if (percent < 92) return between(20'000, 60'000);
    return between(300'000, 600'000);  // streamed into the store
}

}  // namespace

Game::Game(Wish wish) : wish_(std::move(wish)), random_(wish_.seed) {
    const auto here = directory_.path();
    std::filesystem::permissions(here, std::filesystem::perms(0755));  // programs may run under another account
    for (const char* name : {"disk", "outside", "runtime", "store"}) std::filesystem::create_directory(here / name);
    const auto preload = here / "preload.so";
    std::filesystem::copy_file(wish_.preload, preload);
    wish_.preload = preload;

    authority_ = std::make_unique<sim::Authority>("powercut");
    PostOffice::Wish office{.store = here / "store", .authority = authority_.get()};
    if (speaks_pop3(wish_.program)) office.pop3_port = support::free_port();
    office_ = std::make_unique<PostOffice>(office);
    office.imap_port = office_->imap_port();
    const auto ca_file = here / "ca.pem";
    sim::write_private_file(ca_file, authority_->certificate_pem());
    std::filesystem::permissions(ca_file, std::filesystem::perms(0644));

    program_ = configured(wish_.program, {.disk = here / "disk",
                                          .outside = here / "outside",
                                          .runtime = here / "runtime",
                                          .ca_file = ca_file,
                                          .password = std::string(support::Dovecot::password),
                                          .imap_port = office.imap_port,
                                          .pop3_port = office.pop3_port});
    score_.name = program_.name;
    score_.version = program_.version;
    score_.configuration = program_.configuration;
    std::filesystem::permissions(here / "runtime", std::filesystem::perms(01777));
    formatted_ = formatted(wish_.file_system);
    // Before anything else is mounted: what a checker's thread takes along cannot be unmounted here.
    checker_ = std::make_unique<Checker>(Checker::Wish{.program = program_,
                                                       .office = office,
                                                       .disk = here / "disk",
                                                       .runtime = here / "runtime",
                                                       .file_system = wish_.file_system,
                                                       .threads = wish_.checkers},
                                         [this](const Cut& cut, const Verdict& verdict) { judged(cut, verdict); });
    disk_.emplace(here / "device");
    disk_file_ = Descriptor(::open(disk_->place().c_str(), O_RDWR | O_CLOEXEC));
    must(disk_file_.number() >= 0, "open the disk");
    referee_ = std::make_unique<Referee>(here / "referee", [this](const SyncEvent& event) { heard(event); });
}

Game::~Game() {
    process_.reset();
    mounted_.reset();
    disk_file_ = Descriptor();
}

Score Game::play() {
    while (!over()) {
        begin_world();
        // What a program without syncs leaves is nothing to go on from.
        const std::size_t world_ends = points_ + (wish_.break_sync ? points_of_a_life : points_of_a_world);
        prepare();
        while (!over() && points_ < world_ends) {
            if (program_.serve)
                live();
            else
                fetch_once();
        }
        close_disk();
    }
    checker_->finish();
    score_.syncs = syncs_;
    return score_;
}

void Game::open_disk(const Image& image) {
    disk_->load(image);
    mounted_.emplace(disk_file_.number(), wish_.file_system, directory_ / "disk");
    if (program_.account)
        must(::chown((directory_ / "disk").c_str(), program_.account->user, program_.account->group) == 0,
             "give the disk away");
    const std::lock_guard lock(mutex_);
    dark_ = false;
}

void Game::close_disk() {
    {
        const std::lock_guard lock(mutex_);
        dark_ = true;
    }
    process_.reset();  // SIGKILL
    mounted_.reset();
}

void Game::begin_world() {
    checker_->finish();  // cuts of the last world look at its mails
    {
        const std::lock_guard lock(mutex_);
        office_->clear();
        acknowledged_.clear();
        prepared_ = false;
        ++world_;
    }
    open_disk(formatted_);
    for (const std::string& address : program_.addresses) {
        const std::lock_guard lock(mutex_);
        office_->open(address);
    }
}

Game::Process::Start Game::under_test(Process::Start start) const {
    start.environment["LD_PRELOAD"] = wish_.preload.string();
    start.environment[referee_variable] = referee_->place().string();
    start.environment[device_variable] = std::to_string(mounted_->device());
    if (wish_.break_sync) start.environment[broken_variable] = "1";
    return start;
}

void Game::start(const Process::Start& start) {
    auto process = std::make_unique<Process>(under_test(start));
    const std::lock_guard lock(mutex_);
    process_ = std::move(process);
}

void Game::prepare() {
    if (program_.prepare) {
        const support::Ran ran = support::run_to_end(under_test(*program_.prepare), soon);
        if (ran.exit_code != 0) throw std::runtime_error(program_.name + " cannot be set up: " + ran.errors);
    }
    if (!program_.serve) {
        // Folders that a peer only finds: not what is tried here.
        const Descriptor place(::open((directory_ / "disk").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        must(::syncfs(place.number()) == 0, "sync the folders of a program");
    }
    const std::lock_guard lock(mutex_);
    prepared_ = !wish_.break_sync;
}

void Game::arrive() {
    const auto count = std::uniform_int_distribution<std::size_t>(1, mails_at_once_max)(random_);
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < count; ++i) {
        const auto which = std::uniform_int_distribution<std::size_t>(0, program_.addresses.size() - 1)(random_);
        office_->put(program_.addresses[which], size_by(random_));
        ++score_.mails;
    }
}

/// The daemon from its start to a power cut; the next life goes on from what that left.
void Game::live() {
    const std::size_t life_ends = points_ + points_of_a_life;
    start(*program_.serve);
    while (!over() && points_ < life_ends) {
        arrive();
        const auto taken = [this] {
            heed_signals();
            if (process_->wait(std::chrono::milliseconds(0)))
                throw std::runtime_error("the daemon ended: " + process_->errors());
            const std::lock_guard lock(mutex_);
            if (note_acknowledged()) cut("as soon as it was acknowledged");
            return over() || acknowledged_.size() == office_->put_so_far().size();
        };
        if (!support::eventually(taken, soon)) throw std::runtime_error("mail does not arrive: " + process_->errors());
    }
    {
        const std::lock_guard lock(mutex_);
        if (!over()) {
            note_acknowledged();
            cut("at the end of a life");
        }
        dark_ = true;
    }
    const Image left = last_image_;
    close_disk();
    if (!over()) open_disk(left);
}

/// Mail, and a program that takes it and ends.
void Game::fetch_once() {
    arrive();
    const MailNames offered = office_->put_so_far();
    start(program_.fetch);
    const auto ended = [this] {
        const std::lock_guard lock(mutex_);
        if (program_.acknowledges == Acknowledges::at_the_server && !over()) {
            if (note_acknowledged()) cut("as soon as it was acknowledged");
        }
        return process_->wait(std::chrono::milliseconds(0)).has_value();
    };
    const auto due = std::chrono::steady_clock::now() + soon;
    while (!ended()) {
        heed_signals();
        if (std::chrono::steady_clock::now() > due) throw std::runtime_error(program_.name + " does not end");
        process_->wait(look_again);  // without the lock: the referee wants it
    }
    const int code = *process_->wait(std::chrono::milliseconds(0));
    if (code != 0 && code != program_.nothing_new)
        throw std::runtime_error(fmt::format("{} ends with {}: {}{}", program_.name, code, process_->errors(),
                                             process_->read_line(std::chrono::milliseconds(0)).value_or("")));
    const std::lock_guard lock(mutex_);
    if (program_.acknowledges == Acknowledges::by_ending) acknowledged_ = offered;
    note_acknowledged();
    cut("after it had ended");
}

/// Reads the program's acknowledgements so far; whether there are more than before.
bool Game::note_acknowledged() {
    const std::size_t before = acknowledged_.size();
    if (program_.acknowledges == Acknowledges::in_its_log && process_) {
        const std::string log = process_->errors();
        for (const std::string_view line : text::split(std::string_view(log).substr(0, log.rfind('\n')), '\n')) {
            const auto through = acknowledged_by(line);
            if (!through) continue;
            for (const MailName& mail : office_->put_so_far())
                if (mail.address == through->address && mail.number <= through->number) acknowledged_.insert(mail);
        }
    }
    if (program_.acknowledges == Acknowledges::at_the_server) {
        MailNames gone = office_->put_so_far();
        for (const auto& [address, mailbox] : office_->mailboxes())
            for (const auto& file : mailbox.files) gone.erase(file.mail);
        acknowledged_ = std::move(gone);
    }
    return acknowledged_.size() > before;
}

/// What the server would have if everything acknowledged were deleted there.
Mailboxes Game::server_now() const {
    Mailboxes server = office_->mailboxes();
    for (auto& [address, mailbox] : server)
        std::erase_if(mailbox.files, [this](const auto& file) { return acknowledged_.contains(file.mail); });
    return server;
}

void Game::cut(const std::string& moment) {
    if (dark_ || over()) return;
    const std::size_t fate = points_ % fates.size();
    Cut made;
    made.point = ++points_;
    made.moment = fmt::format("{}, {}", moment, fate_words[fate]);
    made.prepared = prepared_;
    do {
        // The server before the disk: what was acknowledged by then must be there. Nor may more be acknowledged in
        // between, as that would be on the server as well and seem to come twice.
        made.server = server_now();
        made.acknowledged = acknowledged_;
        made.image = disk_->cut(fates[fate], wish_.seed + points_);
    } while (program_.acknowledges == Acknowledges::at_the_server && note_acknowledged());
    last_image_ = made.image;
    checker_->take(std::move(made));
}

void Game::heard(const SyncEvent& event) {
    const std::lock_guard lock(mutex_);
    if (dark_) return;
    const bool before = event.moment == SyncEvent::Moment::before;
    if (before && prepared_) ++syncs_;
    // While it is being set up nothing has been promised yet: a few of those moments will do.
    if (!prepared_ && ++events_of_setting_up_ % setting_up_stride != 0) return;
    note_acknowledged();
    cut(fmt::format("{} {}", before ? "before" : "after", event.call));
}

void Game::judged(const Cut& cut, const Verdict& verdict) {
    score_.points += 1;
    score_.points_with_loss += verdict.lost.empty() ? 0 : 1;
    score_.points_with_repeats += verdict.doubled.empty() ? 0 : 1;
    score_.points_amiss += verdict.torn > 0 || !verdict.left_behind.empty() ? 1 : 0;
    score_.failed += verdict.failed.empty() ? 0 : 1;
    score_.torn = std::max(score_.torn, verdict.torn);
    const auto add = [this](MailNames& to, const MailNames& more) {
        for (const MailName& mail : more) to.insert({mail.address, mail.number + world_ * mails_of_a_world_max});
    };
    add(score_.acknowledged, cut.acknowledged);
    add(score_.lost, verdict.lost);
    add(score_.doubled, verdict.doubled);
    add(score_.left_behind, verdict.left_behind);
    if (!verdict.clean() && announced_++ < 5) {
        fmt::print(stderr, "{}: point {} ({}):{}{}{} torn files {} {}\n", program_.name, cut.point, cut.moment,
                   verdict.lost.empty() ? "" : " lost " + words_of(verdict.lost),
                   verdict.doubled.empty() ? "" : " doubled " + words_of(verdict.doubled),
                   verdict.left_behind.empty() ? "" : " left behind " + words_of(verdict.left_behind), verdict.torn,
                   verdict.failed);
        if (!wish_.keep.empty()) save(cut.image, wish_.keep / fmt::format("{}-{}.img", program_.name, cut.point));
    }
    if (score_.points % announce_each == 0)
        fmt::print(stderr, "{}: {} points, {} with loss, {} with repeats\n", program_.name, score_.points,
                   score_.points_with_loss, score_.points_with_repeats);
}

}  // namespace powercut

#include "tests/support/mail_rig.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <stdexcept>

namespace support {

namespace {

constexpr std::size_t shown_max = 5;

std::string name_of(const std::string& address, std::uint32_t number) { return fmt::format("{} {}", address, number); }

std::string some_of(const Mails& mails, std::string_view what) {
    if (mails.empty()) return {};
    std::string text = fmt::format("{} {}:", mails.size(), what);
    std::size_t shown = 0;
    for (const std::string& mail : mails)
        if (shown++ < shown_max) text += fmt::format(" [{}]", mail);
    return text + "\n";
}

sim::Options options_of(const MailRig::Wish& wish, const Daemon& daemon) {
    sim::Options options;
    options.directory = daemon.file("provider");
    options.population.mailboxes = wish.mailboxes;
    options.rules = wish.rules;
    options.oidc = !wish.flow.empty();
    options.signed_in = wish.signed_in;
    options.client = wish.application;
    options.style = wish.style;
    options.submit_per_minute = wish.submit_per_minute;
    options.smtp_starts_tls = wish.smtp_starts_tls;
    options.shared_credential = wish.shared_credential;
    if (options.oidc) options.flow = wish.flow;
    options.consumer = wish.consumer.empty() ? "maildir:" + daemon.maildir().string() : wish.consumer;
    return options;
}

}  // namespace

Mails mails_in(const std::filesystem::path& maildir) {
    Mails mails;
    if (!std::filesystem::exists(maildir / "new")) return mails;
    for (const auto& entry : std::filesystem::directory_iterator(maildir / "new")) {
        const auto mark = sim::mark_of(contents_of(entry.path()));
        mails.insert(mark ? name_of(mark->mailbox, mark->number) : entry.path().filename().string());
    }
    return mails;
}

std::size_t count_in(const std::filesystem::path& maildir) {
    if (!std::filesystem::exists(maildir / "new")) return 0;
    const std::filesystem::directory_iterator entries(maildir / "new");
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

std::string difference(const Mails& expected, const Mails& found) {
    Mails missing, surplus;
    std::set_difference(expected.begin(), expected.end(), found.begin(), found.end(),
                        std::inserter(missing, missing.end()));
    std::set_difference(found.begin(), found.end(), expected.begin(), expected.end(),
                        std::inserter(surplus, surplus.end()));
    return some_of(missing, "missing") + some_of(surplus, "too many");
}

MailRig::Wish MailRig::senders(std::uint32_t mailboxes) {
    Wish wish;
    wish.server = Server::sim;
    wish.mailboxes = mailboxes;
    wish.submit_per_minute = 100'000;
    return wish;
}

MailRig::MailRig(Wish wish) : provider(options_of(wish, daemon)) {
    provider.start();
    if (wish.server == Server::sim) return;
    Dovecot::Wish dovecot_wish;
    dovecot_wish.introspection_port = provider.ports().http;
    dovecot_wish.authority = &provider.authority();
    dovecot = std::make_unique<Dovecot>(std::move(dovecot_wish));
}

void MailRig::put(std::uint32_t box, std::uint32_t count, std::size_t bytes) {
    const std::string to = address(box);
    std::vector<std::string> messages;
    for (std::uint32_t left = count; left > 0; --left) {
        const std::uint32_t number = ++last_number_[box];
        messages.push_back(sim::message_of(to, number, bytes));
        expected_.insert(name_of(to, number));
    }
    if (dovecot) return dovecot->put(to, messages);
    provider.ask([&](sim::World& world) {
        for (std::string& message : messages) world.arrive(*world.folder(to, "INBOX"), std::move(message));
        return 0;
    });
}

void MailRig::expect_not(std::uint32_t box, std::uint32_t uid) { expected_.erase(name_of(address(box), uid)); }

boost::json::object MailRig::document() const {
    const std::uint16_t port = dovecot ? dovecot->port() : provider.ports().imap;
    return boost::json::parse(provider.import_document_with(port)).as_object();
}

void MailRig::import() const { daemon.import(boost::json::serialize(document())); }

void MailRig::fault(const std::string& words) {
    const auto fault = sim::read_fault(words);
    if (!fault) throw std::runtime_error("no such fault: " + words);
    provider.ask([&](sim::World& world) {
        world.faults.add(*fault);
        return 0;
    });
}

void MailRig::clear_faults() {
    provider.ask([](sim::World& world) {
        world.faults.clear();
        return 0;
    });
}

sim::Counters MailRig::counters() {
    return provider.ask([](sim::World& world) { return world.counters; });
}

}  // namespace support

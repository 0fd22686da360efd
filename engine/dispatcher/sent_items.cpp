#include "engine/dispatcher/sent_items.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/submission/record.hpp"
#include "protocols/base/text.hpp"
#include "protocols/imap/command.hpp"

namespace dispatcher {
namespace {

/// In the order of trust; the last path element counts, too ("[Gmail]/Sent Mail", "INBOX.Sent").
constexpr std::array<std::string_view, 7> usual_names{"Sent Items", "Sent Mail",          "Sent Messages",    "Sent",
                                                      "Gesendet",   "Gesendete Elemente", "Gesendete Objekte"};

/// One look, step by step; `why` says what ended it.
class Look {
public:
    Look(Seams& seams, tokens::TokenClient& tokens, const Sender& sender)
        : seams_(seams), tokens_(tokens), sender_(sender) {}

    awaitable<bool> open();
    awaitable<std::optional<Looked>> find(const Trace& trace);
    awaitable<void> close();
    [[nodiscard]] Looked ended() const { return {sight_, why_}; }

private:
    awaitable<bool> log_in();
    awaitable<bool> open_folder();
    awaitable<std::optional<std::uint64_t>> search(std::string criteria);
    bool end(std::string why, std::optional<Sight> sight = std::nullopt) {
        why_ = std::move(why);
        sight_ = sight;
        return false;
    }

    Seams& seams_;
    tokens::TokenClient& tokens_;
    const Sender& sender_;
    std::unique_ptr<net::Stream> stream_;
    std::optional<imap::Client> client_;
    std::string folder_;
    std::string why_;
    std::optional<Sight> sight_;
};

awaitable<bool> Look::open() {
    if (!sender_.place->provider.imap) {
        co_return end(fmt::format("provider {} has no imap host", sender_.place->provider.id), Sight::no_sight);
    }
    const auto& host = *sender_.place->provider.imap;
    net::Dial to;
    to.host = host.host;
    to.port = host.port;
    to.tls = sender_.place->tls;
    auto stream = co_await seams_.dialer.dial(std::move(to));
    if (!stream) {
        co_return end(fmt::format("connecting to {}:{} failed: {}", host.host, host.port, stream.error().message()));
    }
    stream_ = std::move(*stream);
    client_.emplace(*stream_, imap::Limits{}, imap::Paces{});
    bool in = co_await log_in();
    if (!in) co_return false;
    bool seen = co_await open_folder();
    co_return seen;
}

awaitable<bool> Look::log_in() {
    auto greeting = co_await client_->greet();
    if (!greeting) co_return end("greeting: " + greeting.error().message());
    auto learned = co_await client_->learn_capabilities();
    if (!learned) co_return end("capabilities: " + learned.error().message());
    auto answer = co_await tokens_.token_for(sender_.credential);
    if (auto* none = std::get_if<tokens::NoToken>(&answer)) co_return end(none->reason);
    auto& token = std::get<tokens::Token>(answer);
    imap::Login login;
    const bool only_bearer = client_->can("AUTH=OAUTHBEARER") && !client_->can("AUTH=XOAUTH2");
    login.mechanism = only_bearer ? imap::Mechanism::oauthbearer : imap::Mechanism::xoauth2;
    if (sender_.password)
        login.mechanism = client_->can("AUTH=PLAIN") ? imap::Mechanism::plain : imap::Mechanism::login;
    login.user = sender_.imap_login;
    login.secret = Secret(std::string(token.secret.reveal()));
    login.host = sender_.place->provider.imap->host;
    login.port = sender_.place->provider.imap->port;
    auto said = co_await client_->log_in(std::move(login));
    if (!said) co_return end("log-in over IMAP: " + said.error().message());
    if (!said->ok())
        co_return end(fmt::format("the log-in over IMAP as {} was refused: {}", sender_.imap_login, said->text));
    co_return true;
}

awaitable<bool> Look::open_folder() {
    auto listed = co_await client_->list("*");
    if (!listed) co_return end("list of folders: " + listed.error().message());
    if (!listed->answer.ok()) co_return end("the list of folders was refused: " + listed->answer.text);
    const auto folder = sent_folder_of(listed->entries);
    if (!folder) co_return end("the mailbox has no folder for sent mail", Sight::no_sight);
    folder_ = *folder;
    auto opened = co_await client_->open(folder_, imap::Client::Access::read_only);
    if (!opened) co_return end(fmt::format("folder {}: {}", folder_, opened.error().message()));
    if (!opened->answer.ok()) co_return end(fmt::format("folder {} was refused: {}", folder_, opened->answer.text));
    co_return true;
}

/// How many there are; nullopt: the look is over.
awaitable<std::optional<std::uint64_t>> Look::search(std::string criteria) {
    auto found = co_await client_->search(std::move(criteria));
    if (!found) {
        end("search: " + found.error().message());
        co_return std::nullopt;
    }
    if (!found->answer.ok()) {
        end("the search was refused: " + found->answer.text);
        co_return std::nullopt;
    }
    co_return found->uids.count();
}

awaitable<std::optional<Looked>> Look::find(const Trace& trace) {
    // Applications use a Message-ID more than once (a copy for each recipient, a mail handed in again): by its id a
    // message is only recognised where our own field was lost on the way. RFC 3501 §6.4.4: HEADER field "" is any.
    const std::string unmarked = fmt::format(" NOT HEADER {} \"\"", submission::mark_header);
    struct By {
        std::string_view header, value;
        std::string_view further;
    };
    const std::array<By, 3> ways{By{submission::mark_header, trace.mark, ""},
                                 By{"Message-ID", trace.message_id, unmarked},
                                 By{"X-Microsoft-Original-Message-ID", trace.message_id, unmarked}};
    for (const auto& [header, value, further] : ways) {
        if (value.empty()) continue;
        auto found = co_await search(fmt::format("HEADER {} {}{}", header, imap::quoted(value), further));
        if (!found) co_return std::nullopt;
        if (*found > trace.copies)
            co_return Looked{Sight::found, fmt::format("found in {} by its {}", folder_, header)};
    }
    co_return Looked{Sight::not_found, fmt::format("not in {}", folder_)};
}

awaitable<void> Look::close() {
    if (!client_) co_return;
    auto left = co_await client_->log_out();
    static_cast<void>(left);
    stream_->close();
}

}  // namespace

std::optional<std::string> sent_folder_of(const std::vector<imap::ListEntry>& entries) {
    for (const auto& entry : entries) {
        const bool marked = std::any_of(entry.attributes.begin(), entry.attributes.end(),
                                        [](const std::string& attribute) { return text::same(attribute, "\\Sent"); });
        if (marked) return entry.name;
    }
    for (const auto usual : usual_names) {
        for (const auto& entry : entries) {
            const auto parent = entry.delimiter == 0 ? std::string::npos : entry.name.rfind(entry.delimiter);
            const auto last = parent == std::string::npos ? entry.name : entry.name.substr(parent + 1);
            if (text::same(last, usual)) return entry.name;
        }
    }
    return std::nullopt;
}

awaitable<std::vector<Looked>> look_into_sent_items(Seams& seams, tokens::TokenClient& tokens, Sender sender,
                                                    std::vector<Trace> traces) {
    std::vector<Looked> results;
    Look look(seams, tokens, sender);
    bool opened = co_await look.open();
    for (const auto& trace : traces) {
        std::optional<Looked> found;
        if (opened) found = co_await look.find(trace);
        opened = found.has_value();
        results.push_back(found ? std::move(*found) : look.ended());
    }
    if (opened) co_await look.close();
    co_return results;
}

}  // namespace dispatcher

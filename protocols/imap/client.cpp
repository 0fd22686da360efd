#include "protocols/imap/client.hpp"

#include <algorithm>
#include <utility>

#include "protocols/base/text.hpp"
#include "protocols/imap/client_impl.hpp"
#include "protocols/imap/parse.hpp"

namespace imap {

Client::Client(net::Stream& stream, Limits limits, Paces paces)
    : impl_(std::make_unique<Impl>(stream, limits, paces)) {}

Client::~Client() = default;

awaitable<Result<Answer>> Client::greet() {
    impl_->stream.allow(impl_->paces.greeting);
    for (;;) {
        const std::string_view unread = impl_->stream.unread();
        const auto event = impl_->reader.read(unread);
        if (!event) co_return errc::malformed_greeting;
        if (event->kind == ResponseReader::Event::Kind::response) {
            const std::string text(event->text);
            impl_->stream.consume(event->used_bytes);
            impl_->dialogue.received(text);
            const Response response = read_response(text);
            if (response.is("PREAUTH")) co_return errc::preauth_refused;
            impl_->session.take_in(response);
            if (impl_->session.said_bye()) co_return errc::bye;
            if (!response.is("OK")) co_return errc::malformed_greeting;
            StatusText words = read_status_text(response.rest);
            Answer answer{Status::ok, std::move(words.code), std::move(words.text)};
            co_return answer;
        }
        if (event->kind != ResponseReader::Event::Kind::more) co_return errc::malformed_greeting;
        impl_->stream.consume(event->used_bytes);
        auto read = co_await impl_->stream.read_more();
        if (!read) co_return read.error();
    }
}

awaitable<Result<Answer>> Client::learn_capabilities() {
    if (impl_->session.knows_capabilities()) co_return Answer{};
    auto answer = co_await impl_->ask_capabilities();
    co_return answer;
}

awaitable<Result<Answer>> Client::Impl::ask_capabilities() {
    Exchange exchange{.tag = session.next_tag()};
    Command command(exchange.tag, "CAPABILITY");
    auto answer = co_await run(std::move(command), exchange);
    co_return answer;
}

bool Client::can(std::string_view capability) const { return impl_->session.can(capability); }

std::vector<std::string> Client::capabilities() const { return impl_->session.capabilities(); }

awaitable<Result<Answer>> Client::identify(std::vector<std::pair<std::string, std::string>> fields) {
    if (!can("ID")) co_return Answer{};
    std::string list;
    for (const auto& [name, value] : fields) {
        if (!is_plain_text(name) || !is_plain_text(value)) co_return errc::bad_argument;
        list += (list.empty() ? "(" : " ") + quoted(name) + ' ' + quoted(value);
    }
    list += list.empty() ? "NIL" : ")";
    Exchange exchange{.tag = impl_->session.next_tag()};
    Command command(exchange.tag, "ID");
    command.word(list);
    auto answer = co_await impl_->run(std::move(command), exchange);
    co_return answer;
}

awaitable<Result<Answer>> Client::enable_utf8() {
    if (!can("UTF8=ACCEPT") && !can("UTF8=ONLY")) co_return Answer{};
    Exchange exchange{.tag = impl_->session.next_tag()};
    bool enabled = false;
    exchange.listener = [&enabled](const Response& response) -> Result<void> {
        if (response.is("ENABLED") && text::find_same(response.rest, "UTF8=ACCEPT") != std::string_view::npos)
            enabled = true;
        return {};
    };
    Command command(exchange.tag, "ENABLE UTF8=ACCEPT");
    auto answer = co_await impl_->run(std::move(command), exchange);
    if (enabled) impl_->session.enable_utf8();
    co_return answer;
}

awaitable<Result<Client::Listed>> Client::list(std::string pattern) {
    Listed listed;
    std::size_t listed_bytes = 0;
    Exchange exchange{.tag = impl_->session.next_tag()};
    exchange.listener = [this, &listed, &listed_bytes](const Response& response) -> Result<void> {
        if (!response.is("LIST")) return {};
        listed_bytes += response.rest.size();
        if (listed.entries.size() == impl_->limits.list_entries_max || listed_bytes > impl_->limits.list_bytes_max)
            return errc::too_many_responses;
        auto entry = read_list_entry(response.rest, impl_->session.coding());
        if (entry) listed.entries.push_back(std::move(*entry));
        return {};
    };
    Command command(exchange.tag, "LIST \"\"");
    const auto named = command.astring(impl_->session.wire_name(pattern), impl_->session.syntax());
    if (!named) co_return named.error();
    auto answer = co_await impl_->run(std::move(command), exchange);
    if (!answer) co_return answer.error();
    listed.answer = std::move(*answer);
    co_return listed;
}

awaitable<Result<Client::Opened>> Client::open(std::string folder, Access access) {
    Exchange exchange{.tag = impl_->session.next_tag()};
    Command command(exchange.tag, access == Access::read_only ? "EXAMINE" : "SELECT");
    const auto named = command.astring(impl_->session.wire_name(folder), impl_->session.syntax());
    if (!named) co_return named.error();
    impl_->session.forget_selected();
    impl_->last_fetched = {};
    auto answer = co_await impl_->run(std::move(command), exchange);
    if (!answer) co_return answer.error();
    if (!answer->ok()) impl_->session.forget_selected();
    if (access == Access::read_only) impl_->session.selected_read_only();
    Opened opened{std::move(*answer), impl_->session.selected()};
    co_return opened;
}

const Selected& Client::selected() const noexcept { return impl_->session.selected(); }
std::uint32_t Client::arrivals() const noexcept { return impl_->session.arrivals(); }

awaitable<Result<Client::Found>> Client::search(std::string criteria) {
    if (!is_plain_text(criteria)) co_return errc::bad_argument;
    Found found;
    Exchange exchange{.tag = impl_->session.next_tag()};
    exchange.found = &found.uids;
    exchange.listener = [this, &exchange](const Response& response) -> Result<void> {
        if (!response.is("ESEARCH")) return {};
        UidSet more;
        auto read = read_esearch(response.rest, impl_->limits.ranges_max, more);
        if (!read) return read;
        return impl_->take_found(more, exchange);
    };
    Command command(exchange.tag, "UID SEARCH");
    command.word(criteria);
    auto answer = co_await impl_->run(std::move(command), exchange);
    if (!answer) co_return answer.error();
    found.answer = std::move(*answer);
    co_return found;
}

awaitable<Result<Client::Counted>> Client::status(std::string folder) {
    Counted counted;
    Exchange exchange{.tag = impl_->session.next_tag()};
    exchange.listener = [&counted](const Response& response) -> Result<void> {
        if (!response.is("STATUS")) return {};
        auto status = read_status(response.rest);
        if (!status) return status.error();
        counted.status = *status;
        return {};
    };
    Command command(exchange.tag, "STATUS");
    const auto named = command.astring(impl_->session.wire_name(folder), impl_->session.syntax());
    if (!named) co_return named.error();
    command.word("(MESSAGES UIDNEXT UIDVALIDITY)");
    auto answer = co_await impl_->run(std::move(command), exchange);
    if (!answer) co_return answer.error();
    counted.answer = std::move(*answer);
    co_return counted;
}

awaitable<Result<Answer>> Client::noop() {
    Exchange exchange{.tag = impl_->session.next_tag()};
    Command command(exchange.tag, "NOOP");
    auto answer = co_await impl_->run(std::move(command), exchange);
    co_return answer;
}

awaitable<Result<void>> Client::log_out() {
    Exchange exchange{.tag = impl_->session.next_tag()};
    Command command(exchange.tag, "LOGOUT");
    auto answer = co_await impl_->run(std::move(command), exchange);
    // After its BYE the server owes nothing; some hang up without the tagged answer.
    if (answer || answer.error() == errc::bye) co_return Result<void>();
    co_return answer.error();
}

std::vector<std::string> Client::last_lines() const { return impl_->dialogue.lines(); }

std::optional<FetchItem> Client::unfinished() const {
    if (!impl_->reader.in_fetch()) return std::nullopt;
    return impl_->reader.item();
}

const std::string& Client::bye() const noexcept { return impl_->session.bye(); }

}  // namespace imap

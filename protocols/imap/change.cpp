// What a client changes on the server: flags, and where messages are.

#include <utility>

#include "protocols/imap/client.hpp"
#include "protocols/imap/client_impl.hpp"

namespace imap {

awaitable<Result<Answer>> Client::add_flags(UidSet uids, std::string flags) {
    if (!is_plain_text(flags)) co_return errc::bad_argument;
    Exchange exchange{.tag = impl_->session.next_tag()};
    Command command(exchange.tag, "UID STORE");
    command.word(uids.text()).word("+FLAGS.SILENT").word('(' + flags + ')');
    auto answer = co_await impl_->run(std::move(command), exchange);
    co_return answer;
}

awaitable<Result<Answer>> Client::copy(UidSet uids, std::string folder) {
    auto answer = co_await impl_->put_into("UID COPY", std::move(uids), std::move(folder));
    co_return answer;
}

awaitable<Result<Answer>> Client::move(UidSet uids, std::string folder) {
    auto answer = co_await impl_->put_into("UID MOVE", std::move(uids), std::move(folder));
    co_return answer;
}

awaitable<Result<Answer>> Client::Impl::put_into(std::string name, UidSet uids, std::string folder) {
    Exchange exchange{.tag = session.next_tag()};
    Command command(exchange.tag, name);
    command.word(uids.text());
    const auto named = command.astring(session.wire_name(folder), session.syntax());
    if (!named) co_return named.error();
    auto answer = co_await run(std::move(command), exchange);
    co_return answer;
}

awaitable<Result<Answer>> Client::expunge(UidSet uids) {
    Exchange exchange{.tag = impl_->session.next_tag()};
    Command command(exchange.tag, "UID EXPUNGE");
    command.word(uids.text());
    auto answer = co_await impl_->run(std::move(command), exchange);
    co_return answer;
}

awaitable<Result<Answer>> Client::expunge_all() {
    Exchange exchange{.tag = impl_->session.next_tag()};
    Command command(exchange.tag, "EXPUNGE");
    auto answer = co_await impl_->run(std::move(command), exchange);
    co_return answer;
}

awaitable<Result<Answer>> Client::create(std::string folder) {
    Exchange exchange{.tag = impl_->session.next_tag()};
    Command command(exchange.tag, "CREATE");
    const auto named = command.astring(impl_->session.wire_name(folder), impl_->session.syntax());
    if (!named) co_return named.error();
    auto answer = co_await impl_->run(std::move(command), exchange);
    co_return answer;
}

}  // namespace imap

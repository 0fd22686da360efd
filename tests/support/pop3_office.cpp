#include "tests/support/pop3_office.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "protocols/base/text.hpp"
#include "protocols/net/errc.hpp"

namespace support {

class Pop3Office::Connection final : public net::Stream {
public:
    explicit Connection(Pop3Office& office) : office_(office), mails_(office.mails), removed_(mails_.size()) {
        say("+OK ready");
    }

    std::string_view unread() const noexcept override { return unread_; }
    void consume(std::size_t bytes) override { unread_.erase(0, bytes); }
    awaitable<Result<void>> read_more() override {
        if (is_cut()) co_return net::errc::reset;
        if (said_.empty()) co_return net::errc::closed;
        unread_ += std::exchange(said_, {});
        co_return Result<void>();
    }
    awaitable<Result<void>> write(std::string_view bytes) override {
        if (is_cut()) co_return net::errc::reset;
        heard_ += bytes;
        for (auto end = heard_.find("\r\n"); end != std::string::npos; end = heard_.find("\r\n")) {
            obey(heard_.substr(0, end));
            heard_.erase(0, end + 2);
        }
        co_return Result<void>();
    }
    void allow(net::Pace) override {}
    awaitable<Result<void>> start_tls(const net::TlsClient&, std::string) override { co_return Result<void>(); }
    bool encrypted() const noexcept override { return true; }
    void close() noexcept override { cut_ = true; }
    std::string peer() const override { return "pop3 office"; }
    Traffic traffic() const noexcept override { return {}; }

private:
    bool is_cut() {
        if (++office_.calls_ == office_.cut_at_) cut_ = true;
        return cut_;
    }
    void say(std::string_view line) { said_.append(line).append("\r\n"); }
    void say_lines(std::string_view text) {
        while (!text.empty()) {
            const auto end = text.find("\r\n");
            if (text.starts_with('.')) said_ += '.';
            said_.append(text.substr(0, end)).append("\r\n");
            text.remove_prefix(std::min(text.size(), end == std::string_view::npos ? end : end + 2));
        }
        say(".");
    }
    void obey(const std::string& line) {
        const auto words = text::split(line, ' ');
        const auto& command = words[0];
        const auto number = words.size() > 1 ? text::number<std::size_t>(words[1]).value_or(0) : 0;
        const bool there = number >= 1 && number <= mails_.size() && !removed_[number - 1];
        if (command == "CAPA") {
            say("+OK");
            if (office_.uidl) say("UIDL");
            if (office_.top) say("TOP");
            if (office_.pipelining) say("PIPELINING");
            say(".");
        } else if (command == "LIST" || (command == "UIDL" && office_.uidl)) {
            say("+OK");
            for (std::size_t i = 0; i < mails_.size(); ++i) {
                const auto bytes = std::max<std::int64_t>(
                    static_cast<std::int64_t>(mails_[i].body.size()) + office_.listed_too_much, 0);
                say(command == "LIST" ? fmt::format("{} {}", i + 1, bytes)
                                      : fmt::format("{} {}", i + 1, mails_[i].uidl));
            }
            say(".");
        } else if (command == "TOP" && office_.top && there) {
            ++office_.heads;
            const auto& body = mails_[number - 1].body;
            say("+OK");
            say_lines(std::string_view(body).substr(0, body.find("\r\n\r\n") + 4));
        } else if (command == "RETR" && there && !office_.refused.contains(mails_[number - 1].uidl)) {
            office_.retrieved.push_back(mails_[number - 1].uidl);
            say("+OK");
            say_lines(mails_[number - 1].body);
        } else if (command == "DELE" && there) {
            removed_[number - 1] = true;
            say("+OK");
        } else if (command == "QUIT") {
            quit();
        } else {
            say("-ERR no");
        }
    }
    void quit() {
        ++office_.quits;
        if (!office_.quit_refused.empty()) return say(office_.quit_refused);
        for (std::size_t i = 0; i < mails_.size(); ++i) {
            if (!removed_[i]) continue;
            std::erase_if(office_.mails, [&](const Mail& mail) { return mail.uidl == mails_[i].uidl; });
        }
        say("+OK bye");
    }

    Pop3Office& office_;
    std::vector<Mail> mails_;  // as they were when it began
    std::vector<bool> removed_;
    std::string said_;
    std::string unread_;
    std::string heard_;
    bool cut_ = false;
};

std::unique_ptr<net::Stream> Pop3Office::connect() { return std::make_unique<Connection>(*this); }

}  // namespace support

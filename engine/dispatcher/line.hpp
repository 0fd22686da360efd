#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/dispatcher/route.hpp"
#include "engine/tokens/token_client.hpp"
#include "protocols/net/seams.hpp"
#include "protocols/smtp/client.hpp"

namespace dispatcher {

/// A connection that is logged in and may be handed mail, again and again. One shard.
class Line {
public:
    struct Sizes {
        smtp::Limits limits;
        smtp::Paces paces;
        std::string greeting_name;  // for EHLO: our own domain or address literal
    };
    struct Uses {
        Seams& seams;
        tokens::TokenClient& tokens;
        const Sizes& sizes;
    };
    /// The line, or why there is none. `why.cause` is what the account suffers from.
    struct Opened {
        std::unique_ptr<Line> line;
        Effect why{};
        bool token_refused = false;
    };
    /// A token that is refused is replaced at once, and the fresh one tried, once.
    static awaitable<Opened> open(Uses uses, Sender sender);
    ~Line();

    [[nodiscard]] smtp::Client& client() noexcept { return client_; }
    /// It leads where the sender's mail goes as configured now.
    [[nodiscard]] bool serves(const Sender& sender) const { return sender.place && sender.place->version == place_; }
    /// "smtp.example:587"
    [[nodiscard]] const std::string& server() const noexcept { return server_; }
    Monotonic resting_since{};

private:
    Line(std::unique_ptr<net::Stream> stream, const Sizes& sizes, std::string server, const store::Digest& place);
    static awaitable<Opened> connect(Uses uses, const Sender& sender, tokens::Token token);
    static awaitable<Effect> greet(Line& line, const Sizes& sizes, const Sender& sender);
    static awaitable<Effect> log_in(Line& line, Uses uses, const Sender& sender, tokens::Token token);

    std::unique_ptr<net::Stream> stream_;
    smtp::Client client_;
    std::string server_;
    store::Digest place_;
};

}  // namespace dispatcher

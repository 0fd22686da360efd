/// What a proxy answers, CONNECT and SOCKS5, with and without a login: any split reads the same, and the bytes behind
/// the answer belong to the far end.

#include "protocols/net/proxy.hpp"
#include "tests/fuzz/random_peer.hpp"
#include "tests/support/run_coroutine.hpp"

namespace {

constexpr std::size_t answer_bytes_max = 16 * 1024;

/// How long the answer of a proxy is that let us pass.
std::size_t answer_bytes(std::string_view input, net::Proxy::Kind kind) {
    if (kind == net::Proxy::Kind::http_connect) return input.find("\r\n\r\n") + 4;
    const std::size_t reply = input[1] == 2 ? 4 : 2;  // behind the method, and the login
    const char address = input[reply + 3];
    if (address == 3) return reply + 7 + static_cast<unsigned char>(input[reply + 4]);
    return reply + (address == 1 ? 10 : 22);
}

std::string outcome(std::string_view input, const net::Proxy& proxy, fuzz::Arrival arrival) {
    fuzz::RandomPeer peer(input, arrival);
    const auto passed = support::run_coroutine(net::pass_proxy(peer, proxy, "imap.example.com", 993));
    if (arrival != fuzz::Arrival::whole)
        fuzz::expect(peer.unread_bytes_max() <= answer_bytes_max + 500, "an answer has a limit");
    std::string words = passed ? "passed" : passed.error().message();
    words += '\n' + peer.written();
    if (passed) fuzz::expect(peer.left() == input.substr(answer_bytes(input, proxy.kind)), "the rest is the far end's");
    return words;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto input = fuzz::text_of(bytes, size);
    for (const auto kind : {net::Proxy::Kind::http_connect, net::Proxy::Kind::socks5}) {
        for (const auto* const user : {"", "user"}) {
            net::Proxy proxy;
            proxy.kind = kind;
            proxy.host = "proxy.example.com";
            proxy.port = 1080;
            proxy.user = user;
            proxy.password = Secret("pass");
            const std::string whole = outcome(input, proxy, fuzz::Arrival::whole);
            fuzz::expect(outcome(input, proxy, fuzz::Arrival::bytes) == whole, "byte by byte reads the same");
            fuzz::expect(outcome(input, proxy, fuzz::Arrival::pieces) == whole, "any split reads the same");
        }
    }
    return 0;
}

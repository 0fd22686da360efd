#include "bench/senders.hpp"

namespace bench {

std::string address_of(std::size_t mailbox) { return "box" + std::to_string(mailbox) + "@bench.test"; }

Result<void> make_senders(store::Store& store, std::size_t count) {
    const auto begun = store.begin();
    if (!begun) return begun.error();
    for (std::size_t at = 0; at < count; ++at) {
        const std::string document = R"({"id":"box)" + std::to_string(at) + R"(","address":")" + address_of(at) +
                                     R"(","credential":"c","submit":{}})";
        const auto mailbox = store.put_mailbox("box" + std::to_string(at), document);
        if (!mailbox) return mailbox.error();
    }
    return store.commit();
}

}  // namespace bench

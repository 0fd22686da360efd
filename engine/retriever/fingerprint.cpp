#include "engine/retriever/fingerprint.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <string>

#include "protocols/base/ensure.hpp"
#include "protocols/imap/types.hpp"
#include "protocols/mime/headers.hpp"

namespace retriever {

namespace {

/// SHA-256 over length-prefixed fields, so that no two lists of fields look alike.
class Hash {
public:
    Hash() : context_(EVP_MD_CTX_new()) {
        static const EVP_MD* sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);  // fetching it each time costs more
        ensure(EVP_DigestInit_ex(context_.get(), sha256, nullptr) == 1, "SHA-256 is there");
    }
    Hash& add(std::string_view field) {
        std::array<unsigned char, 8> length{};
        for (std::size_t i = 0; i < length.size(); ++i) {
            length[i] = static_cast<unsigned char>(static_cast<std::uint64_t>(field.size()) >> (8 * i));
        }
        EVP_DigestUpdate(context_.get(), length.data(), length.size());
        EVP_DigestUpdate(context_.get(), field.data(), field.size());
        return *this;
    }
    store::Digest digest() {
        std::array<unsigned char, EVP_MAX_MD_SIZE> whole{};
        ensure(EVP_DigestFinal_ex(context_.get(), whole.data(), nullptr) == 1, "a digest ends");
        store::Digest cut{};
        std::copy_n(whole.begin(), cut.size(), cut.begin());
        return cut;
    }

private:
    struct Free {
        void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    };
    std::unique_ptr<EVP_MD_CTX, Free> context_;
};

/// In UTC: a server that comes back with its mail often comes back in another time zone.
std::string in_utc(std::string_view internal_date) {
    const auto seconds = internal_date.ends_with("+0000") ? std::nullopt : imap::read_internal_date(internal_date);
    if (!seconds) return std::string(internal_date);
    return fmt::format("{:%d-%b-%Y %H:%M:%S} +0000", fmt::gmtime(static_cast<std::time_t>(*seconds)));
}

}  // namespace

store::Digest message_id_of(std::string_view mailbox_id, std::string_view folder, std::uint32_t uid_validity,
                            std::uint32_t uid) {
    const auto place = fmt::format("{}:{}", uid_validity, uid);
    return Hash().add("rohrpost message id 1").add(mailbox_id).add(folder).add(place).digest();
}

store::Digest next_message_id(const store::Digest& taken) {
    return Hash().add("rohrpost message id after").add(hex_of(taken)).digest();
}

store::Digest fingerprint_of(std::string_view head, std::string_view internal_date) {
    const auto facts = mime::scan_headers(head);
    Hash hash;
    hash.add("rohrpost fingerprint 1").add(in_utc(internal_date));
    if (facts.message_id.empty() && facts.date.empty() && facts.from.empty() && facts.subject.empty()) {
        return hash.add(head.substr(0, mime::header_bytes_max)).digest();
    }
    hash.add(facts.message_id).add(facts.date).add(facts.from).add(facts.subject).add(facts.oldest_received);
    return hash.digest();
}

bool proves_identity(std::string_view head) {
    const auto facts = mime::scan_headers(head);
    return !facts.message_id.empty() || !facts.oldest_received.empty();
}

std::string hex_of(const store::Digest& digest) {
    std::string hex;
    for (const auto byte : digest) hex += fmt::format("{:02x}", byte);
    return hex;
}

}  // namespace retriever

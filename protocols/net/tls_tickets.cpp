#include "protocols/net/tls_tickets.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <ctime>
#include <utility>

namespace net {

namespace {

constexpr long ticket_age_max_seconds = 12 * 3600;

bool fresh(const SSL_SESSION* session) noexcept {
    const long age = static_cast<long>(std::time(nullptr)) - SSL_SESSION_get_time(session);
    return SSL_SESSION_is_resumable(session) == 1 && age >= 0 &&
           age < std::min(ticket_age_max_seconds, SSL_SESSION_get_timeout(session));
}

}  // namespace

void TicketSlot::keep(OpenSslPtr<SSL_SESSION> session) {
    const std::lock_guard lock(mutex_);
    std::swap(session_, session);
}

OpenSslPtr<SSL_SESSION> TicketSlot::copy() const {
    const std::lock_guard lock(mutex_);
    if (!session_ || !fresh(session_.get())) return nullptr;
    return OpenSslPtr<SSL_SESSION>(SSL_SESSION_dup(session_.get()));
}

std::shared_ptr<TicketSlot> Tickets::slot(const std::string& host, std::uint16_t port) {
    const std::lock_guard lock(mutex_);
    if (slots_.size() >= slots_max) slots_.clear();  // open connections keep theirs
    auto& slot = slots_[host + ':' + std::to_string(port)];
    if (!slot) slot = std::make_shared<TicketSlot>();
    return slot;
}

void Certificates::share(STACK_OF(X509) * chain) {
    for (int i = 0; i < sk_X509_num(chain); ++i) {
        X509* own = sk_X509_value(chain, i);
        Digest digest{};
        if (X509_digest(own, EVP_sha256(), digest.data(), nullptr) != 1) continue;
        const std::lock_guard lock(mutex_);
        if (shared_.size() >= certificates_max) shared_.clear();  // open connections keep theirs
        auto& shared = shared_[digest];
        if (!shared) {
            X509_up_ref(own);
            shared.reset(own);
        } else if (shared.get() != own) {
            X509_up_ref(shared.get());
            sk_X509_set(chain, i, shared.get());
            X509_free(own);
        }
    }
}

std::size_t Certificates::count() const {
    const std::lock_guard lock(mutex_);
    return shared_.size();
}

}  // namespace net

#include "protocols/net/tls_survey.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>

#include "protocols/base/text.hpp"
#include "protocols/net/certificate_fault.hpp"
#include "protocols/net/tls_tickets.hpp"

namespace net {

namespace {

constexpr std::size_t names_max = 64;
constexpr std::size_t text_bytes_max = 300;
constexpr std::size_t handshake_bytes_max = 256 * 1024;

struct FreeBio {
    void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
using BioPtr = std::unique_ptr<BIO, FreeBio>;
struct FreeNames {
    void operator()(GENERAL_NAMES* names) const noexcept { GENERAL_NAMES_free(names); }
};

std::string_view bytes_in(BIO* bio) {
    char* bytes = nullptr;
    const long count = BIO_get_mem_data(bio, &bytes);
    return {bytes, static_cast<std::size_t>(count)};
}

void note(std::vector<errc>& flaws, errc flaw) {
    if (std::find(flaws.begin(), flaws.end(), flaw) == flaws.end()) flaws.push_back(flaw);
}

/// Goes on whatever is wrong, and keeps it.
int keep_flaw(int good, X509_STORE_CTX* verification) {
    if (good == 1) return 1;
    const auto* ssl =
        static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto* flaws = static_cast<std::vector<errc>*>(SSL_get_app_data(ssl));
    note(*flaws, certificate_fault(X509_STORE_CTX_get_error(verification)));
    return 1;
}

std::string text_of(const X509_NAME* name) {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_ONELINE & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
    return text::printable(bytes_in(bio.get()), text_bytes_max);
}

WallTime time_of(const ASN1_TIME* time) {
    tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
    return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

std::string name_of(const GENERAL_NAME& name) {
    if (name.type == GEN_DNS) {
        const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name.d.dNSName));
        const std::string_view host(bytes, static_cast<std::size_t>(ASN1_STRING_length(name.d.dNSName)));
        return text::printable(host, text_bytes_max);
    }
    if (name.type != GEN_IPADD) return {};
    const unsigned char* bytes = ASN1_STRING_get0_data(name.d.iPAddress);
    boost::asio::ip::address_v4::bytes_type v4{};
    boost::asio::ip::address_v6::bytes_type v6{};
    const auto count = static_cast<std::size_t>(ASN1_STRING_length(name.d.iPAddress));
    if (count == v4.size()) {
        std::copy_n(bytes, count, v4.begin());
        return boost::asio::ip::address_v4(v4).to_string();
    }
    if (count != v6.size()) return {};
    std::copy_n(bytes, count, v6.begin());
    return boost::asio::ip::address_v6(v6).to_string();
}

std::vector<std::string> names_of(const X509* certificate) {
    const std::unique_ptr<GENERAL_NAMES, FreeNames> list(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    std::vector<std::string> names;
    for (int i = 0; i < sk_GENERAL_NAME_num(list.get()) && names.size() < names_max; ++i) {
        auto name = name_of(*sk_GENERAL_NAME_value(list.get(), i));
        if (!name.empty()) names.push_back(std::move(name));
    }
    return names;
}

/// One handshake between memory and memory.
class Survey {
public:
    Result<void> prepare(std::string host, const std::string& ca_file) {
        context_.reset(SSL_CTX_new(TLS_client_method()));
        SSL_CTX* context = context_.get();
        SSL_CTX_set_security_level(context, 0);  // what is too weak is to be seen
        SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, keep_flaw);
        const int trusted = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context)
                                            : SSL_CTX_load_verify_file(context, ca_file.c_str());
        ERR_clear_error();
        if (trusted != 1) return errc::ca_file_unreadable;
        ssl_.reset(SSL_new(context));
        in_ = BIO_new(BIO_s_mem());
        out_ = BIO_new(BIO_s_mem());
        BIO_set_mem_eof_return(in_, -1);
        SSL_set_bio(ssl_.get(), in_, out_);
        SSL_set_app_data(ssl_.get(), &flaws_);
        SSL_set_connect_state(ssl_.get());
        if (host.ends_with('.')) host.pop_back();
        boost::system::error_code not_an_address;
        boost::asio::ip::make_address(host, not_an_address);
        if (not_an_address) {
            SSL_set_tlsext_host_name(ssl_.get(), host.c_str());
            SSL_set_hostflags(ssl_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
            SSL_set1_host(ssl_.get(), host.c_str());
        } else {
            X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), host.c_str());
        }
        return {};
    }

    /// False: it wants more bytes. Errors: tls_too_old, tls_handshake_failed.
    Result<bool> step() {
        ERR_clear_error();
        const int done = SSL_do_handshake(ssl_.get());
        if (done == 1) return true;
        if (SSL_get_error(ssl_.get(), done) == SSL_ERROR_WANT_READ) return false;
        const int reason = ERR_GET_REASON(ERR_peek_error());
        ERR_clear_error();
        if (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION) {
            return errc::tls_too_old;
        }
        return errc::tls_handshake_failed;
    }
    void take_in(std::string_view bytes) { BIO_write(in_, bytes.data(), static_cast<int>(bytes.size())); }
    [[nodiscard]] std::string to_send() {
        std::string bytes(bytes_in(out_));
        BIO_reset(out_);
        return bytes;
    }

    [[nodiscard]] TlsSurvey seen() const {
        TlsSurvey survey;
        survey.version = SSL_get_version(ssl_.get());
        survey.flaws = flaws_;
        if (SSL_version(ssl_.get()) < TLS1_2_VERSION) note(survey.flaws, errc::tls_too_old);
        const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
        if (certificate == nullptr) return survey;
        survey.subject = text_of(X509_get_subject_name(certificate));
        survey.issuer = text_of(X509_get_issuer_name(certificate));
        survey.names = names_of(certificate);
        survey.not_before = time_of(X509_get0_notBefore(certificate));
        survey.not_after = time_of(X509_get0_notAfter(certificate));
        return survey;
    }

private:
    OpenSslPtr<SSL_CTX> context_;
    std::vector<errc> flaws_;
    OpenSslPtr<SSL> ssl_;
    BIO* in_ = nullptr;  // both belong to the SSL
    BIO* out_ = nullptr;
};

}  // namespace

awaitable<Result<TlsSurvey>> survey_tls(Stream& plain, std::string host, std::string ca_file) {
    Survey survey;
    const auto prepared = survey.prepare(std::move(host), ca_file);
    if (!prepared) co_return prepared.error();
    std::size_t received = 0;
    for (;;) {
        const auto done = survey.step();
        const std::string bytes = survey.to_send();
        if (!bytes.empty()) {
            const auto sent = co_await plain.write(bytes);
            if (!sent && done) co_return sent.error();
        }
        if (!done) co_return done.error();
        if (*done) co_return survey.seen();
        if (plain.unread().empty()) {
            const auto more = co_await plain.read_more();
            if (!more) co_return more.error();
        }
        received += plain.unread().size();
        if (received > handshake_bytes_max) co_return errc::tls_handshake_failed;
        survey.take_in(plain.unread());
        plain.consume(plain.unread().size());
    }
}

}  // namespace net

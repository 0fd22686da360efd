#include "protocols/net/tls_bio.hpp"

#include <algorithm>
#include <cstring>

#include "protocols/net/tls_session.hpp"

namespace net {

namespace {

int read_wire(BIO* bio, char* to, std::size_t bytes_max, std::size_t* bytes) {
    auto* wire = static_cast<Wire*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (wire == nullptr || wire->in.empty()) {
        BIO_set_retry_read(bio);
        return 0;
    }
    *bytes = std::min(bytes_max, wire->in.size());
    std::memcpy(to, wire->in.data(), *bytes);
    wire->in.remove_prefix(*bytes);
    return 1;
}

int write_wire(BIO* bio, const char* from, std::size_t bytes_max, std::size_t* bytes) {
    auto* wire = static_cast<Wire*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (wire == nullptr || wire->out_bytes == wire->out.size()) {
        BIO_set_retry_write(bio);
        return 0;
    }
    *bytes = std::min(bytes_max, wire->out.size() - wire->out_bytes);
    std::memcpy(wire->out.data() + wire->out_bytes, from, *bytes);
    wire->out_bytes += *bytes;
    return 1;
}

long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

int created(BIO* bio) {
    BIO_set_init(bio, 1);
    return 1;
}

struct FreeMethod {
    void operator()(BIO_METHOD* method) const noexcept { BIO_meth_free(method); }
};

std::unique_ptr<BIO_METHOD, FreeMethod> wire_method() {
    std::unique_ptr<BIO_METHOD, FreeMethod> method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire"));
    if (!method) return nullptr;
    BIO_meth_set_read_ex(method.get(), read_wire);
    BIO_meth_set_write_ex(method.get(), write_wire);
    BIO_meth_set_ctrl(method.get(), control);
    BIO_meth_set_create(method.get(), created);
    return method;
}

}  // namespace

BIO* new_wire_bio() noexcept {
    static const auto method = wire_method();
    return method ? BIO_new(method.get()) : nullptr;
}

}  // namespace net

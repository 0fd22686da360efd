#include "protocols/jose/json.hpp"

#include <openssl/crypto.h>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <new>
#include <set>
#include <string>
#include <vector>

#include "protocols/jose/errc.hpp"

namespace jose {
namespace {

namespace json = boost::json;

constexpr std::size_t depth_max = 16;
constexpr std::int64_t date_max = 253'402'300'799;

class WipingMemory final : public json::memory_resource {
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        return ::operator new(bytes, std::align_val_t(alignment));
    }
    void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override {
        OPENSSL_cleanse(memory, bytes);
        ::operator delete(memory, std::align_val_t(alignment));
    }
    [[nodiscard]] bool do_is_equal(const json::memory_resource& other) const noexcept override {
        return this == &other;
    }
};

json::parse_options options() {
    json::parse_options options;
    options.max_depth = depth_max;
    return options;
}

/// Follows the members' names only. The names of the objects that are open lie in a stack.
struct DuplicateScan {
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code&) {
        open.emplace_back();
        return true;
    }
    bool on_object_end(std::size_t, error_code&) {
        open.pop_back();
        return true;
    }
    bool on_array_begin(error_code&) { return true; }
    bool on_array_end(std::size_t, error_code&) { return true; }
    bool on_key_part(json::string_view part, std::size_t, error_code&) {
        key.append(part.data(), part.size());
        return true;
    }
    bool on_key(json::string_view part, std::size_t, error_code& wrong) {
        key.append(part.data(), part.size());
        const bool is_new = open.back().insert(std::move(key)).second;
        key.clear();
        if (!is_new) wrong = errc::duplicate_member;
        return is_new;
    }
    bool on_string_part(json::string_view, std::size_t, error_code&) { return true; }
    bool on_string(json::string_view, std::size_t, error_code&) { return true; }
    bool on_number_part(json::string_view, error_code&) { return true; }
    bool on_int64(std::int64_t, json::string_view, error_code&) { return true; }
    bool on_uint64(std::uint64_t, json::string_view, error_code&) { return true; }
    bool on_double(double, json::string_view, error_code&) { return true; }
    bool on_bool(bool, error_code&) { return true; }
    bool on_null(error_code&) { return true; }
    bool on_comment_part(json::string_view, error_code&) { return true; }
    bool on_comment(json::string_view, error_code&) { return true; }

    std::vector<std::set<std::string>> open;
    std::string key;
};

}  // namespace

Result<json::object> read_object(std::string_view text, std::size_t bytes_max) {
    if (text.size() > bytes_max) return errc::too_long;
    json::basic_parser<DuplicateScan> scan(options());
    error_code wrong;
    const std::size_t read = scan.write_some(false, text.data(), text.size(), wrong);
    if (wrong == make_error_code(errc::duplicate_member)) return wrong;
    if (wrong || read != text.size()) return errc::not_json;
    auto value = json::parse(text, wrong, json::make_shared_resource<WipingMemory>(), options());
    if (wrong || !value.is_object()) return errc::not_json;
    return std::move(value.get_object());
}

std::string_view text_at(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    const auto* text = value == nullptr ? nullptr : value->if_string();
    return text == nullptr ? std::string_view() : std::string_view(*text);
}

std::optional<std::int64_t> date_at(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (value == nullptr) return std::nullopt;
    if (const auto* whole = value->if_int64()) {
        return *whole >= 0 && *whole <= date_max ? std::optional(*whole) : std::nullopt;
    }
    const auto* broken = value->if_double();
    // Written so that what is not a number fails, too.
    if (broken == nullptr || !(*broken >= 0 && *broken <= static_cast<double>(date_max))) return std::nullopt;
    return static_cast<std::int64_t>(*broken);
}

}  // namespace jose

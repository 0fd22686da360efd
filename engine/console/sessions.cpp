#include "engine/console/sessions.hpp"

#include <algorithm>
#include <array>

#include "protocols/base/base64.hpp"
#include "protocols/base/sha256.hpp"

namespace console {

std::string Sessions::fresh() {
    std::array<std::byte, 32> bits{};
    random_.fill(bits);
    return base64url_encoded({reinterpret_cast<const char*>(bits.data()), bits.size()});
}

void Sessions::forget_old(std::uint64_t generation) {
    const auto now = clock_.now();
    std::erase_if(sessions_, [&](const auto& one) {
        const Session& session = one.second;
        return session.generation != generation || now - session.used > idle_max || now - session.begun > age_max;
    });
}

std::string Sessions::begin(std::uint64_t generation) {
    forget_old(generation);
    if (sessions_.size() >= sessions_max) {
        sessions_.erase(std::min_element(sessions_.begin(), sessions_.end(),
                                         [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
    }
    std::string id = fresh();
    Session session{.csrf = fresh(), .browser = fresh(), .generation = generation};
    session.begun = session.used = clock_.now();
    sessions_.emplace(sha256_of(id), std::move(session));
    return id;
}

std::optional<Sessions::Session> Sessions::find(std::string_view id, std::uint64_t generation) {
    forget_old(generation);
    const auto found = sessions_.find(sha256_of(id));
    if (found == sessions_.end()) return std::nullopt;
    found->second.used = clock_.now();
    return found->second;
}

void Sessions::end(std::string_view id) { sessions_.erase(sha256_of(id)); }

}  // namespace console

#include "engine/own_name.hpp"

#include <unistd.h>

#include <array>
#include <string_view>

#include "protocols/smtp/address.hpp"

std::string own_name() {
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) == 0 && smtp::is_domain(name.data()) &&
        std::string_view(name.data()).find('.') != std::string_view::npos)
        return name.data();
    return "rohrpost.localdomain";
}

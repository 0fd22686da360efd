#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/config/model.hpp"

namespace config {

/// The names of the presets, as the import document writes them.
const std::vector<std::string_view>& preset_names();

/// What a preset stands for, with all hosts, URLs and no scopes (see scopes_of). `tenant` is used by microsoft365.
/// `preset` is one of preset_names().
Provider preset(std::string_view preset, std::string_view tenant);

/// The tenant that microsoft365 stands for when none is named: any work or school account.
inline constexpr std::string_view any_tenant = "organizations";

/// Which protocols a grant is used for.
struct Uses {
    bool imap = false;
    bool pop3 = false;
    bool smtp = false;
};

/// The scopes to ask for: the provider's own when it names some, else those its preset needs for the flow and the
/// protocols in use, with identity and offline access where a person signs in. Order matters to Microsoft: mail first.
std::vector<std::string> scopes_of(const Provider& provider, Flow flow, Uses uses);

}  // namespace config

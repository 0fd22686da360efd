#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/config/model.hpp"

namespace config {

/// The names of the presets, as the import document writes them.
const std::vector<std::string_view>& preset_names();

/// What a preset stands for, with all hosts, URLs and no scopes (see scopes_of). `tenant` and `cloud` are used by
/// microsoft365. `preset` is one of preset_names().
Provider preset(std::string_view preset, std::string_view tenant, Cloud cloud = Cloud::global);

/// The tenant that microsoft365 stands for when none is named: any work or school account.
inline constexpr std::string_view any_tenant = "organizations";

/// Which protocols a grant is used for.
struct Uses {
    bool imap = false;
    bool pop3 = false;
    bool smtp = false;
};

/// The tenant of all personal Microsoft accounts.
inline constexpr std::string_view personal_tenant = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Who may have issued an id_token of this provider, in every spelling it uses; Entra's may have {tenantid} in it.
/// Empty: the provider does not say who it is.
std::vector<std::string> issuers_of(const Provider& provider);

/// The scopes to ask for: the provider's own when it names some, else those its preset needs for the flow and the
/// protocols in use, with identity and offline access where a person signs in. Order matters to Microsoft: mail first.
std::vector<std::string> scopes_of(const Provider& provider, Flow flow, Uses uses);

}  // namespace config

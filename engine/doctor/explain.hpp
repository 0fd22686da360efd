#pragma once

#include <string>
#include <string_view>

namespace doctor {

/// What a text from a server, from an identity provider or from our own log means.
struct Explanation {
    enum class Is {
        known,    // the text, or the id of a finding, is in the tables
        a_class,  // only what kind of text it is; `remark` says so
        unknown,  // nothing is known of it
    } is = Is::unknown;
    std::string id;     // of the row
    std::string about;  // whose words these are
    std::string cause, remedy;
    std::string remark;  // what else is to be said: what is not known, what was readable in it
};

/// By the same tables as the doctor's findings; needs nothing but the text. Pure.
Explanation explain(std::string_view text);

}  // namespace doctor

#include "engine/inlets/smtp_answers.hpp"

#include "engine/submission/errc.hpp"
#include "protocols/smtp/errc.hpp"
#include "queue/store/errc.hpp"

namespace inlets {
namespace {

smtp::Answer of_message(submission::errc reason, const std::string& what) {
    switch (reason) {
        case submission::errc::unknown_sender:
            return {550, "5.7.1 " + what};
        case submission::errc::loop:
            return {554, "5.4.6 " + what};
        case submission::errc::bare_line_end:
            return {550, "5.6.11 " + what};
        case submission::errc::too_large:
            return {552, "5.3.4 " + what};
        case submission::errc::too_many_recipients:
            return {452, "4.5.3 " + what};
        case submission::errc::closed:
            return {451, "4.3.2 " + what};
        default:
            return {550, "5.6.0 " + what};
    }
}

}  // namespace

smtp::Answer refusal_of(const error_code& reason, const std::string& what) {
    if (reason.category() == submission::category())
        return of_message(static_cast<submission::errc>(reason.value()), what);
    if (reason.category() == smtp::category()) return {550, "5.1.0 " + what};
    if (reason == store::errc::body_too_large) return {552, "5.3.4 " + what};
    if (reason == store::errc::disk_full) return {452, "4.3.1 the disk is full; try again later"};
    return {451, "4.3.0 the mail cannot be kept now: " + what};
}

}  // namespace inlets

#include "engine/control/message.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "protocols/http/message.hpp"
#include "queue/store/errc.hpp"

namespace control {
namespace {

unsigned status_of(error_code reason) {
    if (reason == store::errc::unknown_id) return 404;
    if (reason == store::errc::out_of_order) return 409;
    if (reason == store::errc::body_gone) return 410;
    if (reason == store::errc::disk_full) return 507;
    if (reason == store::errc::closed || reason == store::errc::in_use) return 503;
    return 500;
}

}  // namespace

Response answer(const boost::json::value& value, unsigned status) {
    Response response;
    response.status = status;
    response.body = boost::json::serialize(value) + '\n';
    return response;
}

Response refusal(unsigned status, std::string_view sentence) { return refusal(status, sentence, {}); }

Response refusal(unsigned status, std::string_view sentence, boost::json::object more) {
    boost::json::object problem{{"title", http::reason_of(status)}, {"status", status}, {"detail", sentence}};
    for (auto& member : more) problem.insert(std::move(member));
    Response response = answer(problem, status);
    response.type = problem_type;
    return response;
}

Response failure(error_code reason) { return refusal(status_of(reason), reason.message()); }

}  // namespace control

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "engine/config/import.hpp"
#include "engine/control/commands.hpp"

namespace control {
namespace {

Response refused(const config::Faults& faults) {
    boost::json::array list;
    for (const auto& fault : faults.list())
        list.push_back(boost::json::object{{"path", fault.path}, {"what", fault.what}});
    return answer(boost::json::object{{"error", "the document has faults; nothing was imported"},
                                      {"faults", std::move(list)},
                                      {"left_out", faults.left_out()}},
                  422);
}

}  // namespace

awaitable<Response> import_document(Surroundings& here, std::string text) {
    if (here.keyring == nullptr) co_return refusal(500, "there is no key to seal secrets with");
    auto reading = config::read_document(text, config::NoSources());
    if (!reading.faults.empty()) {
        auto work = [given = std::move(reading)](store::Workbench bench) mutable -> Result<Response> {
            const auto there = config::stored(bench.store);
            if (!there) return there.error();
            config::check(given.document, *there, given.faults);
            return refused(given.faults);
        };
        auto response = co_await here.committer.run(here.home, std::move(work));
        if (!response) co_return failure(response.error());
        co_return std::move(*response);
    }
    auto work = [keyring = here.keyring, document = std::move(reading.document)](store::Workbench bench) {
        return config::import_into(bench.store, *keyring, document);
    };
    auto imported = co_await here.committer.run(here.home, std::move(work));
    if (!imported) co_return failure(imported.error());
    if (!imported->faults.empty()) co_return refused(imported->faults);
    if (here.live != nullptr) here.live->changed();
    co_return answer(boost::json::object{{"changed", boost::json::object{{"providers", imported->providers},
                                                                         {"credentials", imported->credentials},
                                                                         {"mailboxes", imported->mailboxes},
                                                                         {"consumers", imported->consumers}}}});
}

awaitable<Response> export_document(Surroundings& here) {
    auto work = [](store::Workbench bench) { return config::stored(bench.store); };
    auto there = co_await here.committer.run(here.home, work);
    if (!there) co_return failure(there.error());
    Response response;
    response.body = config::exported(*there);
    co_return response;
}

}  // namespace control

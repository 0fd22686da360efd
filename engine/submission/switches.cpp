#include "engine/submission/switches.hpp"

#include "engine/config/documents.hpp"

namespace submission {
namespace {

constexpr std::string_view suspension_kind = "suspension";
constexpr std::string_view intake_row = "intake_closed";

}  // namespace

Result<Suspensions> suspensions(store::Store& store) {
    const auto objects = store.objects(suspension_kind);
    if (!objects) return objects.error();
    Suspensions all;
    for (const auto& object : *objects) all.emplace(object.id, object.document);
    return all;
}

Result<void> suspend(store::Store& store, std::string_view mailbox, std::string_view reason) {
    if (reason.empty()) return store.remove_object(suspension_kind, mailbox);
    const auto row = store.mailbox(mailbox);
    if (!row) return row.error();
    const auto document = config::from_document<config::Mailbox>(row->document);
    if (!document) return document.error();
    if (row->removed || !document->submit) return store::errc::unknown_id;
    return store.put_object({std::string(suspension_kind), std::string(mailbox), std::string(reason)});
}

Result<std::string> intake_closed(store::Store& store) {
    auto reason = store.meta(intake_row);
    if (!reason) return {boost::system::in_place_error, reason.error()};
    return reason->value_or(std::string());
}

Result<void> close_intake(store::Store& store, std::string_view reason) {
    return reason.empty() ? store.remove_meta(intake_row) : store.put_meta(intake_row, reason);
}

}  // namespace submission

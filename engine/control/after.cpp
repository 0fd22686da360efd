#include "engine/control/after.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "engine/config/documents.hpp"
#include "engine/config/errc.hpp"
#include "engine/control/commands.hpp"
#include "engine/control/fetched_folders.hpp"
#include "engine/control/json.hpp"
#include "engine/retriever/after_policy.hpp"

namespace control {
namespace {

constexpr int pages_max = 100;  // of the ledger that one answer walks through
constexpr std::size_t page_rows = 1000;

Result<config::Provider> provider_of(store::Store& store, const config::Mailbox& mailbox) {
    const auto credentials = store.objects(config::credential_kind);
    if (!credentials) return credentials.error();
    const auto providers = store.objects(config::provider_kind);
    if (!providers) return providers.error();
    const auto find = [](const std::vector<store::Object>& objects, const std::string& id) {
        return std::find_if(objects.begin(), objects.end(), [&id](const auto& object) { return object.id == id; });
    };
    const auto credential = find(*credentials, mailbox.credential);
    if (credential == credentials->end()) return config::Provider();
    const auto read = config::from_document<config::Credential>(credential->document);
    if (!read) return read.error();
    const auto provider = find(*providers, read->provider);
    if (provider == providers->end()) return config::Provider();
    return config::from_document<config::Provider>(provider->document);
}

std::string waits_for(const retriever::Dueness& dueness, const std::vector<store::HandOff>& subscriptions,
                      store::Seq seq) {
    if (dueness.wait == retriever::Wait::set_aside) return "set aside, as it is damaged here: it stays";
    if (dueness.wait == retriever::Wait::time) return "until " + time_text(dueness.at);
    std::vector<std::string_view> behind;
    for (const auto& one : subscriptions) {
        if (one.acked < seq) behind.push_back(one.consumer);
    }
    if (behind.empty()) return "no consumer has subscribed to the mailbox";
    return fmt::format("not acknowledged by {}", fmt::join(behind, ", "));
}

/// Walks through what one mailbox has taken in.
class Walk {
public:
    Walk(store::Store& store, const store::Mailbox& row, retriever::AfterPolicy policy, store::Millis now,
         std::size_t limit)
        : store_(store), row_(row), policy_(std::move(policy)), now_(now), left_(limit) {}

    Result<boost::json::object> folder(const store::Folder& folder) {
        const auto subscriptions = store_.folder_notes().subscriptions(row_.number);
        if (!subscriptions) return subscriptions.error();
        const auto acknowledged = store_.acknowledged(row_.number);
        if (!acknowledged) return acknowledged.error();
        auto state = store_.folder_notes().after_state(folder.number);
        if (!state) return state.error();
        store::AfterState known;
        if (*state && (*state)->policy == policy_.text()) known = **state;
        boost::json::array mails;
        std::uint64_t due = 0, waiting = 0;
        store::Seq at = known.done;
        for (int page = 0; page < pages_max && left_ > 0; ++page) {
            const auto messages = store_.messages(row_.number, at, page_rows);
            if (!messages) return messages.error();
            for (const auto& message : *messages) {
                at = message.seq;
                if (message.folder != folder.number || message.uid_validity != folder.uid_validity) continue;
                if (left_ == 0) break;
                --left_;
                const auto dueness = retriever::dueness_in(store_, policy_, message, *acknowledged, now_);
                if (!dueness) return dueness.error();
                const bool waits = dueness->wait != retriever::Wait::nothing;
                ++(waits ? waiting : due);
                boost::json::object mail{{"id", id_text(message.id)},
                                         {"seq", message.seq},
                                         {"uid", message.uid},
                                         {"received_at", time_text(message.received_at)}};
                if (waits) mail["waits"] = waits_for(*dueness, *subscriptions, message.seq);
                mails.push_back(std::move(mail));
            }
            if (messages->size() < page_rows) break;
        }
        auto object = to_json(known);
        object["name"] = folder.name;
        object["due"] = due;
        object["waiting"] = waiting;
        object["mails"] = std::move(mails);
        return object;
    }
    [[nodiscard]] bool over() const noexcept { return left_ == 0; }

private:
    store::Store& store_;
    const store::Mailbox& row_;
    retriever::AfterPolicy policy_;
    store::Millis now_;
    std::size_t left_;
};

Response unknown_policy(const config::Faults& faults) {
    const auto what = faults.list().empty() ? std::string("expected a policy") : faults.list().front().what;
    return refusal(422, fmt::format("after: {}", what));
}

struct AfterWorkRequest {
    std::string id;
    std::string policy;
    std::size_t limit;
    store::Millis now;

    Result<Response> operator()(store::Workbench bench) const {
        const auto row = bench.store.mailbox(id);
        if (!row && row.error() != store::errc::unknown_id) return row.error();
        if (!row || row->removed)
            return refusal(404, fmt::format("there is no mailbox \"{}\"; rohrpost mailbox list shows all", id));
        error_code unreadable;
        auto document = boost::json::parse(row->document, unreadable);
        if (unreadable || !document.is_object()) return config::errc::malformed_document;
        if (!policy.empty()) document.as_object()["after"] = policy;
        config::Faults faults;
        config::Mailbox mailbox;
        config::read_object(document.as_object(), "mailbox", nullptr, faults, mailbox);
        if (!faults.empty()) return unknown_policy(faults);
        const auto provider = provider_of(bench.store, mailbox);
        if (!provider) return provider.error();
        const auto does = retriever::after_policy_of(mailbox, *provider);
        boost::json::object object{{"id", id}, {"after", configured(mailbox)}, {"done_as", does.text()}};
        boost::json::array list;
        const auto folders = bench.store.folders(row->number);
        if (!folders) return folders.error();
        const auto fetched = fetched_folders(bench.store, row->number, mailbox);
        if (!fetched) return fetched.error();
        Walk walk(bench.store, *row, does, now, limit);
        for (const auto& folder : *folders) {
            const bool served = std::find(fetched->begin(), fetched->end(), folder.name) != fetched->end();
            if (!served || does.after == config::After::keep) continue;
            auto told = walk.folder(folder);
            if (!told) return told.error();
            list.push_back(std::move(*told));
        }
        object["folders"] = std::move(list);
        object["more"] = walk.over();
        return answer(object);
    }
    static std::string configured(const config::Mailbox& mailbox) {
        return retriever::AfterPolicy{mailbox.after, mailbox.move_to, mailbox.delete_after}.text();
    }
};

}  // namespace

boost::json::object to_json(const store::AfterState& state) {
    boost::json::object object{{"done_through", state.done}};
    if (state.parked.empty()) return object;
    object["parked"] = state.parked;
    object["attempts"] = state.attempts;
    object["next_attempt"] = time_text(state.next_attempt);
    return object;
}

awaitable<Response> show_after(Surroundings& here, std::string id, std::string policy, std::size_t limit) {
    AfterWorkRequest work{std::move(id), std::move(policy), std::clamp<std::size_t>(limit, 1, page_rows_max),
                          now_of(here)};
    auto shown = co_await here.committer.run(here.home, std::move(work));
    if (!shown) co_return failure(shown.error());
    co_return std::move(*shown);
}

}  // namespace control

#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/retriever/shadow_report.hpp"
#include "queue/store/committer.hpp"

namespace simulation {

/// What the store says of a mailbox that another product serves.
struct ShadowView {
    std::map<std::string, store::ShadowFolder> folders;  // by name
    retriever::ShadowReport::Counts counts;
    std::vector<retriever::ShadowReport::Row> rows;
};

/// A job that reads it, and tells it.
class ShadowLook final : public store::Job {
public:
    using Tell = std::function<void(error_code failed, const ShadowView& view)>;

    ShadowLook(queue::Inbox& home, std::string mailbox, config::Shadow shadow, Tell tell)
        : Job(home), mailbox_(std::move(mailbox)), shadow_(shadow), tell_(std::move(tell)) {}
    error_code apply(store::Workbench bench) override;
    void done(error_code reason) noexcept override { tell_(reason, view_); }

private:
    std::string mailbox_;
    config::Shadow shadow_;
    Tell tell_;
    ShadowView view_;
};

}  // namespace simulation

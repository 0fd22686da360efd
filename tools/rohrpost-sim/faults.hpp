#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sim {

/// What the pretend provider does wrong when it is told to. The value's meaning is in fault_kinds().
enum class FaultKind {
    drop_in_literal,
    no_data,
    refuse_uid,
    throttle,
    wrong_size,
    uid_last,
    stall,
    preauth,
    no_idle,
    lying_idle,
    not_connected,
    refuse_login,
    bye,
    no_move,
    no_uidplus,
    refuse_change,
    change_lost_reply,
    hide_sent,
    sent_late,
    smtp_greeting,
    smtp_auth,
    smtp_mail,
    smtp_rcpt,
    smtp_body,
    smtp_drop_in_body,
    smtp_drop,
    smtp_lost_reply,
    smtp_slow,
    smtp_no_starttls,
    smtp_plain,
    token_invalid_grant,
    token_throttled,
    token_html,
    token_slow,
    token_huge,
    token_drop,
    token_error,
    token_expires_in,
    token_scope,
    token_no_refresh,
    authorize_slow,
    authorize_500,
    authorize_page,
    authorize_error,
    authorize_state,
    authorize_issuer,
    id_token,
    keys,
};

struct FaultFact {
    FaultKind kind;
    std::string_view name;
    std::string_view what;
};
/// All of them, for help texts and for reading names.
const std::vector<FaultFact>& fault_kinds();

struct Fault {
    FaultKind kind = FaultKind::no_data;
    std::string mailbox;      // or user; empty: everybody
    std::uint32_t uid = 0;    // 0: any
    std::uint64_t value = 0;  // 0: the kind's default
    std::uint64_t times = 0;  // how often; 0: until cleared
    std::string row{};        // which of the kind's variants
};

/// "no_data mailbox=box0001@sim.test uid=7 times=1 value=0"; nullopt: not understood.
std::optional<Fault> read_fault(std::string_view text);
std::string text_of(const Fault& fault);

/// The faults in force. One thread.
class Faults {
public:
    void add(Fault fault) { faults_.push_back(std::move(fault)); }
    void clear() { faults_.clear(); }
    void lift(FaultKind kind) {
        std::erase_if(faults_, [kind](const Fault& fault) { return fault.kind == kind; });
    }
    /// The first fault that fits, used up by one.
    std::optional<Fault> strike(FaultKind kind, std::string_view mailbox, std::uint32_t uid = 0);
    /// The first one for that mailbox whose uid (0: any) will do, used up by one.
    std::optional<Fault> pick(FaultKind kind, std::string_view mailbox, const std::function<bool(std::uint32_t)>& uid);
    /// Whether one would strike; uses nothing up.
    [[nodiscard]] bool looms(FaultKind kind, std::string_view mailbox) const;
    [[nodiscard]] const std::list<Fault>& all() const noexcept { return faults_; }

private:
    std::list<Fault> faults_;
};

}  // namespace sim

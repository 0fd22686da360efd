#include "engine/alarming/board.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <set>

namespace alarming {
namespace {

std::int64_t millis_of(WallTime time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}
WallTime time_of(std::int64_t millis) { return WallTime(std::chrono::milliseconds(millis)); }

}  // namespace

std::vector<Board::Change> Board::look(const std::vector<Condition>& now_there, WallTime now,
                                       std::chrono::milliseconds unit) {
    std::set<std::string> there;
    std::set<std::string> places;
    std::vector<Change> changes;
    for (const auto& condition : now_there) {
        const auto key = condition.key();
        there.insert(key);
        places.insert(condition.place());
        auto& entry = entries_[key];
        if (entry.condition.what.empty()) entry.since = now;
        entry.condition = condition;
        entry.gone.reset();
        if (entry.raised || now - entry.since < patience_of(condition.rule).to_raise * unit) continue;
        entry.raised = now;
        changes.push_back({Change::Is::raised, condition, entry.since});
    }
    for (auto at = entries_.begin(); at != entries_.end();) {
        auto& [key, entry] = *at;
        if (there.contains(key)) {
            ++at;
            continue;
        }
        if (!entry.gone) entry.gone = now;
        const bool worse = places.contains(entry.condition.place());  // another step of it stands: that is told
        if (!worse && now - *entry.gone < patience_of(entry.condition.rule).to_clear * unit) {
            ++at;
            continue;
        }
        if (entry.raised && !worse) changes.push_back({Change::Is::cleared, entry.condition, entry.since});
        at = entries_.erase(at);
    }
    return changes;
}

std::vector<Board::Entry> Board::raised() const {
    std::vector<Entry> alarms;
    for (const auto& [key, entry] : entries_) {
        if (entry.raised) alarms.push_back(entry);
    }
    return alarms;
}

std::string Board::written() const {
    boost::json::array list;
    for (const auto& entry : raised()) {
        const auto& condition = entry.condition;
        list.push_back(boost::json::object{{"rule", word_of(condition.rule)},
                                           {"subject", condition.subject},
                                           {"step", condition.step},
                                           {"what", condition.what},
                                           {"remedy", condition.remedy},
                                           {"since", millis_of(entry.since)},
                                           {"raised", millis_of(*entry.raised)}});
    }
    return boost::json::serialize(list);
}

Board Board::read(std::string_view written) {
    Board board;
    boost::system::error_code wrong;
    const auto value = boost::json::parse(written, wrong);
    if (wrong || !value.is_array()) return board;
    const auto text = [](const boost::json::object& object, std::string_view key) {
        const auto* found = object.if_contains(key);
        return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
    };
    const auto time = [](const boost::json::object& object, std::string_view key) {
        const auto* found = object.if_contains(key);
        return time_of(found != nullptr && found->is_int64() ? found->get_int64() : 0);
    };
    for (const auto& one : value.get_array()) {
        const auto* object = one.if_object();
        const auto rule = object == nullptr ? std::nullopt : rule_of(text(*object, "rule"));
        if (!rule) continue;
        Entry entry{.condition = {*rule, text(*object, "subject"), text(*object, "step"), text(*object, "what"),
                                  text(*object, "remedy")},
                    .since = time(*object, "since"),
                    .raised = time(*object, "raised")};
        auto key = entry.condition.key();
        board.entries_.insert_or_assign(std::move(key), std::move(entry));
    }
    return board;
}

}  // namespace alarming

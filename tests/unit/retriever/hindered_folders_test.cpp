#include "engine/retriever/hindered_folders.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using retriever::Ended;
using retriever::HinderedFolders;

namespace {

Ended frozen(std::string reason) {
    Ended ended;
    ended.how = Ended::How::folder;
    ended.person_needed = true;
    ended.reason = std::move(reason);
    return ended;
}

constexpr store::Millis noon{1'795'000'000s};

}  // namespace

TEST_CASE("hindered folders: each waits for its own time, longer each time", "[retriever]") {
    HinderedFolders folders;
    CHECK(folders.text().empty());
    CHECK_FALSE(folders.next_attempt());
    CHECK(folders.note("Team", frozen("Team is frozen"), noon, 0.5));
    CHECK(folders.waits("Team", noon + 1s));
    CHECK_FALSE(folders.waits("INBOX", noon + 1s));
    const auto first = *folders.next_attempt() - noon;
    CHECK_FALSE(folders.waits("Team", noon + first));
    CHECK_FALSE(folders.note("Team", frozen("Team is frozen"), noon + first, 0.5));
    const auto second = *folders.next_attempt() - noon - first;
    CHECK(second > first);
    CHECK(folders.note("Team", frozen("Team is gone"), noon, 0.5));
    folders.try_all();
    CHECK_FALSE(folders.waits("Team", noon));
    CHECK(folders.contains("Team"));
    folders.forget("Team");
    CHECK(folders.size() == 0);
    CHECK(folders.note("Team", frozen("Team is frozen"), noon, 0.5));
    CHECK(*folders.next_attempt() - noon == first);
}

TEST_CASE("hindered folders: a few reasons are told, and how many there are", "[retriever]") {
    HinderedFolders folders;
    for (const std::string name : {"a", "b", "c", "d", "e"}) folders.note(name, frozen(name + " is frozen"), noon, 0);
    CHECK(folders.text() == "a is frozen; b is frozen; c is frozen; and 2 more");
    CHECK(folders.reason("b").reason == "b is frozen");
    folders.keep({"b", "INBOX"});
    CHECK(folders.text() == "b is frozen");
}

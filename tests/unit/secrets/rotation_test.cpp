/// The key is changed: everything sealed goes over to the new one, at once, wherever it is interrupted.

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "engine/secrets/key_file.hpp"
#include "engine/secrets/reseal.hpp"
#include "queue/store/open.hpp"
#include "tests/support/directory.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace secrets;
namespace fs = std::filesystem;

namespace {

/// A sealed store with two secrets and a grant, and the steps of a rotation, each by itself.
struct House {
    House() {
        REQUIRE(begin());
        REQUIRE(Keyring::open(key, *opened.store, random).has_value());
        REQUIRE(commit());
        const auto keyring = open();
        REQUIRE(begin());
        for (const char* owner : {"desk", "consumer/hook"}) {
            REQUIRE(opened.store->put_secret(owner, "secret", keyring->seal(owner, "secret", Secret("hush"))));
        }
        store::Grant grant;
        grant.credential = "desk";
        grant.generation = 7;
        grant.sealed = keyring->seal("desk", grant_name, Secret("tokens"));
        grant.state = "usable";
        REQUIRE(opened.store->put_grant(grant));
        REQUIRE(commit());
    }
    bool begin() const { return opened.store->begin().has_value(); }
    bool commit() const { return opened.store->commit().has_value(); }
    Result<Keyring> open() {
        REQUIRE(begin());
        auto keyring = Keyring::open(key, *opened.store, random);
        REQUIRE(commit());
        return keyring;
    }
    fs::path old() const { return folder.path() / "key.old"; }
    void make_next() { REQUIRE(create_key(next_of(key), random).has_value()); }
    Result<Resealed> go_over(std::string& at) {
        const auto from = open();
        const Keyring to(*read_key(next_of(key)), random);
        REQUIRE(begin());
        auto done = reseal(*opened.store, *from, to, at);
        if (done) {
            REQUIRE(commit());
        } else {
            opened.store->rollback();
        }
        return done;
    }
    /// The daemon starts: the right key is found and opens everything.
    void check_sound() {
        const auto keyring = open();
        REQUIRE(keyring.has_value());
        for (const char* owner : {"desk", "consumer/hook"}) {
            const auto sealed = opened.store->secret(owner, "secret");
            REQUIRE((sealed && *sealed));
            CHECK(keyring->unseal(owner, "secret", **sealed)->reveal() == "hush");
        }
        const auto grant = opened.store->grant("desk");
        REQUIRE((grant && *grant));
        CHECK(keyring->unseal("desk", grant_name, (*grant)->sealed)->reveal() == "tokens");
        CHECK((*grant)->generation == 7);
        CHECK((*grant)->state == "usable");
    }

    TemporaryDirectory folder;
    SystemRandom random;
    store::SystemDisk disk;
    store::OpenedStore opened = *store::open_store(disk, folder.path() / "store", {});
    fs::path key = folder.path() / "key";
};

}  // namespace

TEST_CASE("rotation: everything opens with the new key, nothing with the old one", "[secrets]") {
    House house;
    const auto before = house.open();
    const auto old = support::contents_of(house.key);
    house.make_next();
    std::string at;
    const auto count = house.go_over(at);
    REQUIRE(count.has_value());
    CHECK(count->secrets == 2);
    CHECK(count->grants == 1);
    REQUIRE(replace_key(house.key).has_value());
    house.check_sound();
    CHECK(support::contents_of(house.key) != old);
    CHECK(support::contents_of(house.old()) == old);
    CHECK_FALSE(fs::exists(next_of(house.key)));
    const auto sealed = house.opened.store->secret("desk", "secret");
    CHECK(before->unseal("desk", "secret", **sealed).error() == errc::foreign_key);
}

TEST_CASE("rotation: no key that backups need is lost by the next rotation", "[secrets]") {
    House house;
    const auto first = support::contents_of(house.key);
    std::string at;
    const auto rotate = [&] {
        house.make_next();
        REQUIRE(house.go_over(at).has_value());
        const auto old = replace_key(house.key);
        REQUIRE(old.has_value());
        return *old;
    };
    CHECK(rotate() == house.old());
    const auto second = support::contents_of(house.key);
    CHECK(rotate() == fs::path(house.old().string() + ".2"));
    CHECK(support::contents_of(house.old()) == first);
    CHECK(support::contents_of(house.old().string() + ".2") == second);
    // Interrupted after the key got its second name: it does not get a third one.
    house.make_next();
    REQUIRE(house.go_over(at).has_value());
    fs::create_hard_link(house.key, house.old().string() + ".3");
    house.check_sound();
    CHECK_FALSE(fs::exists(house.old().string() + ".4"));
}

TEST_CASE("rotation: interrupted after any of its steps, the next start finds the right key", "[secrets]") {
    House house;
    std::string at;
    SECTION("a draft of the next key") { std::ofstream(next_of(house.key).string() + ".new") << "half"; }
    SECTION("the next key lies there, the store knows nothing of it") { house.make_next(); }
    SECTION("the store has gone over") {
        house.make_next();
        REQUIRE(house.go_over(at).has_value());
    }
    SECTION("and the old key has been kept") {
        house.make_next();
        REQUIRE(house.go_over(at).has_value());
        fs::create_hard_link(house.key, house.old());
    }
    SECTION("all of it") {
        house.make_next();
        REQUIRE(house.go_over(at).has_value());
        REQUIRE(replace_key(house.key).has_value());
    }
    house.check_sound();
    house.check_sound();
    fs::remove(next_of(house.key));  // what `key rotate` begins with: never the store's key
    house.make_next();
    REQUIRE(house.go_over(at).has_value());
    REQUIRE(replace_key(house.key).has_value());
    house.check_sound();
}

TEST_CASE("rotation: a secret that cannot be opened is named, and nothing is changed", "[secrets]") {
    House house;
    REQUIRE(house.begin());
    REQUIRE(house.opened.store->put_secret("broken", "password", "no seal").has_value());
    REQUIRE(house.commit());
    house.make_next();
    std::string at;
    CHECK(house.go_over(at).error() == errc::malformed);
    CHECK(at == "broken: password");
    house.check_sound();
}

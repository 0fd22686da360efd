#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "engine/secrets/keyring.hpp"
#include "queue/store/open.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace secrets;
namespace fs = std::filesystem;

namespace {

/// A store in a folder of its own and a place for its key.
struct House {
    House() : opened(*store::open_store(disk, folder.path() / "store", {})), key(folder.path() / "key") {}

    Result<Keyring> open() {
        REQUIRE(opened.store->begin().has_value());
        auto keyring = Keyring::open(key, *opened.store, random);
        if (keyring) {
            REQUIRE(opened.store->commit().has_value());
        } else {
            opened.store->rollback();
        }
        return keyring;
    }
    void write_key(const std::string& bytes) const {
        std::ofstream(key, std::ios::binary) << bytes;
        fs::permissions(key, fs::perms::owner_read | fs::perms::owner_write);
    }

    TemporaryDirectory folder;
    SystemRandom random;
    store::SystemDisk disk;
    store::OpenedStore opened;
    fs::path key;
};

}  // namespace

TEST_CASE("the first start makes a key that only its owner reads, the next ones use it", "[secrets]") {
    House house;
    const auto first = house.open();
    REQUIRE(first.has_value());
    struct stat status {};
    REQUIRE(::stat(house.key.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600);
    CHECK(status.st_size == static_cast<off_t>(key_bytes));
    const auto second = house.open();
    REQUIRE(second.has_value());
    CHECK(second->unseal("svc", "password", first->seal("svc", "password", Secret("x"))).has_value());
    CHECK(second->unseal("sv", "cpassword", first->seal("svc", "password", Secret("x"))).has_error());
}

TEST_CASE("a key made by hand is taken", "[secrets]") {
    House house;
    house.write_key(std::string(key_bytes, 'k'));
    CHECK(house.open().has_value());
}

TEST_CASE("a sealed store does not go on without its key, and makes no other", "[secrets]") {
    House house;
    REQUIRE(house.open().has_value());
    fs::remove(house.key);
    CHECK(house.open().error() == errc::key_missing);
    CHECK_FALSE(fs::exists(house.key));
    house.write_key(std::string(key_bytes, 'k'));
    CHECK(house.open().error() == errc::key_foreign);
}

TEST_CASE("a key file of the wrong kind is refused", "[secrets]") {
    House house;
    house.write_key("short");
    CHECK(house.open().error() == errc::key_wrong_size);
    house.write_key(std::string(key_bytes, 'k'));
    fs::permissions(house.key, fs::perms::group_read, fs::perm_options::add);
    CHECK(house.open().error() == errc::key_exposed);
    fs::remove(house.key);
    fs::create_directory(house.key);
    CHECK(house.open().error() == errc::key_unreadable);
    house.key = house.folder.path() / "missing" / "key";
    CHECK(house.open().error() == errc::key_uncreatable);
}

TEST_CASE("a key is written as bytes, in base64, or in hexadecimal", "[secrets]") {
    House house;
    const std::string bytes = "0123456789abcdef0123456789ABCDEF";
    house.write_key(bytes);
    const auto keyring = house.open();
    REQUIRE(keyring.has_value());
    const auto sealed = keyring->seal("svc", "password", Secret("x"));
    for (const std::string written :
         {"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY=", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY=\n",
          "3031323334353637383961626364656630313233343536373839414243444546\n"}) {
        CAPTURE(written);
        house.write_key(written);
        const auto same = house.open();
        REQUIRE(same.has_value());
        CHECK(same->unseal("svc", "password", sealed).has_value());
    }
    for (const std::string written : {"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERQ==", "zz", "",
                                      "303132333435363738396162636465663031323334353637383941424344454g"}) {
        CAPTURE(written);
        house.write_key(written);
        CHECK(house.open().error() == errc::key_wrong_size);
    }
}

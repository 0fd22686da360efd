#include "engine/secrets/key_source.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <map>

#include "engine/secrets/key_file.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace secrets;
using Kind = KeySource::Kind;

namespace {

std::map<std::string, std::string> environment;

char* variable_of(const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.data();
}

/// An environment that ends with the test.
struct Environment {
    explicit Environment(std::map<std::string, std::string> of) { environment = std::move(of); }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;
    ~Environment() { environment.clear(); }
};

}  // namespace

TEST_CASE("the key comes from the flag, the variable, systemd's credential, or the data folder, in that order",
          "[secrets]") {
    const TemporaryDirectory folder;
    const auto credential = folder.path() / "rohrpost-key";
    std::ofstream(credential) << std::string(32, 'c');
    const std::string in_hexadecimal(64, '7');
    const Environment set({{"ROHRPOST_KEY", in_hexadecimal}, {"CREDENTIALS_DIRECTORY", folder.path().string()}});

    const auto flag = find_key("/etc/key", "/data", variable_of);
    CHECK(flag.kind == Kind::file);
    CHECK(flag.name() == "the key file /etc/key");

    const auto variable = find_key("", "/data", variable_of);
    CHECK(variable.kind == Kind::variable);
    CHECK(variable.text.reveal() == in_hexadecimal);
    CHECK(variable.name() == "the environment variable ROHRPOST_KEY");
    CHECK(read_key(variable)->bytes().reveal() == std::string(32, 'w'));

    environment.erase("ROHRPOST_KEY");
    const auto handed_over = find_key("", "/data", variable_of);
    CHECK(handed_over.kind == Kind::credential);
    CHECK(handed_over.file == credential);
    CHECK(handed_over.name() == "the systemd credential rohrpost-key");

    std::filesystem::remove(credential);
    const auto standard = find_key("", "/data", variable_of);
    CHECK(standard.kind == Kind::file);
    CHECK(standard.name() == "the key file /data/key");
}

TEST_CASE("the key's text does not stay in the environment", "[secrets][hostile-50]") {
    const Environment set({{"ROHRPOST_KEY", std::string(64, '7')}});
    const auto source = find_key("", "/data", variable_of);
    CHECK(source.text.reveal() == std::string(64, '7'));
    CHECK(environment["ROHRPOST_KEY"] == std::string(64, '\0'));
}

TEST_CASE("a credential of systemd may show a right of its group, a key file may not", "[secrets]") {
    const TemporaryDirectory folder;
    const auto path = folder.path() / "rohrpost-key";
    std::ofstream(path) << std::string(32, 'c');
    std::filesystem::permissions(path, std::filesystem::perms(0440));
    CHECK(read_key({Kind::credential, path, {}}).has_value());
    CHECK(read_key(path).error() == errc::key_exposed);
}

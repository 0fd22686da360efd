#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <optional>

#include "engine/config/errc.hpp"
#include "engine/config/import.hpp"
#include "engine/config/presets.hpp"
#include "queue/store/open.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/jose/signer.hpp"

using namespace config;

namespace {

constexpr std::string_view sound = R"({
  "providers": [{"id": "m365", "preset": "microsoft365", "tenant": "contoso.com"},
                {"id": "rig", "token_url": "https://rig.test/token", "imap": {"host": "rig.test", "port": 1993}}],
  "credentials": [{"id": "svc", "provider": "m365", "user": "svc@contoso.com", "flow": "client_credentials",
                   "client_id": "app", "client_secret": {"value": "canary-one"}},
                  {"id": "r", "provider": "rig", "user": "r@rig.test", "flow": "refresh_token", "client_id": "app",
                   "refresh_token": {"value": "canary-two"}}],
  "mailboxes": [{"id": "support", "address": "support@contoso.com", "credential": "svc", "consumer": "api"},
                {"id": "rigged", "address": "r@rig.test", "credential": "r", "consumer": "hook", "start": "2026-02-28",
                 "after": "move:Done", "folders": ["INBOX", "Büro"]}],
  "consumers": [{"id": "api", "kind": "pull"},
                {"id": "hook", "kind": "webhook", "url": "https://app.test/mail", "secret": {"value": "canary-three"}}]})";

/// All faults of a document over what is there, one a line.
std::string faults_of(std::string_view text, const Document& there = {}) {
    auto reading = read_document(text, NoSources());
    check(reading.document, there, reading.faults);
    std::string lines;
    for (const auto& fault : reading.faults.list()) lines += text_of(fault) + '\n';
    return lines;
}

/// `sound` with one piece replaced.
std::string with(std::string_view piece, std::string_view replacement) {
    std::string text(sound);
    const auto at = text.find(piece);
    REQUIRE(at != std::string::npos);
    return text.replace(at, piece.size(), replacement);
}

/// A store and a key, in a folder of their own.
struct House {
    House() : opened(*store::open_store(disk, folder.path(), {})) {
        REQUIRE(opened.store->begin().has_value());
        keyring.emplace(*secrets::Keyring::open(folder.path() / "key", *opened.store, random));
        REQUIRE(opened.store->commit().has_value());
    }
    Imported import(std::string_view text) {
        auto reading = read_document(text, NoSources());
        for (const auto& fault : reading.faults.list()) UNSCOPED_INFO(text_of(fault));
        REQUIRE(reading.faults.empty());
        REQUIRE(opened.store->begin().has_value());
        auto imported = import_into(*opened.store, *keyring, reading.document);
        REQUIRE(imported.has_value());
        REQUIRE(opened.store->commit().has_value());
        return std::move(*imported);
    }
    std::string secret(std::string_view owner, std::string_view name) {
        const auto sealed = opened.store->secret(owner, name);
        if (!sealed || !*sealed) return {};
        const auto opened_secret = keyring->unseal(owner, name, **sealed);
        return opened_secret ? std::string(opened_secret->reveal()) : "does not open";
    }
    std::size_t subscriptions(std::string_view consumer) {
        return opened.store->hand_offs(consumer, store::Store::Which::all, 0, 100)->size();
    }

    TemporaryDirectory folder;
    SystemRandom random;
    store::SystemDisk disk;
    store::OpenedStore opened;
    std::optional<secrets::Keyring> keyring;
};

std::size_t changes(const Imported& imported) {
    return imported.providers + imported.credentials + imported.mailboxes + imported.consumers;
}

}  // namespace

TEST_CASE("a sound document has no faults", "[config]") { CHECK(faults_of(sound) == ""); }

TEST_CASE("each fault names its key, what was found and what was expected", "[config]") {
    struct Case {
        std::string_view piece, replacement, fault;
    };
    const auto given = GENERATE(values<Case>({
        {R"("preset": "microsoft365")", R"("preset": "microsoft36")",
         R"(providers[0].preset: found "microsoft36", expected "microsoft365" or "gmail"; did you mean "microsoft365"?)"},
        {R"("tenant":)", R"("tenat":)", R"(providers[0].tenat: unknown key; did you mean "tenant"?)"},
        {R"("https://rig.test/token")", R"("http://rig.test/token")",
         R"(providers[1].token_url: found "http://rig.test/token", expected an https URL)"},
        {R"("port": 1993)", R"("port": 70000)",
         "providers[1].imap.port: found the number 70000, expected a whole number from 1 to 65535"},
        {R"("imap": {"host": "rig.test")",
         R"("token_endpoint_auth_method": "client_secret_basi", "imap": {"host": "rig.test")",
         R"(providers[1].token_endpoint_auth_method: found "client_secret_basi", expected "client_secret_post" or "client_secret_basic"; did you mean "client_secret_basic"?)"},
        {R"("host": "rig.test", "port")", R"("host": "a b", "port")",
         R"(providers[1].imap.host: found "a b", expected a host name)"},
        {R"("imap": {"host": "rig.test", "port": 1993})", R"("scopes": ["x"])", "providers[1]: names no server"},
        {R"("id": "svc", "provider")", R"("id": "s/c", "provider")",
         R"(credentials[0].id: found "s/c", expected an id)"},
        {R"("id": "svc", "provider": "m365")", R"("id": "svc", "provider": "m36")",
         R"(credentials[0].provider: there is no provider "m36", neither in this document nor imported earlier; did you mean "m365"?)"},
        {R"("client_secret": {"value": "canary-one"})", R"("client_id": "b")",
         R"(credentials[0].client_secret: missing, flow "client_credentials" needs it)"},
        {R"({"value": "canary-one"})", R"("canary-one")",
         R"(credentials[0].client_secret: found a bare text, expected {"file": PATH})"},
        {R"({"value": "canary-one"})", R"({"vale": "canary-one"})",
         R"(credentials[0].client_secret.vale: unknown key; did you mean "value"?)"},
        {R"({"value": "canary-one"})", R"({"sealed": true})",
         "credentials[0].client_secret: nothing is sealed here yet"},
        {R"({"value": "canary-one"})", R"({"file": "x"})",
         "credentials[0].client_secret.file: files are not read for the API"},
        {R"("flow": "refresh_token")", R"("flow": "refresh_tokn")", R"(did you mean "refresh_token"?)"},
        {R"("flow": "refresh_token")", R"("flow": "device_code")",
         R"(credentials[1].flow: flow "device_code" needs "device_url", which provider "rig" does not have)"},
        {R"("flow": "client_credentials")", R"("flow": "password")",
         "credentials[0].flow: Microsoft has retired logins with a password"},
        {R"("flow": "client_credentials")", R"("flow": "service_account")",
         "credentials[0].flow: service accounts are Google's"},
        {R"(, "tenant": "contoso.com")", "", "credentials[0].flow: client_credentials needs one tenant"},
        {R"("credential": "svc")", R"("credential": "svcc")",
         R"(mailboxes[0].credential: there is no credential "svcc")"},
        {R"("consumer": "api")", R"("consumer": "apu")", R"(mailboxes[0].consumer: there is no consumer "apu")"},
        {R"(, "consumer": "api")", "", "mailboxes[0].consumer: missing"},
        {R"("id": "rigged")", R"("id": "support")", R"(mailboxes[1].id: "support" is the id of mailboxes[0] too)"},
        {R"("support@contoso.com", "credential")", R"("support", "credential")",
         R"(mailboxes[0].address: found "support", expected a mail address)"},
        {R"("2026-02-28")", R"("2026-02-30")", R"(mailboxes[1].start: found "2026-02-30")"},
        {R"("move:Done")", R"("move")", R"(mailboxes[1].after: found "move" without a folder)"},
        {R"("move:Done")", R"("move:INBOX")",
         R"(mailboxes[1].after: mail would be moved to "INBOX", which is fetched itself)"},
        {R"("move:Done")", R"("move:inbox")",
         R"(mailboxes[1].after: mail would be moved to "inbox", which is fetched itself)"},
        {R"("move:Done")", R"("move:\\Flagged")",
         R"(mailboxes[1].after: found the special use "\Flagged", expected "\Archive", "\Drafts", "\Junk", "\Sent" or "\Trash")"},
        {R"("move:Done")", R"("move:a\u0007b")", "mailboxes[1].after: found"},
        {R"("move:Done")", R"("delete:30")",
         R"(mailboxes[1].after: found "delete:30", expected "delete:" and 1 to 3650 days, like "delete:30d")"},
        {R"("move:Done")", R"("delete:0d")", R"(mailboxes[1].after: found "delete:0d")"},
        {R"("move:Done")", R"("delete:-1d")", R"(mailboxes[1].after: found "delete:-1d")"},
        {R"("move:Done")", R"("delete:3651d")", R"(mailboxes[1].after: found "delete:3651d")"},
        {R"("move:Done")", R"("delete:")", R"(mailboxes[1].after: found "delete:")"},
        {R"("move:Done")", R"("remove")",
         R"(mailboxes[1].after: found "remove", expected "keep", "seen", "delete", "delete:30d" (so many days later) or "move:FOLDER")"},
        {R"(["INBOX", "Büro"])", R"([])", "mailboxes[1].folders: found an empty list"},
        {R"(["INBOX", "Büro"])", R"(["INBOX", 3])", "mailboxes[1].folders[1]: found the number 3, expected a text"},
        {R"("folders": ["INBOX", "Büro"])", R"("protocol": "pop3")",
         R"(mailboxes[1].protocol: "pop3" needs "pop3" at provider "rig", which has none)"},
        {R"("folders": ["INBOX", "Büro"])", R"("protocol": "pop3")",
         "mailboxes[1].after: POP3 can neither flag nor move"},
        {R"("folders": ["INBOX", "Büro"])", R"("submit": {"per_minute": 0})",
         "mailboxes[1].submit.per_minute: found the number 0"},
        {R"("folders": ["INBOX", "Büro"])", R"("submit": {})",
         R"(mailboxes[1].submit: needs "smtp" at provider "rig", which has none)"},
        {R"("kind": "pull")", R"("kind": "pul")",
         R"(consumers[0].kind: found "pul", expected "maildir", "lmtp", "webhook", "command" or "pull"; did you mean "pull"?)"},
        {R"("kind": "pull")", R"("kind": "pull", "path": "/x")", R"(consumers[0].path: kind "pull" has no "path")"},
        {R"("kind": "pull")", R"("kind": "maildir")", R"(consumers[0].path: missing, kind "maildir" needs it)"},
        {R"("https://app.test/mail")", R"("http://app.test/mail")", "consumers[1].url: found"},
        {R"("https://app.test/mail")", R"("http://127.0.0.1.evil.test/mail")", "consumers[1].url: found"},
        {R"("https://app.test/mail")", R"("http://127.0.evil.test/mail")", "consumers[1].url: found"},
        {R"("https://app.test/mail")", R"("https://127.0.0.1.evil.test/mail")", "consumers[1].url: found"},
        {R"("https://app.test/mail")", R"("https://me@app.test/mail")", "consumers[1].url: found"},
        {R"("https://app.test/mail")", R"("https://app.test/mail#x")", "consumers[1].url: found"},
        {R"(, "secret": {"value": "canary-three"})", "", R"(consumers[1].secret: missing, kind "webhook" needs it)"},
        {R"("consumers": [)", R"("consumer": [)", R"(consumer: unknown key; did you mean "consumers"?)"},
        {R"("providers": [)", R"("providers": 7, "x": [)", "providers: found the number 7, expected a list of objects"},
        {R"("consumers": [{)", R"("consumers": [1, {)", "consumers[0]: found the number 1, expected an object"},
        {R"("consumers": [)", "\"consumers\": (", "not JSON: syntax error at line 11, column 16"},
    }));
    CAPTURE(given.piece, given.replacement);
    const std::string faults = faults_of(with(given.piece, given.replacement));
    CHECK_THAT(faults, Catch::Contains(std::string(given.fault)));
    CHECK_THAT(faults, !Catch::Contains("canary"));
}

TEST_CASE("at most fifty faults are told, the others counted", "[config]") {
    std::string text = R"({"consumers": [)";
    for (int i = 0; i < 80; ++i) text += i == 0 ? "1" : ",1";
    const auto reading = read_document(text + "]}", NoSources());
    CHECK(reading.faults.list().size() == 50);
    CHECK(reading.faults.left_out() == 30);
}

TEST_CASE("secrets come from files and variables, without the line end", "[config]") {
    TemporaryDirectory folder;
    std::ofstream(folder.path() / "secret") << "from a file\r\n";
    REQUIRE(::setenv("ROHRPOST_TEST_SECRET", "from a variable", 1) == 0);
    const LocalSources sources(folder.path());
    CHECK(sources.file("secret").value == Secret("from a file"));
    CHECK(sources.variable("ROHRPOST_TEST_SECRET").value == Secret("from a variable"));
    CHECK_THAT(sources.file("absent").wrong, Catch::Contains("absent\" cannot be read"));
    CHECK_THAT(sources.file(".").wrong, Catch::Contains("is a folder"));
    CHECK_THAT(sources.variable("ROHRPOST_TEST_ABSENT").wrong, Catch::Contains("is not set"));
    REQUIRE(::unsetenv("ROHRPOST_TEST_SECRET") == 0);
}

TEST_CASE("an import seals, subscribes, and changes nothing the second time", "[config]") {
    House house;
    CHECK(changes(house.import(sound)) == 8);
    CHECK(house.secret("svc", "client_secret") == "canary-one");
    CHECK(house.secret("consumer/hook", "secret") == "canary-three");
    CHECK(house.subscriptions("api") == 1);
    const auto sealed = house.opened.store->secret("svc", "client_secret").value();
    CHECK_THAT(*sealed, !Catch::Contains("canary"));
    CHECK(changes(house.import(sound)) == 0);
    CHECK(house.opened.store->secret("svc", "client_secret").value() == sealed);
}

TEST_CASE("an export imports again, changes nothing and shows no secret", "[config]") {
    House house;
    const auto in_header = with(R"("imap": {"host": "rig.test")",
                                R"("token_endpoint_auth_method": "client_secret_basic", "imap": {"host": "rig.test")");
    house.import(in_header);
    const auto there = stored(*house.opened.store);
    REQUIRE(there.has_value());
    const std::string text = exported(*there);
    CHECK_THAT(text, !Catch::Contains("canary"));
    CHECK_THAT(text, Catch::Contains(R"("token_endpoint_auth_method":"client_secret_basic")"));
    CHECK(changes(house.import(text)) == 0);
    CHECK(house.secret("r", "refresh_token") == "canary-two");
    CHECK(exported(*stored(*house.opened.store)) == text);
}

TEST_CASE("an export with its secrets opened is the whole of another house, and says which secret does not open",
          "[config]") {
    House house;
    house.import(sound);
    auto there = *stored(*house.opened.store);
    std::string at;
    REQUIRE(open_secrets(there, *house.opened.store, *house.keyring, at).has_value());
    const std::string text(with_secrets(there).reveal());
    for (const auto* canary : {"canary-one", "canary-two", "canary-three"}) CHECK_THAT(text, Catch::Contains(canary));
    House other;
    CHECK(changes(other.import(text)) == 8);
    CHECK(other.secret("svc", "client_secret") == "canary-one");
    CHECK(other.secret("r", "refresh_token") == "canary-two");
    CHECK(other.secret("consumer/hook", "secret") == "canary-three");
    CHECK(exported(*stored(*other.opened.store)) == exported(*stored(*house.opened.store)));

    auto foreign = *stored(*house.opened.store);
    CHECK(open_secrets(foreign, *house.opened.store, *other.keyring, at).error() == secrets::errc::foreign_key);
    CHECK(at == "r: refresh_token");  // the first of them
}

TEST_CASE("a document refers to what was imported earlier, and objects it does not name stay", "[config]") {
    House house;
    house.import(sound);
    const auto imported = house.import(
        R"({"mailboxes": [{"id": "support", "address": "support@contoso.com", "credential": "svc", "consumer": "hook"}]})");
    CHECK(imported.faults.empty());
    CHECK(changes(imported) == 1);
    CHECK(house.subscriptions("api") == 0);
    CHECK(house.subscriptions("hook") == 2);
    CHECK(stored(*house.opened.store)->mailboxes.size() == 2);
}

TEST_CASE("what is there already must go on working", "[config]") {
    House house;
    house.import(sound);
    const auto imported = house.import(
        R"({"providers": [{"id": "rig", "token_url": "https://rig.test/t", "pop3": {"host": "rig.test", "port": 1}}]})");
    REQUIRE(imported.faults.list().size() == 1);
    CHECK(imported.faults.list().front().path == R"(mailbox "rigged" imported earlier.protocol)");
    CHECK(stored(*house.opened.store)->providers.back().imap.has_value());
}

TEST_CASE("a secret that a new flow has no use for is dropped", "[config]") {
    House house;
    house.import(sound);
    house.import(R"({"credentials": [{"id": "r", "provider": "rig", "user": "r@rig.test", "flow": "password",
                                      "password": {"value": "canary-four"}}]})");
    CHECK(house.secret("r", "refresh_token") == "");
    CHECK(house.secret("r", "password") == "canary-four");
}

TEST_CASE("a removed mailbox that is imported again is subscribed again", "[config]") {
    House house;
    house.import(sound);
    REQUIRE(house.opened.store->begin().has_value());
    REQUIRE(house.opened.store->remove_mailbox("support").has_value());
    REQUIRE(house.opened.store->commit().has_value());
    CHECK(changes(house.import(sound)) == 1);
    CHECK(house.subscriptions("api") == 1);
}

TEST_CASE("documents read back as what they were written from", "[config]") {
    const auto reading = read_document(sound, NoSources());
    for (const auto& mailbox : reading.document.mailboxes) {
        const auto back = from_document<Mailbox>(to_document(mailbox));
        REQUIRE(back.has_value());
        CHECK(to_document(*back) == to_document(mailbox));
        CHECK(back->login == mailbox.address);
    }
    const auto provider = from_document<Provider>(to_document(reading.document.providers[0]));
    REQUIRE(provider.has_value());
    CHECK(provider->token_url == "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token");
    CHECK(provider->smtp->tls == Tls::starttls);
    CHECK(from_document<Consumer>("{}").error() == errc::malformed_document);
    CHECK(from_document<Consumer>("[").error() == errc::malformed_document);
}

TEST_CASE("presets ask for the scopes that the protocols in use need", "[config]") {
    const Provider microsoft = preset("microsoft365", "");
    CHECK(microsoft.authorize_url == "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize");
    CHECK(scopes_of(microsoft, Flow::client_credentials, {.imap = true}) ==
          std::vector<std::string>{"https://outlook.office365.com/.default"});
    CHECK(scopes_of(microsoft, Flow::refresh_token, {.imap = true}) ==
          std::vector<std::string>{"https://outlook.office.com/IMAP.AccessAsUser.All", "offline_access", "openid",
                                   "profile", "email"});
    CHECK(scopes_of(preset("gmail", ""), Flow::service_account, {.imap = true}) ==
          std::vector<std::string>{"https://mail.google.com/"});
    Provider own = microsoft;
    own.scopes = {"x"};
    CHECK(scopes_of(own, Flow::refresh_token, {.imap = true}) == own.scopes);
}

namespace {

/// A text as it stands in JSON.
std::string json_text(std::string_view text) {
    return boost::json::serialize(boost::json::value(boost::json::string(text)));
}

/// A key and a certificate of it, as PEM without the last line end, as files are read.
struct Proof {
    explicit Proof(const jose_test::Signer& signer)
        : key(signer.pem()), certificate(jose_test::certificate_of(signer)) {
        key.pop_back();
        certificate.pop_back();
    }
    [[nodiscard]] std::string given() const {
        return R"("private_key": {"value": )" + json_text(key) + R"(}, "certificate": {"value": )" +
               json_text(certificate) + "}";
    }
    std::string key, certificate;
};

const Proof& proof() {
    static const Proof once(jose_test::rsa_signer());
    return once;
}

constexpr std::string_view given_secret = R"("client_secret": {"value": "canary-one"})";

}  // namespace

TEST_CASE("each cloud of Microsoft has its own hosts, issuer and scopes", "[config]") {
    struct Row {
        Cloud cloud;
        std::string login, mail, smtp, person, own;
    };
    const auto row = GENERATE(values<Row>({
        {Cloud::global, "login.microsoftonline.com", "outlook.office365.com", "smtp.office365.com",
         "https://outlook.office.com/IMAP.AccessAsUser.All", "https://outlook.office365.com/.default"},
        {Cloud::gcc_high, "login.microsoftonline.us", "outlook.office365.us", "smtp.office365.us",
         "https://outlook.office365.us/IMAP.AccessAsUser.All", "https://outlook.office365.us/.default"},
        {Cloud::dod, "login.microsoftonline.us", "", "", "https://outlook.office365.us/IMAP.AccessAsUser.All",
         "https://outlook.office365.us/.default"},
        {Cloud::china, "login.partner.microsoftonline.cn", "partner.outlook.cn", "smtp.partner.outlook.cn",
         "https://partner.outlook.cn/.default", "https://partner.outlook.cn/.default"},
    }));
    const auto provider = preset("microsoft365", "contoso.com", row.cloud);
    const std::string authority = "https://" + row.login + "/contoso.com";
    CHECK(provider.authorize_url == authority + "/oauth2/v2.0/authorize");
    CHECK(provider.token_url == authority + "/oauth2/v2.0/token");
    CHECK(provider.device_url == authority + "/oauth2/v2.0/devicecode");
    CHECK(provider.jwks_url == authority + "/discovery/v2.0/keys");
    CHECK(provider.issuer == "https://" + row.login + "/{tenantid}/v2.0");
    CHECK((provider.imap ? provider.imap->host : "") == row.mail);
    CHECK((provider.smtp ? provider.smtp->host : "") == row.smtp);
    CHECK(scopes_of(provider, Flow::authorization_code, {.imap = true}).front() == row.person);
    CHECK(scopes_of(provider, Flow::client_credentials, {.imap = true}) == std::vector{row.own});
}

TEST_CASE("the issuer names the tenant when its id is known", "[config]") {
    const auto issuer = [](std::string_view tenant) { return preset("microsoft365", tenant).issuer; };
    CHECK(issuer("11111111-AAAA-3333-4444-555555555555") ==
          "https://login.microsoftonline.com/11111111-aaaa-3333-4444-555555555555/v2.0");
    CHECK(issuer("consumers") == "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0");
    CHECK(issuer("") == "https://login.microsoftonline.com/{tenantid}/v2.0");
    CHECK(issuer("11111111-aaaa-3333-4444-55555555555g") == "https://login.microsoftonline.com/{tenantid}/v2.0");
    CHECK(issuers_of(preset("gmail", "")) ==
          std::vector<std::string>{"https://accounts.google.com", "accounts.google.com"});
    CHECK(preset("gmail", "").jwks_url == "https://www.googleapis.com/oauth2/v3/certs");
    CHECK(issuers_of(Provider{}).empty());
}

TEST_CASE("cloud, jwks_url and issuer are read, written and checked", "[config]") {
    const auto text = with(R"("tenant": "contoso.com")", R"("tenant": "contoso.com", "cloud": "gcc_high")");
    auto reading = read_document(text, NoSources());
    CHECK(reading.faults.empty());
    const auto provider = from_document<Provider>(to_document(reading.document.providers[0]));
    REQUIRE(provider.has_value());
    CHECK(provider->cloud == Cloud::gcc_high);
    CHECK(provider->imap->host == "outlook.office365.us");
    CHECK(to_document(*provider).find("office365.us") == std::string::npos);  // a newer preset takes effect

    const auto rig =
        with(R"("https://rig.test/token",)",
             R"("https://rig.test/token", "jwks_url": "https://rig.test/keys", "issuer": "https://rig.test/",)");
    reading = read_document(rig, NoSources());
    CHECK(reading.faults.empty());
    const auto again = from_document<Provider>(to_document(reading.document.providers[1]));
    REQUIRE(again.has_value());
    CHECK(again->jwks_url == "https://rig.test/keys");
    CHECK(again->issuer == "https://rig.test/");

    const auto faults = [](std::string_view key_and_value) {
        return faults_of(
            with(R"("https://rig.test/token",)", R"("https://rig.test/token", )" + std::string(key_and_value) + ","));
    };
    CHECK(faults(R"("jwks_url": "http://rig.test/keys")").find("providers[1].jwks_url: found") == 0);
    CHECK(faults(R"("issuer": "rig.test")").find("providers[1].issuer: found \"rig.test\", expected the https URL") ==
          0);
    CHECK(faults(R"("issuer": "https://rig.test/?x=1")").find("providers[1].issuer: found") == 0);
    CHECK(faults(R"("issuer": "https://rig.test/{tenantid}/v2.0")").empty());
    CHECK(faults(R"("cloud": "china")").find("providers[1].cloud: only preset \"microsoft365\" has clouds") == 0);
    CHECK(faults_of(with(R"("tenant": "contoso.com")", R"("tenant": "contoso.com", "cloud": "chyna")"))
              .find("did you mean \"china\"?") != std::string::npos);
    // The mail hosts of DoD are not known here.
    CHECK(faults_of(with(R"("tenant": "contoso.com")", R"("tenant": "contoso.com", "cloud": "dod")"))
              .find("mailboxes[0].protocol: \"imap\" needs \"imap\" at provider \"m365\"") == 0);
}

TEST_CASE("a client proves itself with a secret, or with a certificate and its key", "[config]") {
    const auto faults = [](std::string_view given) { return faults_of(with(given_secret, given)); };
    const std::string key = R"("private_key": {"value": )" + json_text(proof().key) + "}";
    const std::string certificate = R"("certificate": {"value": )" + json_text(proof().certificate) + "}";
    CHECK(faults(proof().given()).empty());
    CHECK(faults(key) ==
          "credentials[0].certificate: missing, \"private_key\" needs it: the certificate that the provider knows, in "
          "PEM\n");
    CHECK(faults(certificate) ==
          "credentials[0].private_key: missing, \"certificate\" needs it: its private key, in PEM\n");
    CHECK(faults(std::string(given_secret) + ", " + proof().given())
              .find("credentials[0].client_secret: a client proves") == 0);
    CHECK(faults(key + R"(, "certificate": {"value": )" + json_text(Proof(jose_test::other_rsa_signer()).certificate) +
                 "}") == "credentials[0].certificate: the certificate does not belong to the private key\n");
    CHECK(faults(certificate + R"(, "private_key": {"value": )" + json_text(jose_test::ec_signer().pem()) + "}") ==
          "credentials[0].private_key: the private key is not an RSA key\n");
    CHECK(faults(certificate + R"(, "private_key": {"value": "-----BEGIN ENCRYPTED PRIVATE KEY-----"})")
              .find("credentials[0].private_key: the private key is encrypted with a pass phrase") == 0);
    CHECK(faults(key + R"(, "certificate": {"value": "x"})").find("credentials[0].certificate: no certificate found") ==
          0);
    CHECK(faults(key).find("BEGIN") == std::string::npos);
    // With a person's flow, too.
    CHECK(faults_of(with(R"("flow": "refresh_token", "client_id": "app",)",
                         R"("flow": "refresh_token", "client_id": "app", )" + proof().given() + ","))
              .empty());
}

TEST_CASE("a client's new proof replaces the one before", "[config]") {
    House house;
    house.import(sound);
    CHECK(house.secret("svc", "client_secret") == "canary-one");
    CHECK(house.import(with(given_secret, proof().given())).faults.empty());
    CHECK(house.secret("svc", "client_secret").empty());
    CHECK(house.secret("svc", "private_key") == proof().key);
    CHECK(house.secret("svc", "certificate") == proof().certificate);
    CHECK(house.import(with(given_secret, R"("private_key": {"sealed": true}, "certificate": {"sealed": true})"))
              .faults.empty());
    CHECK(house.secret("svc", "private_key") == proof().key);
    CHECK(house.import(sound).faults.empty());
    CHECK(house.secret("svc", "client_secret") == "canary-one");
    CHECK(house.secret("svc", "private_key").empty());
    CHECK(house.secret("svc", "certificate").empty());
    CHECK(house.secret("r", "refresh_token") == "canary-two");
}

TEST_CASE("a service account needs its key file and no more", "[config]") {
    const std::string file =
        R"({"type":"service_account","client_email":"a@p.iam.gserviceaccount.com","private_key_id":"k",)"
        R"("token_uri":"https://oauth2.googleapis.com/token","private_key":)" +
        json_text(proof().key) + "}";
    const auto faults = [](std::string_view given) {
        auto text = with(R"("preset": "microsoft365", "tenant": "contoso.com")", R"("preset": "gmail")");
        const auto replaced = [&text](std::string_view piece, std::string_view by) {
            text.replace(text.find(piece), piece.size(), by);
        };
        replaced(R"("flow": "client_credentials")", R"("flow": "service_account")");
        replaced(R"("client_id": "app", "client_secret": {"value": "canary-one"})", given);
        return faults_of(text);
    };
    CHECK(faults(R"("service_account": {"value": )" + json_text(file) + "}").empty());
    CHECK(faults(R"("client_id": "app")") ==
          "credentials[0].service_account: missing, flow \"service_account\" needs it\n");
    CHECK(
        faults(R"("service_account": {"value": "{}"})").find("credentials[0].service_account: not the key file of a") ==
        0);
    CHECK(faults(R"("service_account": {"value": )" + json_text(file) + R"(}, "client_secret": {"value": "x"})")
              .find("credentials[0].client_secret: flow \"service_account\" has no use for it") == 0);
    CHECK(faults_of(with(given_secret, std::string(given_secret) + R"(, "service_account": {"value": "{}"})"))
              .find("credentials[0].service_account: flow \"client_credentials\" has no use for it") !=
          std::string::npos);
}

TEST_CASE("what limits sending is kept as it was imported, and nothing is said of what is usual", "[config]") {
    const std::string provider =
        R"({"id":"rig","smtp":{"host":"smtp.test","port":465,"tls":"implicit"},"limits":{"mails_per_minute":50,"recipients_per_day":9000}})";
    const auto limited = from_document<Provider>(provider);
    REQUIRE(limited.has_value());
    CHECK(limited->limits == SendingLimits{50, 9000});
    CHECK(from_document<Provider>(to_document(*limited))->limits == limited->limits);
    const std::string mailbox =
        R"({"id":"a","address":"a@x.test","credential":"c","submit":{"recipients_per_day":0,"in_doubt":"retry"}})";
    const auto sends = from_document<Mailbox>(mailbox);
    REQUIRE(sends.has_value());
    CHECK(sends->submit->recipients_per_day == 0);
    CHECK(sends->submit->in_doubt == InDoubt::retry);
    CHECK_THAT(to_document(*sends), Catch::Contains(R"("submit":{"recipients_per_day":0,"in_doubt":"retry"})"));
    const auto usual = from_document<Mailbox>(R"({"id":"a","address":"a@x.test","credential":"c","submit":{}})");
    REQUIRE(usual.has_value());
    CHECK_FALSE(usual->submit->recipients_per_day);
    CHECK_THAT(to_document(*usual), Catch::Contains(R"("submit":{})"));
}

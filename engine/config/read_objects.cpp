#include <fmt/format.h>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <array>

#include "engine/config/documents.hpp"
#include "engine/config/errc.hpp"
#include "engine/config/fields.hpp"
#include "engine/config/flags.hpp"
#include "engine/config/lmtp_place.hpp"
#include "engine/config/presets.hpp"
#include "engine/config/read_shadow.hpp"
#include "protocols/base/text.hpp"
#include "protocols/http/errc.hpp"
#include "protocols/http/url.hpp"
#include "protocols/imap/folder_choice.hpp"

namespace config {
namespace {

constexpr std::size_t id_bytes_max = 128;
constexpr std::size_t folder_bytes_max = 1000;

std::string read_id(const Fields& fields) {
    constexpr std::string_view expected =
        "an id of 1 to 128 letters, digits and . _ - + @, beginning with a letter or digit";
    std::string id = fields.needed_text("id", expected);
    const auto letter = [](char c) {
        return (text::lower(c) >= 'a' && text::lower(c) <= 'z') || (c >= '0' && c <= '9');
    };
    const auto allowed = [&](char c) {
        return letter(c) || std::string_view("._-+@").find(c) != std::string_view::npos;
    };
    if (id.empty()) return id;
    if (id.size() <= id_bytes_max && letter(id.front()) && std::all_of(id.begin(), id.end(), allowed)) return id;
    fields.fault("id", fmt::format("found {}, expected {}", described(*fields.find("id")), expected));
    return {};
}

/// TLS always. Plain HTTP only to an application on this machine, where nothing leaves it.
enum class PlainHttp { refused, on_this_machine };

std::string read_url(const Fields& fields, std::string_view key, PlainHttp plain) {
    std::string url = fields.text(key, "an https URL");
    if (url.empty()) return url;
    if (url.find('#') == std::string::npos) {
        if (http::read_https_url(url)) return url;
        constexpr std::string_view plainly = "http://";
        const bool may_be_plain = plain == PlainHttp::on_this_machine && url.starts_with(plainly);
        const auto read = may_be_plain ? http::read_https_url("https://" + url.substr(plainly.size()))
                                       : Result<http::Url>(http::errc::not_https);
        if (read && names_this_machine(read->host)) return url;
    }
    fields.fault(key,
                 fmt::format("found {}, expected an https URL{}", described(*fields.find(key)),
                             plain == PlainHttp::refused ? "" : " (http only for this machine itself, 127.0.0.1)"));
    return {};
}

/// It is compared byte for byte, so it is kept as it stands; {tenantid} may stand in it.
std::string read_issuer(const Fields& fields) {
    std::string issuer = fields.text("issuer", "an https URL");
    std::string sample = issuer;
    constexpr std::string_view place = "{tenantid}";
    if (const auto at = sample.find(place); at != std::string::npos) sample.replace(at, place.size(), "tenant");
    const bool bare = sample.find_first_of("?#") == std::string::npos;
    if (issuer.empty() || (bare && http::read_https_url(sample))) return issuer;
    fields.fault("issuer", fmt::format("found {}, expected the https URL that id_tokens name as \"iss\"",
                                       described(*fields.find("issuer"))));
    return {};
}

bool is_host_name(std::string_view host) {
    // One colon alone would be a port; an IPv6 address has more.
    return host.size() <= 255 && std::count(host.begin(), host.end(), ':') != 1 &&
           std::all_of(host.begin(), host.end(), [](char c) {
               return (text::lower(c) >= 'a' && text::lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
                      c == '-' || c == '_' || c == ':';
           });
}

void read_host(const Fields& parent, std::string_view key, Host standard, std::optional<Host>& into, Faults& faults) {
    const auto* object = parent.object(key, "an object with \"host\", \"port\" and \"tls\"");
    if (object == nullptr) return;
    const Fields fields(*object, parent.path(key), {"host", "port", "tls"}, faults);
    Host host = into ? *into : std::move(standard);
    if (fields.has("host") || host.host.empty()) host.host = fields.needed_text("host", "a host name or address");
    if (!is_host_name(host.host)) {
        fields.fault("host", fmt::format("found {}, expected a host name or address alone, the port stands in \"port\"",
                                         described(*fields.find("host"))));
    }
    if (const auto port = fields.number("port", 1, 65535)) host.port = static_cast<std::uint16_t>(*port);
    if (const auto tls = fields.choice("tls", tls_words)) host.tls = *tls;
    into = std::move(host);
}

void read_limits(const Fields& parent, SendingLimits& into, Faults& faults) {
    const auto* object = parent.object("limits", "an object with \"mails_per_minute\" and \"recipients_per_day\"");
    if (object == nullptr) return;
    const Fields fields(*object, parent.path("limits"), {"mails_per_minute", "recipients_per_day"}, faults);
    into.mails_per_minute = fields.number("mails_per_minute", 0, 1'000'000'000).value_or(0);
    into.recipients_per_day = fields.number("recipients_per_day", 0, 1'000'000'000).value_or(0);
}

void read_sessions(const Fields& parent, SessionLimits& into, Faults& faults) {
    constexpr auto most = 1'000'000U;
    const auto* object = parent.object(
        "sessions", "an object with \"per_credential\", \"per_tenant\", \"per_host\" and \"per_mailbox\"");
    if (object == nullptr) return;
    const Fields fields(*object, parent.path("sessions"), {"per_credential", "per_tenant", "per_host", "per_mailbox"},
                        faults);
    const auto number = [&fields](std::string_view key, std::uint32_t least, std::uint32_t usual) {
        return static_cast<std::uint32_t>(fields.number(key, least, most).value_or(usual));
    };
    into.per_credential = number("per_credential", 0, into.per_credential);
    into.per_tenant = number("per_tenant", 0, into.per_tenant);
    into.per_host = number("per_host", 0, into.per_host);
    into.per_mailbox = number("per_mailbox", 1, into.per_mailbox);
}

std::string read_path(const Fields& fields, std::string_view key, std::string_view expected, const Sources* sources) {
    std::string path = fields.text(key, expected);
    if (path.empty() || sources == nullptr) return path;
    std::string located = sources->located(path);
    if (located.empty())
        fields.fault(key, fmt::format("found {}, expected an absolute path", described(*fields.find(key))));
    return located;
}

bool is_address(std::string_view address) {
    const auto at = address.rfind('@');
    return at != std::string_view::npos && at > 0 && at + 1 < address.size() && address.size() <= 320 &&
           address.find_first_of(" <>,;\"") == std::string_view::npos;
}

void check_address(const Fields& fields, std::string_view key, std::string_view address) {
    if (address.empty() || is_address(address)) return;
    fields.fault(key, fmt::format("found \"{}\", expected a mail address like support@example.com",
                                  text::printable(address, 60)));
}

Start read_start(const Fields& fields) {
    constexpr std::string_view expected = "\"all\", \"new\" or a date like 2026-01-31";
    const std::string start = fields.text("start", expected);
    if (start.empty() || start == "all") return {};
    if (start == "new") return {.from = Start::From::fresh};
    const auto date = date_of(start);
    if (!date) fields.fault("start", fmt::format("found {}, expected {}", described(*fields.find("start")), expected));
    return {.from = Start::From::date, .date = date.value_or(std::chrono::sys_days{})};
}

bool same_folder(const std::string& one, const std::string& other) {
    return one == other || (text::same(one, "INBOX") && text::same(other, "INBOX"));
}

/// Days of "30d".
std::optional<std::chrono::days> days_of(std::string_view text) {
    constexpr unsigned days_max = 3650;
    if (!text.ends_with('d')) return std::nullopt;
    const auto days = text::number<unsigned>(text.substr(0, text.size() - 1));
    if (!days || *days == 0 || *days > days_max) return std::nullopt;
    return std::chrono::days(*days);
}

/// Where "move:" leads: a folder's name, or its special use (RFC 6154), whatever its name is.
void read_target(const Fields& fields, std::string_view target, Mailbox& into) {
    constexpr std::array<std::string_view, 5> uses{R"(\Archive)", R"(\Drafts)", R"(\Junk)", R"(\Sent)", R"(\Trash)"};
    into.after = After::move;
    into.move_to = target;
    const bool plain =
        std::all_of(target.begin(), target.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x20; });
    if (!plain || target.size() > folder_bytes_max) {
        fields.fault("after", fmt::format("found {}, expected \"move:FOLDER\" with the name of a folder",
                                          described(*fields.find("after"))));
    } else if (target.starts_with('\\') && std::find(uses.begin(), uses.end(), target) == uses.end()) {
        fields.fault("after", fmt::format("found the special use \"{}\", expected {}", text::printable(target, 60),
                                          either_of(uses)));
    }
}

void read_after(const Fields& fields, Mailbox& into) {
    constexpr std::string_view expected =
        R"("keep", "seen", "delete", "delete:30d" (so many days later) or "move:FOLDER")";
    const std::string after = fields.text("after", expected);
    if (after.empty()) return;
    if (after.starts_with("move:") && after.size() > 5) {
        read_target(fields, std::string_view(after).substr(5), into);
    } else if (after.starts_with("delete:")) {
        const auto days = days_of(std::string_view(after).substr(7));
        into.after = After::remove;
        into.delete_after = days.value_or(std::chrono::days(0));
        if (!days) {
            fields.fault("after", fmt::format("found {}, expected \"delete:\" and 1 to 3650 days, like \"delete:30d\"",
                                              described(*fields.find("after"))));
        }
    } else if (after == "move" || after == "move:") {
        fields.fault("after", fmt::format("found \"{}\" without a folder, expected \"move:FOLDER\"", after));
    } else if (const auto known = choice_of(after_words, after)) {
        into.after = *known;
    } else {
        constexpr std::string_view words[] = {"keep", "seen", "delete", "delete:30d", "move:FOLDER"};
        fields.fault("after", fmt::format("found {}, expected {}{}", described(*fields.find("after")), expected,
                                          suggestion(after, words)));
    }
}

Submit read_submit(const Fields& parent, const Mailbox& mailbox, const boost::json::object& object, Faults& faults) {
    const Fields fields(object, parent.path("submit"),
                        {"login", "from", "per_minute", "connections", "recipients_per_day", "in_doubt"}, faults);
    Submit submit;
    submit.login = fields.text("login", "the user that logs in for sending");
    submit.from = fields.texts("from", "a list of addresses that may stand in From");
    if (submit.from.empty()) submit.from = {mailbox.address};
    for (std::size_t i = 0; fields.has("from") && i < submit.from.size(); ++i) {
        check_address(fields, fmt::format("from[{}]", i), submit.from[i]);
    }
    if (const auto rate = fields.number("per_minute", 1, 100'000)) submit.per_minute = *rate;
    if (const auto count = fields.number("connections", 1, 100)) submit.connections = *count;
    submit.recipients_per_day = fields.number("recipients_per_day", 0, 1'000'000'000);
    submit.in_doubt = fields.choice("in_doubt", in_doubt_words).value_or(submit.in_doubt);
    return submit;
}

/// Names, patterns, uses, and what is left out of them.
void check_folders(const Fields& fields, const std::vector<std::string>& folders) {
    const auto& uses = imap::special_uses();
    const auto wrong = [&uses](std::string_view entry) -> std::string {
        if (entry.starts_with('!')) entry.remove_prefix(1);
        if (entry.empty()) return "an empty name";
        const bool known = std::any_of(uses.begin(), uses.end(), [&](auto use) { return text::same(use, entry); });
        if (!entry.starts_with('\\') || known) return {};
        return fmt::format("\"{}\", expected one of {}", text::printable(entry, 60), fmt::join(uses, ", "));
    };
    for (const auto& entry : folders) {
        if (const auto what = wrong(entry); !what.empty()) fields.fault("folders", "found " + what);
    }
    if (std::all_of(folders.begin(), folders.end(), [](const auto& entry) { return entry.starts_with('!'); }))
        fields.fault("folders", "only says what is left out; expected what is fetched before it, like \"*\"");
}

/// What POP3 has not: folders, flags.
void check_pop3(const Fields& fields, const Mailbox& mailbox) {
    if (fields.has("folders")) fields.fault("folders", "POP3 knows one folder only; leave it out, or use \"imap\"");
    if (mailbox.after == After::seen || mailbox.after == After::move) {
        fields.fault("after", "POP3 can neither flag nor move; expected \"keep\" or \"delete\", or use \"imap\"");
    }
}

/// A key of a consumer: which kinds have it, and whether they cannot do without.
struct Use {
    std::string_view key;
    std::initializer_list<Consumer::Kind> kinds;
    bool needed = false;
};

using Kind = Consumer::Kind;
const std::initializer_list<Use> consumer_uses = {{"path", {Kind::maildir}, true},
                                                  {"sync", {Kind::maildir}},
                                                  {"address", {Kind::lmtp}, true},
                                                  {"recipient", {Kind::lmtp}},
                                                  {"url", {Kind::webhook}, true},
                                                  {"secret", {Kind::webhook}, true},
                                                  {"format", {Kind::webhook}},
                                                  {"ca_file", {Kind::lmtp, Kind::webhook}},
                                                  {"program", {Kind::command}, true},
                                                  {"timeout", {Kind::webhook, Kind::command}},
                                                  {"connections", {Kind::lmtp, Kind::webhook, Kind::command}},
                                                  {"attempts", {Kind::lmtp, Kind::webhook, Kind::command}}};

void refuse_other_kinds(const Fields& fields, Kind kind, const Sources* sources) {
    const std::string_view word = word_of(kind_words, kind);
    for (const Use& use : consumer_uses) {
        const bool has = std::find(use.kinds.begin(), use.kinds.end(), kind) != use.kinds.end();
        if (!has && fields.has(use.key)) {
            fields.fault(use.key, fmt::format("kind \"{}\" has no \"{}\" (kind \"{}\" has); leave it out", word,
                                              use.key, word_of(kind_words, *use.kinds.begin())));
        }
        const bool needed = use.needed && (use.key != "secret" || sources != nullptr);
        if (has && needed && !fields.has(use.key)) {
            fields.fault(use.key, fmt::format("missing, kind \"{}\" needs it", word));
        }
    }
}

/// Unlike texts() it may hold the same twice.
std::vector<std::string> read_program(const Fields& fields) {
    constexpr std::string_view expected = R"(a list like ["/usr/local/bin/take-mail", "--quickly"])";
    std::vector<std::string> program;
    const auto* value = fields.find("program");
    const auto* list = value == nullptr ? nullptr : value->if_array();
    bool well = list != nullptr && !list->empty();
    for (std::size_t i = 0; well && i < list->size(); ++i) {
        const auto* word = (*list)[i].if_string();
        well = word != nullptr && word->size() <= Fields::text_bytes_max &&
               std::string_view(*word).find('\0') == std::string_view::npos;
        if (well) program.emplace_back(*word);
    }
    if (well && program.front().starts_with('/')) return program;
    if (value != nullptr && well)
        fields.fault("program", fmt::format("found \"{}\", expected an absolute path; no shell looks for it",
                                            text::printable(program.front(), 60)));
    if (value != nullptr && !well)
        fields.fault("program", fmt::format("found {}, expected {}", described(*value), expected));
    return {};
}

/// How a consumer is reached.
void read_way(const Fields& fields, const Sources* sources, Consumer& into) {
    into.path = read_path(fields, "path", "the path of a Maildir", sources);
    constexpr std::string_view place = "HOST:PORT, or unix: and the absolute path of a socket";
    into.address = fields.text("address", place);
    if (!into.address.empty() && !lmtp_place_of(into.address))
        fields.fault("address", fmt::format("found {}, expected {}", described(*fields.find("address")), place));
    const auto recipient = fields.text("recipient", "an address, in which {address} or {mailbox} may stand");
    if (!recipient.empty()) into.recipient = recipient;
    into.url = read_url(fields, "url", PlainHttp::on_this_machine);
    into.ca_file = read_path(fields, "ca_file", "the path of a file of certificates (PEM)", sources);
    into.program = read_program(fields);
    constexpr std::string_view span = "a time from \"1s\" to \"1h\", like \"60s\"";
    const auto written = fields.text("timeout", span);
    if (written.empty()) return;
    const auto timeout = duration_of(written);
    if (timeout && *timeout >= std::chrono::seconds(1) && *timeout <= std::chrono::hours(1))
        into.timeout = timeout;
    else
        fields.fault("timeout", fmt::format("found {}, expected {}", described(*fields.find("timeout")), span));
}

}  // namespace

void read_object(const boost::json::object& object, const std::string& path, const Sources* sources, Faults& faults,
                 Provider& into) {
    const Fields fields(
        object, path,
        {"id", "preset", "tenant", "cloud", "authorize_url", "token_url", "device_url", "jwks_url", "issuer",
         "token_endpoint_auth_method", "scopes", "ca_file", "imap", "pop3", "smtp", "limits", "sessions"},
        faults);
    const std::string id = read_id(fields);
    const std::string tenant = fields.text("tenant", "a tenant: its id or domain");
    const std::string named = fields.text("preset", either_of(preset_names()));
    const Cloud cloud = fields.choice("cloud", cloud_words).value_or(Cloud::global);
    if (fields.has("cloud") && named != "microsoft365")
        fields.fault("cloud", "only preset \"microsoft365\" has clouds; leave it out");
    const auto& presets = preset_names();
    if (std::find(presets.begin(), presets.end(), named) != presets.end()) {
        into = preset(named, tenant, cloud);
    } else if (!named.empty()) {
        fields.fault("preset", fmt::format("found {}, expected {}{}", described(*fields.find("preset")),
                                           either_of(presets), suggestion(named, presets)));
    }
    into.id = id;
    if (!tenant.empty() && !named.empty() && named != "microsoft365") {
        fields.fault("tenant", fmt::format("preset \"{}\" has no tenants; leave it out", text::printable(named, 60)));
    } else if (!tenant.empty() && named.empty()) {
        fields.fault("tenant", "only preset \"microsoft365\" has tenants; write the tenant into the URLs");
    } else if (!is_host_name(tenant) || tenant.find(':') != std::string::npos) {
        fields.fault("tenant",
                     fmt::format("found {}, expected a tenant: its id or domain", described(*fields.find("tenant"))));
    }
    for (const auto& [key, url] :
         {std::pair("authorize_url", &into.authorize_url), std::pair("token_url", &into.token_url),
          std::pair("device_url", &into.device_url), std::pair("jwks_url", &into.jwks_url)}) {
        if (fields.has(key)) *url = read_url(fields, key, PlainHttp::refused);
    }
    if (fields.has("issuer")) into.issuer = read_issuer(fields);
    into.client_auth = fields.choice("token_endpoint_auth_method", client_auth_words).value_or(into.client_auth);
    into.scopes = fields.texts("scopes", "a list of scopes");
    into.ca_file = read_path(fields, "ca_file", "the path of a file of certificates (PEM)", sources);
    if (sources != nullptr && !into.ca_file.empty()) {
        const std::string wrong = sources->unreadable(into.ca_file);
        if (!wrong.empty()) fields.fault("ca_file", wrong);
    }
    read_host(fields, "imap", {.host = {}, .port = 993}, into.imap, faults);
    read_host(fields, "pop3", {.host = {}, .port = 995}, into.pop3, faults);
    read_host(fields, "smtp", {.host = {}, .port = 587, .tls = Tls::starttls}, into.smtp, faults);
    read_limits(fields, into.limits, faults);
    read_sessions(fields, into.sessions, faults);
    if (named.empty() && !fields.has("imap") && !fields.has("pop3") && !fields.has("smtp")) {
        faults.add(path, "names no server; expected \"preset\", or at least one of \"imap\", \"pop3\" and \"smtp\"");
    }
}

void read_object(const boost::json::object& object, const std::string& path, const Sources* sources, Faults& faults,
                 Credential& into) {
    const std::initializer_list<std::string_view> stored = {"id",   "provider",  "user",
                                                            "flow", "client_id", "client_secret_expires"};
    const std::initializer_list<std::string_view> imported = {"id",
                                                              "provider",
                                                              "user",
                                                              "flow",
                                                              "client_id",
                                                              "client_secret",
                                                              "private_key",
                                                              "certificate",
                                                              "service_account",
                                                              "refresh_token",
                                                              "password",
                                                              "client_secret_expires"};
    const Fields fields(object, path, sources == nullptr ? stored : imported, faults);
    into.id = read_id(fields);
    into.provider = fields.needed_text("provider", "the id of a provider");
    into.user = fields.needed_text("user", "the user who logs in, like svc@example.com");
    if (!fields.has("flow")) fields.fault("flow", "missing, expected how the login happens, like \"refresh_token\"");
    into.flow = fields.choice("flow", flow_words).value_or(Flow::refresh_token);
    into.client_id = fields.text("client_id", "the id of the registered application");
    constexpr std::string_view day = "the day on which the client secret ends, like 2027-01-31";
    const auto ends = fields.text("client_secret_expires", day);
    if (ends.empty()) return;
    into.client_secret_expires = date_of(ends);
    if (!into.client_secret_expires || need_of(into.flow, "client_secret") == Need::none) {
        fields.fault("client_secret_expires",
                     fmt::format("found \"{}\", expected {}", text::printable(ends, 60),
                                 into.client_secret_expires ? "a flow with a client secret" : day));
    }
}

void read_object(const boost::json::object& object, const std::string& path, const Sources*, Faults& faults,
                 Mailbox& into) {
    const Fields fields(object, path,
                        {"id", "address", "credential", "login", "protocol", "folders", "start", "after", "consumer",
                         "submit", "shadow"},
                        faults);
    into.id = read_id(fields);
    into.address = fields.needed_text("address", "a mail address like support@example.com");
    check_address(fields, "address", into.address);
    into.credential = fields.needed_text("credential", "the id of a credential");
    into.login = fields.text("login", "the user of the login, usually the address");
    if (into.login.empty()) into.login = into.address;
    into.protocol = fields.choice("protocol", protocol_words).value_or(Protocol::imap);
    auto folders = fields.texts("folders", R"(a list of folders like ["INBOX", "Team/*", "!Team/Old", "\\Junk"])");
    if (!folders.empty()) into.folders = std::move(folders);
    check_folders(fields, into.folders);
    into.start = read_start(fields);
    read_after(fields, into);
    into.consumer = fields.text("consumer", "the id of a consumer");
    const auto* submit = fields.object("submit",
                                       "an object with \"login\", \"from\", \"per_minute\", \"connections\", "
                                       "\"recipients_per_day\", \"in_doubt\"");
    if (submit != nullptr) into.submit = read_submit(fields, into, *submit, faults);
    read_shadow(fields, into, faults);
    if (!fields.has("consumer") && !fields.has("submit") && !fields.has("shadow")) {
        fields.fault("consumer", "missing, expected the id of the consumer that receives this mailbox's mail");
    }
    if (into.protocol == Protocol::pop3 && !into.shadow) check_pop3(fields, into);
    if (into.after == After::move && std::any_of(into.folders.begin(), into.folders.end(), [&](const auto& folder) {
            return same_folder(folder, into.move_to);
        })) {
        fields.fault("after",
                     fmt::format("mail would be moved to \"{}\", which is fetched itself; expected another folder",
                                 text::printable(into.move_to, 60)));
    }
}

void read_object(const boost::json::object& object, const std::string& path, const Sources* sources, Faults& faults,
                 Consumer& into) {
    const std::initializer_list<std::string_view> stored = {"id",        "kind",        "path",    "sync",    "address",
                                                            "recipient", "url",         "format",  "ca_file", "program",
                                                            "timeout",   "connections", "attempts"};
    const std::initializer_list<std::string_view> imported = {
        "id",     "kind",    "path",    "sync",    "address",     "recipient", "url",
        "format", "ca_file", "program", "timeout", "connections", "attempts",  "secret"};
    const Fields fields(object, path, sources == nullptr ? stored : imported, faults);
    into.id = read_id(fields);
    if (!fields.has("kind"))
        fields.fault("kind", R"(missing, expected "maildir", "lmtp", "webhook", "command" or "pull")");
    const auto kind = fields.choice("kind", kind_words);
    read_way(fields, sources, into);
    into.sync = fields.choice("sync", sync_words).value_or(into.sync);
    into.format = fields.choice("format", format_words).value_or(into.format);
    into.connections = fields.number("connections", 1, 64).value_or(into.connections);
    into.attempts = fields.number("attempts", 1, 1'000'000).value_or(into.attempts);
    if (!kind) return;
    into.kind = *kind;
    refuse_other_kinds(fields, *kind, sources);
}

void read_object(const boost::json::object& object, const std::string& path, const Sources* sources, Faults& faults,
                 Webhook& into) {
    const std::initializer_list<std::string_view> stored = {"id", "url", "events", "ca_file"};
    const std::initializer_list<std::string_view> imported = {"id", "url", "events", "ca_file", "secret"};
    const Fields fields(object, path, sources == nullptr ? stored : imported, faults);
    into.id = read_id(fields);
    if (!fields.has("url")) fields.fault("url", "missing, expected the https URL that events are posted to");
    into.url = read_url(fields, "url", PlainHttp::on_this_machine);
    if (sources != nullptr && !fields.has("secret"))
        fields.fault("secret", "missing, expected the secret that signs what is posted, like {\"file\": PATH}");
    into.ca_file = read_path(fields, "ca_file", "the path of a file of certificates (PEM)", sources);
    constexpr std::string_view expected = "a list of \"submissions\" and \"alarms\"";
    const auto words = fields.texts("events", expected);
    if (!words.empty()) into.events.clear();
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto topic = choice_of(topic_words, words[i]);
        if (topic) into.events.push_back(*topic);
        if (!topic)
            fields.fault(fmt::format("events[{}]", i),
                         fmt::format("found \"{}\", expected {}", text::printable(words[i], 60), expected));
    }
}

void read_object(const boost::json::object& object, const std::string& path, const Sources*, Faults& faults,
                 AlarmMail& into) {
    const Fields fields(object, path, {"id", "to", "from"}, faults);
    into.id = read_id(fields);
    for (const auto* key : {"to", "from"}) {
        if (!fields.has(key))
            fields.fault(key, std::string_view(key) == "to"
                                  ? "missing, expected a list of addresses of those who are told"
                                  : "missing, expected a list of ids of mailboxes that send, the best way first");
    }
    into.to = fields.texts("to", "a list of addresses of those who are told");
    for (std::size_t i = 0; i < into.to.size(); ++i) check_address(fields, fmt::format("to[{}]", i), into.to[i]);
    into.from = fields.texts("from", "a list of ids of mailboxes that send, the best way first");
}

template <class T>
Result<T> from_document(std::string_view document) {
    error_code wrong;
    const auto value = boost::json::parse(document, wrong);
    if (wrong || !value.is_object()) return errc::malformed_document;
    Faults faults;
    T object;
    read_object(value.get_object(), {}, nullptr, faults, object);
    if (!faults.empty()) return errc::malformed_document;
    return object;
}

template Result<Provider> from_document<Provider>(std::string_view);
template Result<Credential> from_document<Credential>(std::string_view);
template Result<Mailbox> from_document<Mailbox>(std::string_view);
template Result<Consumer> from_document<Consumer>(std::string_view);
template Result<Webhook> from_document<Webhook>(std::string_view);
template Result<AlarmMail> from_document<AlarmMail>(std::string_view);

}  // namespace config

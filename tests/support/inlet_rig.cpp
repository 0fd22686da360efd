#include "tests/support/inlet_rig.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "tests/support/running.hpp"
#include "tools/rohrpost-sim/certificates.hpp"

namespace support {

InletRig::InletRig(std::uint32_t mailboxes) : rig(MailRig::senders(mailboxes)), port_(free_port()) {
    rig.import();
    const sim::CertificateWish wish{};
    const sim::Identity identity = rig.provider.authority().issue(wish);
    sim::write_private_file(rig.daemon.file("smtp.pem"), identity.chain_pem);
    sim::write_private_file(rig.daemon.file("smtp.key"), identity.key_pem);
}

void InletRig::start(std::vector<std::string> flags) {
    flags.insert(flags.end(), {"--smtp-listen", fmt::format("127.0.0.1:{}", port_), "--settling-time", "200ms"});
    rig.daemon.start(std::move(flags));
}

void InletRig::start_again(const std::vector<std::string>& flags) {
    std::string why;
    const bool started = eventually([&] {
        try {
            start(flags);
            return true;
        } catch (const std::runtime_error& error) {
            why = error.what();
            return false;
        }
    });
    if (!started) throw std::runtime_error(why);
}

std::vector<std::string> InletRig::tls_flags() const {
    return {"--smtp-certificate", rig.daemon.file("smtp.pem").string(), "--smtp-private-key",
            rig.daemon.file("smtp.key").string()};
}

std::string InletRig::new_token() const {
    auto token = rig.daemon.ask({"api-token"}).output;
    if (token.empty()) throw std::runtime_error("there is no new API token");
    token.pop_back();
    return token;
}

double InletRig::metric(const std::string& name) const {
    const Ran ran = run_to_end({.command = {"curl", "-s", "--unix-socket",
                                            (rig.daemon.data() / "control.sock").string(), "http://rohrpost/metrics"}});
    const auto at = ran.output.find("\n" + name + " ");
    if (at == std::string::npos) throw std::runtime_error("no metric " + name + " in " + ran.output);
    return std::stod(ran.output.substr(at + name.size() + 2));
}

std::vector<sim::SentMail> InletRig::sent() {
    return rig.provider.ask([](sim::World& world) { return world.sent(); });
}

std::map<std::string, int> InletRig::taken() {
    std::map<std::string, int> counts;
    for (const auto& one : sent()) {
        const auto from = one.message.find("Subject: ") + 9;
        ++counts[one.message.substr(from, one.message.find("\r\n", from) - from)];
    }
    return counts;
}

bool InletRig::arrive(std::size_t count) {
    return eventually([&] { return rig.provider.ask([](sim::World& world) { return world.sent().size(); }) >= count; });
}

std::map<std::string, int> each_once(std::size_t count) {
    std::map<std::string, int> counts;
    for (std::size_t number = 0; number < count; ++number) counts[std::to_string(number)] = 1;
    return counts;
}

std::string short_mail(const std::string& subject) {
    return fmt::format("From: box0001@sim.test\r\nSubject: {}\r\n\r\nGuten Tag\r\n", subject);
}

}  // namespace support

#pragma once
/// The session of one mailbox: log-in and folders, as far as it went, and what that means. Nothing at the server
/// changes: folders are opened with EXAMINE, and over POP3 messages are counted only.

#include <optional>
#include <string>
#include <vector>

#include "engine/doctor/grant.hpp"
#include "engine/doctor/plan.hpp"
#include "protocols/imap/types.hpp"

namespace doctor {

struct LoginFacts {
    config::Protocol over = config::Protocol::imap;
    error_code fault;       // what ended the session early
    std::string during;     // then: what was being done
    std::string bye;        // the server's words
    std::string greeting;   // tells whose server it is
    std::string mechanism;  // "XOAUTH2"
    std::optional<imap::Answer> login;
    std::string sasl_error;  // that came before a refusal, as JSON
    struct Folder {
        std::string name;
        imap::Answer answer;
        std::uint32_t messages = 0;
    };
    std::vector<Folder> folders;  // those that were asked for
};

struct LoginExpected {
    const Patient& patient;
    const config::Credential& credential;
    const config::Provider& provider;
    const std::optional<Claims>& claims;
    WallTime now{};
};
Judged judge(const LoginFacts& facts, const LoginExpected& expected);

}  // namespace doctor

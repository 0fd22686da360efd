#pragma once

#include <memory>

#include "engine/config/flags.hpp"
#include "engine/inlets/smtp_inlet.hpp"

/// On the address of --smtp-listen, with its certificate. Throws StartError, which says what to do.
std::unique_ptr<inlets::SmtpInlet> listen_for_mail(inlets::SmtpInlet::Uses uses, const config::RunFlags& flags);
/// Reads the certificate again; one that cannot be used leaves the old one in place, with an error in the log.
void renew_certificate(inlets::SmtpInlet& inlet, runtime::Shard& shard, const config::RunFlags& flags);

/// What this program itself says in its log and on its pages.

#include "engine/doctor/knowledge.hpp"

namespace doctor {
namespace {

constexpr std::string_view about = "Rohrpost";
using enum Severity;
using enum Owner;

constexpr Knowledge rows[] = {
    {"idle-silent",
     about,
     warning,
     nobody,
     "the server did not announce mail that was there: the mailbox is polled from now on",
     "nothing; a smaller --poll-interval makes it quicker, a smaller --idle-renew notices it earlier",
     {"id=idle-silent"}},
    {"descriptors",
     about,
     warning,
     configuration,
     "the system allows fewer open files than the sessions need",
     "raise LimitNOFILE of the service, or ulimit -n",
     {"id=descriptors"}},
    {"disk-full",
     about,
     fault,
     configuration,
     "the disk of the data folder is full; nothing is lost, and nothing new is fetched",
     "make room: intake goes on by itself",
     {"id=disk-full"}},
    {"store-failed",
     about,
     fault,
     configuration,
     "the disk failed while something was written, and the daemon stopped before it could promise what is not kept",
     "look at the disk and the kernel's log; start again: the store recovers",
     {"id=store-failed"}},
    {"set-aside",
     about,
     warning,
     configuration,
     "a message's bytes are damaged on our own disk: it is not handed off, those behind it are",
     "rohrpost mailbox show {id} names it; look for it on the server; check the disk",
     {"id=set-aside"}},
    {"crashed",
     about,
     fault,
     nobody,
     "a defect of this program ended one of its tasks",
     "report it, with this line",
     {"id=crashed", "id=session-crashed", "id=handler-crashed"}},
    {"recovery",
     about,
     note,
     nobody,
     "the program was not ended in order, and has put its store right",
     "",
     {"id=recovery"}},
    {"console-certificate",
     about,
     fault,
     configuration,
     "the console's own certificate or private key cannot be used: no PEM, a pass phrase, or one is not of the other",
     "give --console-certificate and its key as PEM files that belong together, the key without a pass phrase",
     {"holds no certificate in PEM form", "holds no private key in PEM form",
      "the private key is not the one of the certificate"}},
    {"webhook-network",
     about,
     fault,
     configuration,
     "the webhook's name leads to a private, local or reserved address, and none of --webhook-networks holds it",
     "name the network: rohrpost run --webhook-networks 10.1.0.0/16",
     {"private, local or reserved address", "expected a network like 10.0.0.0/8"}},
    {"sign-in-unknown",
     about,
     note,
     account,
     "the browser came back to a sign-in that was not begun here, is used up, or is older than ten minutes",
     "open the console by its external URL, and begin again: rohrpost authorize {credential}",
     {"this sign-in was not begun here"}},
    {"callback-astray",
     about,
     warning,
     configuration,
     "the console was reached under another name than its external URL, or another redirect URL is registered at the "
     "provider",
     "open the console by its external URL; register {redirect_uri} at the provider, byte for byte, or put "
     "--external-url right, on the services server as on the console",
     {"opened under another name than it is known by"}},
};

}  // namespace

std::span<const Knowledge> own_texts() noexcept { return rows; }

}  // namespace doctor

#include <cstdio>
#include <cstring>

#include "bench/benches.hpp"

namespace {

struct Bench {
    const char* name;
    const char* what;
    int (*run)(int argc, char** argv);
};

constexpr Bench benches[] = {
    {"retriever", "messages from an IMAP server into the durable ledger, and on into a Maildir", bench_retriever},
    {"renumbering", "comparing a folder whose UIDVALIDITY has changed with the ledger", bench_renumbering},
    {"idle", "resident memory of idle IMAP sessions", bench_idle},
    {"neighbours", "how long mail takes while other mailboxes hang and break", bench_neighbours},
    {"hand-off", "stored mail to a consumer over LMTP or HTTP", bench_hand_off},
    {"outbox", "submissions durably accepted, taken and settled", bench_outbox},
    {"accept", "mails over SMTP into the durable outbox, beside Postfix", bench_accept},
    {"dispatcher", "queued mails through the daemon to a server that takes them, beside bare clients and others",
     bench_dispatcher},
    {"store", "durable messages through the committer, beside bare group appends", bench_store},
    {"queue", "the work queue beside other queues", bench_queue},
    {"tokens", "reading a token that is being replaced, beside other ways to share one", bench_tokens},
    {"view", "a mail as JSON, beside mimetic's bare parse", bench_view},
    {"listener", "(used by accept) the SMTP listener on a store of its own", bench_listener},
    {"engine", "(used by retriever, idle and dispatcher) the daemon on a prepared data directory", bench_engine},
};

void print_help() {
    std::puts("rohrpost-bench NAME [flags]: measures one path and prints one line of JSON.\n");
    for (const auto& bench : benches) std::printf("  %-11s %s\n", bench.name, bench.what);
    std::puts("\nrohrpost-bench NAME --help explains the flags.");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2 || std::strcmp(argv[1], "--help") == 0 || std::strcmp(argv[1], "-h") == 0) {
        print_help();
        return argc < 2 ? 64 : 0;
    }
    for (const auto& bench : benches) {
        if (std::strcmp(argv[1], bench.name) == 0) return bench.run(argc - 1, argv + 1);
    }
    std::fprintf(stderr, "rohrpost-bench: there is no bench \"%s\"; rohrpost-bench --help lists all\n", argv[1]);
    return 64;
}

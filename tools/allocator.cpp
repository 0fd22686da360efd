/// How jemalloc keeps memory in the programs that link it.

/// Pages that were freed go back to the system even when the thread that freed them sleeps: after a start with
/// thousands of log-ins, and after the ledger's page cache was let go, nobody allocates for minutes.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "background_thread:true,dirty_decay_ms:5000,muzzy_decay_ms:0";
}

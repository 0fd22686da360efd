#include "bench/benches.hpp"
int bench_queue(int, char**) { return 0; }

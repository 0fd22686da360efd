#!/usr/bin/env bash
# Checks work_queue.pml with Spin: every scenario has no error, and every mutant has one. Takes seconds and some 500 MB.
set -euo pipefail
model=$(dirname "$(readlink -f "$0")")/work_queue.pml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
memory_max_mib=1800
checked=0
# search OPTIMISE FLAGS…: leaves Spin's report in report.txt.
search() {
    local optimise=$1
    shift
    rm -f pan pan.* ./*.trail
    spin -a "$@" "$model" >generated.txt && [ -s pan.c ] || { cat generated.txt >&2; exit 70; }
    "${CC:-cc}" -w "$optimise" -DSAFETY -DCOLLAPSE -DMEMLIM="$memory_max_mib" -o pan pan.c
    ./pan -m100000 >report.txt 2>&1 || true
    checked=$((checked + 1))
}
holds() {
    search -O1 "$@"
    if ! grep -q 'errors: 0$' report.txt || grep -qi 'search not completed\|max search depth too small\|out of memory' report.txt; then
        echo "model: $*: does not hold" >&2
        cat report.txt >&2
        [ ! -e work_queue.pml.trail ] || spin -t -p "$@" "$model" 2>&1 | tail -n 200 >&2
        exit 1
    fi
    echo "holds  $* ($(awk '/states, stored/ { print $1 }' report.txt) states)"
}
fails() {
    search -O0 "$@"  # found soon: compiling is most of it
    if ! grep -q 'assertion violated\|invalid end state' report.txt || grep -q 'invalid array index' report.txt; then
        echo "model: $*: no error is found, so the check proves nothing" >&2
        cat report.txt >&2
        exit 1
    fi
    echo "fails  $* ($(grep -m1 -o 'assertion violated.*\|invalid end state.*' report.txt | head -c 60))"
}

one_each=(-DTAKES=1)         # two pushers and two poppers of one value each
narrow=(-DFULL=2 -DTAKES=1)  # the same in a ring that is full at the start
holds "${one_each[@]}" -DCANCEL_POP=1 -DTIME_OUT=1
holds "${narrow[@]}" -DCANCEL_PUSH=1 -DCANCEL_POP=1
holds -DCLOSE                # poppers until the queue is closed
holds -DEACH=2 -DPOPPERS=1   # more values than slots
holds -DEACH=2 -DPUSH_MAX=2 -DPOP_MAX=2 -DPUSHERS=1
holds -DEACH=2 -DPUSH_MAX=2 -DPOP_MAX=2 -DPOPPERS=1

fails "${one_each[@]}" -DMUTATE_NO_FENCE
fails "${narrow[@]}" -DMUTATE_NO_FENCE
fails "${one_each[@]}" -DMUTATE_NO_PUBLISH_FENCE
fails "${one_each[@]}" -DMUTATE_NO_RECHECK
fails "${narrow[@]}" -DMUTATE_NO_RECHECK
fails "${one_each[@]}" -DCANCEL_POP=1 -DMUTATE_NO_PASS_ON
fails "${narrow[@]}" -DCANCEL_PUSH=1 -DMUTATE_NO_PASS_ON
fails "${one_each[@]}" -DMUTATE_NO_REST
fails "${narrow[@]}" -DMUTATE_NO_REST
fails -DCLOSE -DPUSHERS=1 -DPOPPERS=1 -DMUTATE_CLOSED_AFTER_LOOK
fails "${one_each[@]}" -DMUTATE_NO_CAS
fails "${one_each[@]}" -DMUTATE_TURN_FIRST
fails -DFULL=2 -DPUSHERS=1 -DPOPPERS=1 -DMUTATE_FREE_EARLY
echo "model: $checked searches as expected"

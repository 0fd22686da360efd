#!/usr/bin/env bash
# g++ 12 miscompiles some co_await shapes. A co_await has a statement of its own, and aggregates and lambdas get a
# name before they are passed to a coroutine. The lint first proves itself on known shapes.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
scan() {
    # 1: as a condition; 2: behind another operator, in braces, in an argument; 3: co_return co_await; 4: braces handed in
    perl -ne '
        s{//.*}{};
        next unless /co_await/;
        my $bad;
        $bad = "in a condition" if /\b(?:if|while|switch)\s*(\((?:[^()]|(?1))*\))/ && $1 =~ /co_await/;
        $bad = "in a range-for" if /\bfor\s*\([^;]*:\s*co_await/;
        $bad = "in a conditional expression" if /\?[^;]*co_await/;
        $bad = "with a conditional expression made on the spot" if /co_await\s+[\w.:>-]+\([^;]*[^?]\?[^?]/;
        $bad = "behind co_return" if /co_return\s+[^;]*co_await/;
        my $rest = s/\)\s*(?:const|noexcept|override|\s)*\{\s*co_await/) {\nco_await/r;  # a body on the line of its head
        $bad = "inside another expression" if $rest =~ /[\(\{,+\-*!&|<][ \t]*co_await/ && !/^\s*\(void\)\s*co_await/;
        $bad = "inside an aggregate" if /\{[^;{}]*co_await/ && /\{\s*\.\w+[^;]*co_await/;
        $bad = "with an aggregate made on the spot" if /co_await[^;]*(\(([^;()]*,\s*)?\w*|,\s*)\{/;
        $bad = "with a lambda made on the spot" if /co_await[^;]*\[[&=\w, ]*\]\s*\(/;
        print "$ARGV:$.: co_await $bad\n" if $bad;
    } continue {
        close ARGV if eof;
    ' "$@"
}
sample=$(mktemp --suffix .cpp)
trap 'rm -f "$sample"' EXIT
cat >"$sample" <<'TXT'
if (co_await due()) return;
auto a = co_await dial({.host = "x"});
auto b = co_await dial(Dial{.host = "x"});
co_return co_await next();
auto c = ok ? co_await a() : b();
auto d = Login{.user = co_await user()};
auto e = co_await run([x](int y) { return x + y; });
f(co_await g());
auto h = co_await run(given ? std::string(*given) : std::string());
auto i = co_await read(store, shard.inbox(), tls, {});
auto fine = co_await g(std::move(to));
co_await parking.wait();
TXT
found=$(scan "$sample" | wc -l)
[ "$found" -eq 10 ] || { echo "await_shapes: the lint finds $found of 10 known shapes" >&2; scan "$sample" >&2; exit 1; }
mapfile -t files < <(git ls-files -co --exclude-standard '*.hpp' '*.cpp')
bad=$(scan "${files[@]}")
if [ -n "$bad" ]; then
    echo "$bad" >&2
    exit 1
fi
# Capturing lambdas are no coroutines in product code.
bad=$(grep -nE '\[[^]]+\]\s*\([^)]*\)\s*(mutable\s*)?->\s*(asio::)?awaitable' "${files[@]}" | grep -v '^tests/' || true)
if [ -n "$bad" ]; then
    echo "capturing lambda as a coroutine:" >&2
    echo "$bad" >&2
    exit 1
fi
echo "await_shapes: ${#files[@]} files, no dangerous co_await"

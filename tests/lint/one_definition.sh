#!/usr/bin/env bash
# One name, one type: two files that each define a class of the same full name link without a word, and one of them
# runs the other's code. Types in nameless namespaces, inside types and inside functions do not count.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
definitions() {
    git ls-files -co --exclude-standard '*.hpp' '*.cpp' | xargs awk '
        FNR == 1 { depth = 0 }
        /^namespace( [a-z0-9_:]+)? \{$/ { names[++depth] = NF > 2 ? $2 : "nameless" }
        /^}  \/\/ namespace/ { if (depth > 0) depth-- }
        /^(class|struct|enum class|enum) [A-Za-z_]+ .*\{/ || /^(class|struct) [A-Za-z_]+ \{/ {
            name = $1 == "enum" && $2 == "class" ? $3 : $2
            full = ""
            for (i = 1; i <= depth; i++) { if (names[i] == "nameless") next; full = full names[i] "::" }
            print full name, FILENAME
        }'
}
all=$(definitions)
[ "$(wc -l <<<"$all")" -gt 300 ] || { echo "one_definition: hardly a type was read" >&2; exit 1; }
twice=$(awk '{ print $1 }' <<<"$all" | sort | uniq -d)
# a program of its own may define what another program defines
bad=0
for name in $twice; do
    where=$(awk -v name="$name" '$1 == name { print $2 }' <<<"$all")
    linked=$(grep -vE '^(tests/fuzz|bench)/' <<<"$where" || true)
    [ "$(grep -c . <<<"$linked")" -gt 1 ] || continue
    echo "one_definition: $name is defined in" $where >&2
    bad=$((bad + 1))
done
echo "one_definition: $(wc -l <<<"$all") types, $bad defined twice"
[ $bad -eq 0 ]

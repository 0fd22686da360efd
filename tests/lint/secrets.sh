#!/usr/bin/env bash
# Secrets are revealed only where they go on the wire, into the seal, or are hashed; never near a log or a format.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
mapfile -t files < <(git ls-files -co --exclude-standard 'protocols/*.?pp' 'queue/*.?pp' 'engine/*.?pp' 'tools/*.?pp')
bad=$(grep -nE '(spdlog::|fmt::(print|format)|std::(cout|cerr)|printf).*reveal\(\)' "${files[@]}" || true)
[ -z "$bad" ] || { echo "$bad" >&2; exit 1; }
echo "secrets: ${#files[@]} files, no secret beside a log or a format"

#!/usr/bin/env bash
# Lock files of npm have the checksum of every package, and name no registry: packages come from the one npm is set up for.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
mapfile -t files < <(git ls-files -co --exclude-standard '*package-lock.json')
bad=$(grep -n '"resolved"' "${files[@]}" /dev/null || true)
[ -z "$bad" ] || { echo "$bad" >&2; echo "lock_files: a registry is named; npm install with omit-lockfile-registry-resolved" >&2; exit 1; }
packages=$(grep -c '^    "node_modules/' "${files[@]}" | awk -F: '{ n += $NF } END { print n }')
checksums=$(grep -c '^      "integrity": "sha512-' "${files[@]}" | awk -F: '{ n += $NF } END { print n }')
[ "$packages" -gt 0 ] && [ "$packages" -eq "$checksums" ] ||
    { echo "lock_files: $packages packages, $checksums checksums" >&2; exit 1; }
echo "lock_files: $packages packages, each with its checksum, no registry"

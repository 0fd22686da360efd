#!/usr/bin/env bash
# Every source file is as clang-format leaves it (when clang-format is installed), and no line holds a path of a machine.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
mapfile -t files < <(git ls-files -co --exclude-standard '*.hpp' '*.cpp')
clang-format --dry-run -Werror "${files[@]}"
echo "format: ${#files[@]} files"

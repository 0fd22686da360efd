#!/usr/bin/env bash
# Includes run downwards only. Each folder names what it may include besides itself and the standard library.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
allowed() {
    case $1 in
        protocols/base) echo '' ;;
        protocols/wait) echo 'protocols/base' ;;
        protocols/net | protocols/sasl | protocols/mime | protocols/jose) echo 'protocols/base protocols/wait' ;;
        protocols/imap | protocols/smtp) echo 'protocols/base protocols/wait protocols/net protocols/sasl' ;;
        protocols/pop3)  # messages go into the same sinks
            echo 'protocols/base protocols/wait protocols/net protocols/sasl protocols/imap' ;;
        protocols/http) echo 'protocols/base protocols/wait protocols/net' ;;
        protocols/webhook) echo 'protocols/base protocols/wait protocols/net protocols/http' ;;
        protocols/oauth2) echo 'protocols/base protocols/wait protocols/net protocols/http protocols/jose' ;;
        queue | queue/store) echo 'protocols/base protocols/wait queue queue/store' ;;
        engine/runtime | engine/secrets)
            echo 'protocols/base protocols/wait protocols/net queue queue/store engine/runtime engine/config engine/secrets' ;;
        engine/config)  # keys, key files, URLs and folder patterns are judged at import
            echo 'protocols/base protocols/wait protocols/net protocols/http protocols/imap protocols/jose protocols/oauth2 queue queue/store engine/runtime engine/config engine/secrets' ;;
        engine/tokens) echo 'PROTOCOLS queue queue/store engine/runtime engine/config engine/secrets' ;;
        engine/retriever | engine/consumers)
            echo 'PROTOCOLS queue queue/store engine/runtime engine/config engine/secrets engine/tokens' ;;
        engine/submission) echo 'PROTOCOLS queue queue/store engine/runtime engine/config' ;;
        engine/inlets) echo 'PROTOCOLS queue queue/store engine/runtime engine/config engine/submission' ;;
        engine/dispatcher)
            echo 'PROTOCOLS queue queue/store engine/runtime engine/config engine/secrets engine/tokens engine/submission' ;;
        engine/console) echo 'PROTOCOLS queue queue/store engine/runtime engine/config engine/secrets engine/tokens' ;;
        engine/doctor) echo 'PROTOCOLS queue queue/store engine/runtime engine/config engine/secrets engine/tokens' ;;
        engine/alarming | engine/webhooks)
            echo 'PROTOCOLS queue queue/store engine/runtime engine/config engine/secrets engine/tokens engine/submission engine/retriever engine/control' ;;
        engine/view) echo 'protocols/base protocols/mime' ;;
        engine/control) echo 'PROTOCOLS queue queue/store engine/runtime engine/config engine/secrets engine/tokens engine/submission engine/retriever engine/consumers engine/doctor engine/view' ;;
        engine) echo 'PROTOCOLS queue queue/store ENGINE' ;;
        tools/* | bench | tests/*) echo 'PROTOCOLS queue queue/store ENGINE engine tools bench tests' ;;
        *) echo 'nothing: this folder is not in the lint' ;;
    esac
}
declare -A allows  # by folder; a process for each include would take minutes
bad=0 seen=0
include='^([^:]+):([0-9]+):#include "([^"]+)"'
while read -r found; do
    [[ $found =~ $include ]] || continue
    file=${BASH_REMATCH[1]} line=${BASH_REMATCH[2]} target=${BASH_REMATCH[3]}
    from=${file%/*} to=${target%/*}
    seen=$((seen + 1))
    [ "$from" = "$to" ] && continue
    [ -n "${allows[$from]+known}" ] || allows[$from]=$(allowed "$from")
    ok=0
    for folder in ${allows[$from]}; do
        case $folder in
            PROTOCOLS) [[ $to == protocols/* ]] && ok=1 ;;
            ENGINE) [[ $to == engine/* ]] && ok=1 ;;
            tools | tests) [[ $to == "$folder"/* ]] && ok=1 ;;
            *) [ "$folder" = "$to" ] && ok=1 ;;
        esac
    done
    if [ $ok -eq 0 ]; then
        echo "$file:$line: $from must not include $target" >&2
        bad=$((bad + 1))
    fi
done < <(git ls-files -co --exclude-standard '*.hpp' '*.cpp' | xargs grep -nE '^#include "' /dev/null)
[ "$seen" -gt 0 ] || { echo "layers: no include was read" >&2; exit 1; }
echo "layers: $seen includes, $bad upwards"
[ $bad -eq 0 ]

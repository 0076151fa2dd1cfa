#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# shell.sh DEMO - a shell pipe with jq at both ends: 5,000 calls, one for each id, none lost
set -euo pipefail

demo=$1
n_calls=5000

command -v jq >/dev/null || {
    echo 'skipped: apt-get install jq'
    exit 77
}

# Lines that are not the answer to the call of that number, or the number of lines if it is wrong.
jq -cn "range($n_calls) | {jsonrpc: \"2.0\", method: \"subtract\", params: [., 1], id: .}" |
    "$demo" --stdio 2>/dev/null |
    jq -sc "if length != $n_calls then length
            else to_entries[] | select(.value != {jsonrpc: \"2.0\", result: (.key - 1), id: .key})
            end" |
    if grep .; then
        exit 1
    fi
echo "$n_calls calls answered"

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# sigterm.sh DEMO [TIMES] - SIGTERM in the middle of 10,000 calls, 100 times or so many
#
# One call in ten is answered later and one by a worker, so that at the signal some are in flight.
# Each answer must be whole, and the ids answered must be 0, 1, 2 ... without a gap and none twice:
# whatever was read was answered. Calls behind the signal are refused with -32000 or not read.
set -euo pipefail

demo=$1
times=${2-100}
n_calls=10000
n_first=2000 # more than a pipe holds: it has read some, so it watches its signals

command -v jq >/dev/null || {
    echo 'skipped: apt-get install jq'
    exit 77
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkfifo "$folder/requests"
jq -cn "range($n_calls) | {jsonrpc: \"2.0\", id: .} +
    (if . % 10 == 3 then {method: \"slow\", params: [. % 4]}
     elif . % 10 == 7 then {method: \"work\", params: [0]}
     else {method: \"subtract\", params: [., 1]} end)" >"$folder/calls"

# once K: the signal comes when K calls are in the pipe. Prints the numbers of answers and refusals.
once()
{
    local pid
    "$demo" --stdio <"$folder/requests" >"$folder/answers" 2>"$folder/log" &
    pid=$!
    {
        head -n "$1" "$folder/calls"
        kill -TERM $pid
        tail -n "+$(($1 + 1))" "$folder/calls"
    } >"$folder/requests" 2>/dev/null || true # it has hung up: what else
    # errexit does not work in here: the caller handles failures.
    wait $pid && [[ -z $(tail -c 1 "$folder/answers") ]] && jq -rs 'if (map(.id) | sort) != [range(length)] then error("ids are lost or twice")
            elif any(.error and .error.code != -32000) then error("calls failed")
            else "\(map(select(has("result"))) | length) \(map(select(.error)) | length)"
            end' "$folder/answers"
}

n_answers=0 n_refused=0
for ((i = 0; i < times; i++)); do
    k=$((n_first + RANDOM % (n_calls - n_first)))
    counts=$(once $k) || {
        echo "signal behind call $k: failed"
        exit 1
    }
    n_answers=$((n_answers + ${counts% *}))
    n_refused=$((n_refused + ${counts#* }))
done
echo "$times signals: $n_answers answers, $n_refused refusals, none lost, none torn"

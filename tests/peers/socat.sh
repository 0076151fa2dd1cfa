#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# socat.sh DEMO - socat over unix: and tcp:, calls made and answers checked by jq: 5,000 on each of
# four connections at once, one for each id, none lost
#
# socat closes its sending side when the calls are sent and reads on: the last answers come then.
set -euo pipefail

demo=$1
n_calls=5000
n_clients=4

for tool in jq socat; do
    command -v $tool >/dev/null || {
        echo "skipped: apt-get install $tool"
        exit 77
    }
done

folder=$(mktemp -d)
"$demo" --listen "unix:$folder/socket" --listen tcp://127.0.0.1:0 2>"$folder/log" &
pid=$!
trap 'kill $pid 2>/dev/null || true; wait $pid 2>/dev/null || true; rm -rf "$folder"' EXIT
until grep -q '^listening on tcp:' "$folder/log"; do
    kill -0 $pid
done
port=$(sed -n 's/^listening on tcp:.*://p' "$folder/log")

# One call in ten is answered later.
jq -cn "range($n_calls) | {jsonrpc: \"2.0\", id: .} +
    (if . % 10 == 3 then {method: \"slow\", params: [. % 4]}
     else {method: \"subtract\", params: [., 1]} end)" >"$folder/calls"
jq -sc 'map({jsonrpc: "2.0", id, result: (if .id % 10 == 3 then .id % 4 else .id - 1 end)})' \
    "$folder/calls" >"$folder/expected"

# talk NAME ADDRESS
talk()
{
    socat -t 60 - "$2" <"$folder/calls" | jq -sc 'sort_by(.id) | map({jsonrpc, id, result})' \
        >"$folder/$1"
    cmp "$folder/expected" "$folder/$1"
}

jobs=()
for ((i = 0; i < n_clients; i++)); do
    talk "unix$i" "UNIX-CONNECT:$folder/socket" &
    jobs+=($!)
    talk "tcp$i" "TCP:127.0.0.1:$port" &
    jobs+=($!)
done
for job in "${jobs[@]}"; do
    wait "$job"
done
kill $pid
wait $pid # exits 0
[[ ! -e $folder/socket ]]
echo "$((2 * n_clients * n_calls)) calls answered"

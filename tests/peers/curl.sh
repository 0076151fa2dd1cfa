#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# curl.sh DEMO - curl: 1,000 calls on one connection, a large one, what is refused, TLS
set -euo pipefail

demo=$1
n_calls=1000

command -v curl >/dev/null || {
    echo 'skipped: apt-get install curl'
    exit 77
}

work=$(mktemp -d)
"$demo" --listen http://127.0.0.1:0 2>"$work/log" &
pid=$!
trap 'kill $pid 2>/dev/null || true; rm -rf "$work"' EXIT
until grep -q '^listening on' "$work/log"; do kill -0 $pid; done
url=$(sed -n 's/^listening on //p' "$work/log")

# Fails unless the two are the same.
same()
{
    [[ $1 == "$2" ]] || {
        printf 'expected %s\nbut got  %s\n' "$2" "$1"
        exit 1
    }
}

post()
{
    curl -sS -m 60 -H 'Content-Type: application/json' "$@"
}

# One process makes all calls; it says how many connections it took.
for ((i = 0; i < n_calls; i++)); do
    ((i)) && echo next
    printf 'url = "%s"\nheader = "Content-Type: application/json"\n' "$url"
    printf 'data = "{\\"jsonrpc\\":\\"2.0\\",\\"method\\":\\"subtract\\",\\"params\\":[%d,1],\\"id\\":%d}"\n' $i $i
    printf 'write-out = " %%{http_code} %%{num_connects}\\n"\n'
done >"$work/calls"
for ((i = 0; i < n_calls; i++)); do
    printf '{"jsonrpc":"2.0","result":%d,"id":%d} 200 %d\n' $((i - 1)) $i $((i == 0))
done >"$work/expected"
curl -sS -m 60 -K "$work/calls" >"$work/answers"
diff "$work/expected" "$work/answers" >"$work/diff" || {
    head "$work/diff"
    exit 1
}

# With a body over 1 MiB curl waits to be told to go on.
{
    printf '{"jsonrpc":"2.0","method":"echo","id":1,"params":["'
    head -c 3000000 /dev/zero | tr '\0' x
    printf '"]}'
} >"$work/large"
same "$(post --data-binary "@$work/large" -w ' %{http_code}' "$url" | tail -c 14)" '"],"id":1} 200'
same "$(post -H 'Transfer-Encoding: chunked' --data-binary "@$work/large" "$url" | wc -c)" 3000038
cat "$work/large" "$work/large" >"$work/too_large"
same "$(post --data-binary "@$work/too_large" -w ' %{http_code}' "$url")" \
    '{"jsonrpc":"2.0","error":{"code":-32002,"message":"Request too large"},"id":null} 413'

status()
{
    curl -sS -m 60 -o /dev/null -w '%{http_code}' "$@"
}

call='{"jsonrpc":"2.0","method":"ping","id":1}'
json=(-H 'Content-Type: application/json' -d "$call")
same "$(status "${json[@]}" "$url")" 200
same "$(status -0 "${json[@]}" "$url")" 200
same "$(status -H 'Content-Type: application/json' -d '{"jsonrpc":"2.0","method":"ping"}' "$url")" 204
same "$(status -d "$call" "$url")" 415
same "$(status "${json[@]}" -H 'Host: evil.example' "$url")" 421
same "$(status "${json[@]}" -H 'Origin: http://evil.example' "$url")" 403
same "$(status "${json[@]}" "$url/other")" 404
same "$(status -X PUT "${json[@]}" "$url")" 405
same "$(status "$url/healthz")" 200

# What the service says of itself, asked for in both ways.
same "$(post -d '{"jsonrpc":"2.0","method":"rpc.discover","id":1}' "$url")" \
    "{\"jsonrpc\":\"2.0\",\"result\":$(curl -sS -m 60 "$url/openrpc.json"),\"id\":1}"
same "$(curl -sS -m 60 -o /dev/null -w '%{content_type}' "$url/openrpc.json")" application/json
same "$(status -I "$url/openrpc.json")" 200
same "$(status "${json[@]}" "$url/openrpc.json")" 405
kill $pid
wait $pid

# The same on a Unix socket, and with TLS, where openssl can make a certificate.
endpoints=("http+unix:$work/socket")
if command -v openssl >/dev/null; then
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
        -addext subjectAltName=IP:127.0.0.1 -keyout "$work/key" -out "$work/cert" 2>/dev/null
    endpoints+=("https://127.0.0.1:0?cert=$work/cert&key=$work/key&client_ca=$work/cert")
fi
endpoints+=("http+unix:$work/socket?path=/other")
"$demo" "${endpoints[@]/#/--listen=}" 2>"$work/log" &
pid=$!
until (($(grep -c '^listening on' "$work/log") == ${#endpoints[@]})); do kill -0 $pid; done
mapfile -t urls < <(sed -n 's/^listening on //p' "$work/log")
same "$(status "${json[@]}" --unix-socket "$work/socket" http://localhost/)" 200
same "$(status "${json[@]}" --unix-socket "$work/socket" http://localhost/other)" 200
same "$(status "${json[@]}" --unix-socket "$work/socket" http://localhost/none)" 404
if ((${#urls[@]} > 2)); then
    tls=(--cacert "$work/cert")
    known=("${tls[@]}" --cert "$work/cert" --key "$work/key")
    same "$(status "${json[@]}" "${known[@]}" "${urls[1]}")" 200
    same "$(post "${known[@]}" --data-binary "@$work/large" "${urls[1]}" | wc -c)" 3000038
    if status "${json[@]}" "${tls[@]}" "${urls[1]}" >/dev/null 2>&1; then
        echo 'a client without a certificate was let in'
        exit 1
    fi
fi
kill $pid
wait $pid
# What cannot share a place is refused: the message names both.
status=0
"$demo" --listen "http+unix:$work/socket" --listen "http+unix:$work/socket" 2>"$work/log" || status=$?
same $status 2
same "$(tail -1 "$work/log")" \
    "demo: http+unix:$work/socket: that path is served by http+unix:$work/socket already"

# With TLS the second needs no certificate of its own. The port is the one that was free just now.
if ((${#urls[@]} > 2)); then
    port=${urls[1]#https://127.0.0.1:}
    port=${port%%[/?]*}
    first="https://127.0.0.1:$port/first?cert=$work/cert&key=$work/key"
    "$demo" --listen "$first" --listen "wss://127.0.0.1:$port/second" \
        --listen "https://127.0.0.1:$port/third?cert=$work/cert&key=$work/key" 2>"$work/log" &
    pid=$!
    until (($(grep -c '^listening on' "$work/log") == 3)); do kill -0 $pid; done
    same "$(status "${json[@]}" "${tls[@]}" "https://127.0.0.1:$port/first")" 200
    same "$(status "${json[@]}" "${tls[@]}" "https://127.0.0.1:$port/second")" 426
    same "$(status "${json[@]}" "${tls[@]}" "https://127.0.0.1:$port/third")" 200
    kill $pid
    wait $pid
    status=0
    "$demo" --listen "$first" --listen "https://127.0.0.1:$port/second?cert=$work/key&key=$work/key" \
        2>"$work/log" || status=$?
    same $status 2
    grep -q 'it has another cert=, unlike https://' "$work/log"
fi
echo "$n_calls calls answered"

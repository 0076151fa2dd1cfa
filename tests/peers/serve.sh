#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# serve.sh PROGRAM - curl and python3-websockets at port 5000, where PROGRAM --serve listens
#
# PROGRAM is test_web_serve, which also finds a network where that port is free.
set -euo pipefail

program=$1

# What is installed is looked for first: within the network the user may be nobody.
{ command -v curl && /usr/bin/python3 -c 'import websockets'; } &>/dev/null || {
    echo 'skipped: apt-get install curl python3-websockets'
    exit 77
}
[[ ${2-} == inside ]] || exec "$program" --alone "$0" "$program" inside

exec 3< <(exec "$program" --serve 2>&1)
pid=$!
trap 'kill -KILL $pid 2>/dev/null || true' EXIT
read -r line <&3
[[ $line == 'listening on http://127.0.0.1:5000' ]]

[[ $(curl -sS -m 60 -H 'Content-Type: application/json' http://127.0.0.1:5000 \
    -d '{"jsonrpc":"2.0","method":"echo","params":["curl"],"id":1}') == \
    '{"jsonrpc":"2.0","result":"curl","id":1}' ]]
PID=$pid /usr/bin/python3 - <<'EOT'
import asyncio
import json
import os
import signal

import websockets


async def run():
    async with websockets.connect("ws://127.0.0.1:5000") as socket:
        for i in range(100):
            await socket.send(json.dumps({"jsonrpc": "2.0", "method": "echo", "params": [i], "id": i}))
        for i in range(100):
            assert json.loads(await socket.recv()) == {"jsonrpc": "2.0", "result": i, "id": i}
        os.kill(int(os.environ["PID"]), signal.SIGTERM)
        try:
            await socket.recv()
        except websockets.ConnectionClosed as closed:
            assert closed.code == 1001, closed
            return
        raise AssertionError("it goes on")


asyncio.run(asyncio.wait_for(run(), 60))
EOT
wait "$pid"
[[ -z $(cat <&3) ]]
echo 'port 5000: 101 calls answered, stopped by a signal'

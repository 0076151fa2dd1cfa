#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""python3-websockets: 1,000 calls in flight, parts of messages, notifications, tokens, the end.

    ws_python.py DEMO
"""
import asyncio
import base64
import json
import os
import subprocess
import sys
import tempfile

try:
    import websockets
except ImportError:
    print("skipped: apt-get install python3-websockets")
    sys.exit(77)

N = 1_000
TOKEN = "a token, \u00fc?"
PATIENCE_S = 30


def request(method, params, number):
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": number})


async def answer_of(socket):
    return json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))


async def call_many(socket):
    for i in range(N):
        await socket.send(request("subtract", [i, 1], i))
    for i in range(N):
        answer = await answer_of(socket)
        assert answer == {"jsonrpc": "2.0", "result": i - 1, "id": i}, answer


async def send_in_parts(socket):
    async def parts():
        for part in ('{"jsonrpc":"2.0",', '"method":"ping"', ',"id":"\u00e9"}'):
            yield part

    await socket.send(parts())
    assert (await answer_of(socket))["id"] == "\u00e9"


async def call_large(socket):
    text = "x" * 3_000_000
    await socket.send(request("echo", [text], 1))
    assert (await answer_of(socket))["result"] == [text]


async def be_notified(socket):
    await socket.send(request("notify_me", [5, 1], 1))
    seen = [await answer_of(socket) for _ in range(6)]
    assert [item.get("method") for item in seen] == ["tick"] * 5 + [None], seen


async def end_of(socket):
    try:
        await answer_of(socket)
    except websockets.ConnectionClosed as closed:
        return closed.code
    return None


async def be_ended(url, demo):
    for message, code in ((b"\x00", 1003), ("x" * 5_000_000, 1009)):
        async with websockets.connect(url, max_size=None) as socket:
            await socket.send(message)
            assert await end_of(socket) == code, code
    async with websockets.connect(url) as socket:
        await call_many(socket)
        demo.terminate()
        assert await end_of(socket) == 1001


async def run(demo):
    url = demo.stderr.readline().split()[-1].replace("http:", "ws:")
    async with websockets.connect(url, max_size=None) as socket:
        await call_many(socket)
        await send_in_parts(socket)
        await call_large(socket)
        await be_notified(socket)
        await asyncio.wait_for(await socket.ping(), PATIENCE_S)
    await asyncio.gather(*(call_many_alone(url) for _ in range(20)))
    await be_ended(url, demo)


async def call_many_alone(url):
    async with websockets.connect(url) as socket:
        await call_many(socket)


def bearer(token):
    return "bearer." + base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")


async def show_token(demo):
    url = demo.stderr.readline().split()[-1].replace("http:", "ws:")
    for offered, status in (([], 401), (["jsonrpc-2.0"], 401), ([bearer(TOKEN)], 400),
                            (["jsonrpc-2.0", bearer("another")], 401)):
        try:
            async with websockets.connect(url, subprotocols=offered):
                assert False, offered
        except websockets.InvalidStatusCode as refusal:
            assert refusal.status_code == status, (offered, refusal)
    async with websockets.connect(url, subprotocols=["jsonrpc-2.0", bearer(TOKEN)]) as socket:
        assert socket.subprotocol == "jsonrpc-2.0", socket.subprotocol
        await call_many(socket)
    demo.terminate()


def with_demo(run_it, url):
    with subprocess.Popen([sys.argv[1], "--listen", url], stderr=subprocess.PIPE,
                          text=True) as demo:
        try:
            asyncio.run(run_it(demo))
        except BaseException:
            demo.kill()
            raise
    return demo.returncode


def main():
    status = with_demo(run, "http://127.0.0.1:0")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "tokens")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"{TOKEN}\n")
        status = status or with_demo(show_token, f"http://127.0.0.1:0?token_file={path}")
    print(f"{23 * N} calls answered")
    return status


sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Connections that say nothing beside one that is busy: what they cost, and that it is answered.

    ws_idle.py DEMO [CONNECTIONS] [KIB]

Fails if a call is not answered or if an idle connection costs the server more than so many KiB of
resident memory (0: any).
"""
import asyncio
import json
import resource
import subprocess
import sys
import time

try:
    import websockets
except ImportError:
    print("skipped: apt-get install python3-websockets")
    sys.exit(77)

N_PINGS = 2_000
N_AT_ONCE = 50
PATIENCE_S = 30


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


async def ask(socket, number):
    await socket.send(json.dumps({"jsonrpc": "2.0", "method": "ping", "id": number}))
    answer = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))
    assert answer == {"jsonrpc": "2.0", "result": "pong", "id": number}, answer


async def ask_many(socket):
    """How long the slowest of them took, in ms."""
    slowest = 0
    for i in range(N_PINGS):
        start = time.monotonic()
        await ask(socket, i)
        slowest = max(slowest, time.monotonic() - start)
    return slowest * 1000


def connect(url):
    return websockets.connect(url, ping_interval=None)


async def open_idle(url, n):
    idle = []
    while len(idle) < n:
        few = min(N_AT_ONCE, n - len(idle))
        idle += await asyncio.gather(*(connect(url) for _ in range(few)))
    return idle


async def run(demo, n, kib_max):
    url = demo.stderr.readline().split()[-1]
    async with connect(url) as busy:
        alone_ms = await ask_many(busy)
        before = resident_kib(demo.pid)
        opening = asyncio.create_task(open_idle(url, n))
        opening_ms = await ask_many(busy)
        idle = await opening
        kib = (resident_kib(demo.pid) - before) / n
        among_ms = await ask_many(busy)
        print(f"{n} idle connections: {kib:.1f} KiB each; the slowest of {N_PINGS} pings alone "
              f"{alone_ms:.1f} ms, while they come {opening_ms:.1f} ms, among them {among_ms:.1f} ms")
        assert not kib_max or kib <= kib_max, f"{kib:.1f} KiB a connection"

        # They are still there, each of them.
        await asyncio.gather(*(ask(socket, i) for i, socket in enumerate(idle)))
        awake = (resident_kib(demo.pid) - before) / n
        await asyncio.gather(*(socket.close() for socket in idle))

        # Those that come after them cost nothing new.
        idle = await open_idle(url, n)
        again = (resident_kib(demo.pid) - before) / n
        await ask_many(busy)
        print(f"after a call on each: {awake:.1f} KiB; closed and opened again: {again:.1f} KiB")
        assert not kib_max or again <= 1.25 * max(kib, awake), "memory of the closed ones is lost"
        await asyncio.gather(*(socket.close() for socket in idle))


def main():
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 2_000
    kib_max = float(sys.argv[3]) if len(sys.argv) > 3 else 0
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < n + 100:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(n + 100, hard), hard))
    with subprocess.Popen([sys.argv[1], "--listen", "ws://127.0.0.1:0"],
                          stderr=subprocess.PIPE, text=True) as demo:
        try:
            asyncio.run(run(demo, n, kib_max))
        finally:
            demo.terminate()
    return demo.returncode


sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""/metrics: promtool takes the text, and it says what was called, by peers of several kinds.

    metrics.py DEMO
"""
import asyncio
import collections
import json
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

try:
    import websockets
except ImportError:
    print("skipped: apt-get install python3-websockets")
    sys.exit(77)

PATIENCE_S = 30
SAMPLE = re.compile(r'([a-z_]+)(?:\{(.*)\})? (\S+)')


def call(method, params=None, number=None):
    message = {"jsonrpc": "2.0", "method": method}
    if params is not None:
        message["params"] = params
    if number is not None:
        message["id"] = number
    return message


def fetch(url, body=None):
    """What is answered, whatever its status."""
    data = None if body is None else body.encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as failure:
        return failure.read().decode()


def post(url, message):
    return fetch(url, json.dumps(message))


def same(seen, expected):
    assert seen == expected, f"expected {expected}\nbut got  {seen}"


class Numbers:
    """What a server's /metrics says now: {name: {labels: value}}."""

    def __init__(self, url):
        self.text = fetch(f"{url}/metrics")
        self.samples = collections.defaultdict(dict)
        for line in self.text.splitlines():
            if not line.startswith("#"):
                name, labels, value = SAMPLE.fullmatch(line).groups()
                assert labels not in self.samples[name], line
                self.samples[name][labels] = float(value)

    def one(self, name):
        return self.samples[name][None]

    def by_method(self, name):
        """{method: value}, or {(method, label): value} if there is another label."""
        seen = {}
        for labels, value in self.samples[name].items():
            pairs = [text for _, text in re.findall(r'(\w+)="([^"]*)"', labels)]
            seen[pairs[0] if len(pairs) == 1 else tuple(pairs)] = value
        return seen

    def is_taken(self):
        """promtool complains on stderr, and not always by its status."""
        ran = subprocess.run(["promtool", "check", "metrics"], input=self.text, text=True,
                             capture_output=True, timeout=PATIENCE_S, check=False)
        same((ran.returncode, ran.stdout + ran.stderr), (0, ""))

    def are_histograms(self):
        """Buckets grow, and the last has all."""
        counts = self.by_method("jrpc_call_duration_seconds_count")
        buckets = collections.defaultdict(list)
        for (method, bound), n in self.by_method("jrpc_call_duration_seconds_bucket").items():
            buckets[method].append((float(bound), n))
        assert counts == self.by_method("jrpc_calls_total")
        assert counts.keys() == buckets.keys()
        for method, pairs in buckets.items():
            assert pairs == sorted(pairs), pairs
            assert [n for _, n in pairs] == sorted(n for _, n in pairs), pairs
            assert pairs[-1] == (float("inf"), counts[method]), pairs


def call_over_http(url, n):
    for i in range(n):
        post(url, call("ping", number=i))
    post(url, call("update", [1]))
    for i in range(10):
        post(url, [call("ping", number=i), call("update", [i]), call("sum", [i], f"{i}"),
                   call("no_such_method", number=-i)])
    for i in range(7):
        post(url, call("api_fail", number=i))
    for i in range(3):
        post(url, call("crash", number=i))
    for i in range(4):
        post(url, call("subtract", [], i))
    post(url, [call("ping", number=1), call("slow", [20], 2), call("slow", [10]), 3,
               call("subtract", [], 4), call("work", [1], 5)])
    fetch(url, "{")
    fetch(url, "[]")


async def call_over_tcp(url, n):
    """All at once; the connection is kept."""
    host, port = url.removeprefix("tcp://").split(":")
    reader, writer = await asyncio.open_connection(host, port)
    for i in range(n):
        writer.write(json.dumps(call("subtract", [i, 1], i)).encode() + b"\n")
    for _ in range(n):
        assert "result" in json.loads(await reader.readline())
    return writer


async def call_over_websocket(url, n):
    """A call of these is not answered yet when this returns."""
    socket = await websockets.connect(url.replace("http", "ws"))
    for i in range(n):
        await socket.send(json.dumps(call("ping", number=i)))
    await socket.send(json.dumps(call("notify_me", [6, 1], n)))
    for _ in range(n + 6 + 1):
        await socket.recv()
    await socket.send(json.dumps(call("slow", [60000], n + 1)))
    await socket.send(json.dumps(call("ping", number=n + 2)))
    assert json.loads(await socket.recv())["id"] == n + 2
    return socket


CALLS = {"ping": 100 + 10 + 1 + 300 + 1, "update": 1 + 10, "sum": 10, "": 10 + 1 + 2, "api_fail": 7,
         "crash": 3, "subtract": 4 + 1 + 200, "slow": 2, "work": 1, "notify_me": 1}
ERRORS = {("", "-32601"): 10, ("", "-32700"): 1, ("", "-32600"): 2, ("api_fail", "application"): 7,
          ("crash", "-32603"): 3, ("subtract", "-32602"): 4 + 1}
N_POSTS = 100 + 1 + 10 + 7 + 3 + 4 + 1 + 2


async def run(demo):
    urls = [demo.stderr.readline().split()[-1] for _ in range(2)]
    before = Numbers(urls[0])
    before.is_taken()
    same([before.one("jrpc_peers_opened_total"), before.one("jrpc_messages_total")], [0, 0])

    call_over_http(urls[0], 100)
    tcp = await call_over_tcp(urls[1], 200)
    socket = await call_over_websocket(urls[0], 300)
    now = Numbers(urls[0])
    now.is_taken()
    now.are_histograms()
    same(now.by_method("jrpc_calls_total"), CALLS)
    same(now.by_method("jrpc_errors_total"), ERRORS)
    same(now.by_method("jrpc_transport_peers"), {"web": 1, "stream": 1})
    for name, n in (("listeners", 2), ("peers", 2), ("messages_total", N_POSTS + 200 + 303),
                    ("pushes_total", 6), ("in_flight", 1)):
        same((name, now.one(f"jrpc_{name}")), (name, n))
    # What a worker has done before the loop comes to wait for it was not answered later.
    assert now.one("jrpc_deferred_total") in (2 + 2, 2 + 1 + 2), now.text

    await socket.close()
    tcp.close()
    await tcp.wait_closed()
    while (after := await asyncio.to_thread(Numbers, urls[0])).one("jrpc_peers"):
        pass
    after.is_taken()
    after.are_histograms()
    same(after.one("jrpc_in_flight"), 0)
    same(after.by_method("jrpc_errors_total"), ERRORS | {("slow", "-32800"): 1})


def main():
    if not shutil.which("promtool"):
        print("skipped: apt-get install prometheus")
        return 77
    with subprocess.Popen([sys.argv[1], "--listen", "http://127.0.0.1:0",
                           "--listen", "tcp://127.0.0.1:0"],
                          stderr=subprocess.PIPE, text=True) as demo:
        try:
            asyncio.run(asyncio.wait_for(run(demo), 3 * PATIENCE_S))
        finally:
            demo.terminate()
    print(f"{sum(CALLS.values())} calls counted")
    return demo.returncode


sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How long a ping takes while all workers are busy, and while they are not.

    zmq_latency.py DEMO

The figures are printed. What must hold is only that no ping waits for a worker: every one is
answered before the first of the busy calls is.
"""
import statistics
import sys
import time

import zmq_demo
from zmq_demo import connect, expect, expect_error, expect_result, request, zmq

N = 1000
WINDOW = 10 # pings in flight
WORKERS = 4
CANCELLED = -32800
WORK_MS = 20_000 # they are cancelled when the pings are done


def cancellation(asked):
    return {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": asked["id"]}}


def ping(dealer):
    """Seconds that each took."""
    sent, took = {}, []
    for i in range(N + WINDOW):
        if i >= WINDOW:
            answer = dealer.recv_json()
            took.append(time.perf_counter() - sent[answer["id"]][1])
            expect_result(answer, sent.pop(answer["id"])[0], "pong")
        if i < N:
            asked = request("ping")
            sent[asked["id"]] = asked, time.perf_counter()
            dealer.send_json(asked)
    expect((len(sent), len(took)), (0, N))
    return took


def told(took):
    centiles = statistics.quantiles(took, n=100)
    return f"p50 {centiles[49] * 1e6:.0f} us, p99 {centiles[98] * 1e6:.0f} us"


def main():
    context = zmq.Context()
    url = "zmq+tcp://127.0.0.1:0"
    with zmq_demo.Demo(sys.argv[1], url, options=[f"workers={WORKERS}"]) as demo:
        endpoint, = demo.endpoints
        with connect(context, zmq.DEALER, endpoint) as dealer, \
                connect(context, zmq.DEALER, endpoint) as busy:
            ping(dealer)
            idle = ping(dealer)
            works = [request("work", WORK_MS) for _ in range(WORKERS)]
            for asked in works:
                busy.send_json(asked)
            # Behind them, by the same connection: when it is answered they have begun.
            busy.send_json(request("ping"))
            expect(busy.recv_json()["result"], "pong")
            beside = ping(dealer)
            expect(busy.poll(0), 0)
            for asked in works:
                busy.send_json(cancellation(asked))
                expect_error(busy.recv_json(), asked, CANCELLED)
    context.term()
    print(f"{N} pings: {told(idle)}; beside {WORKERS} busy workers: {told(beside)}")


zmq_demo.run(main)

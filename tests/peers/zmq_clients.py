#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pyzmq's sockets against the demo: REQ, correlated and relaxed REQ, DEALER with and without a
delimiter, and REQ served by a REP.

    zmq_clients.py DEMO

1,000 calls each and more, the DEALERs' all in flight together; ids checked, none lost.
"""
import subprocess
import sys
import tempfile

import zmq_demo
from zmq_demo import connect, expect, expect_error, expect_result, notification, request, zmq

N = 1000
NO_PUSH = 2 # the demo's own


def ask(socket, message):
    socket.send_json(message)
    return socket.recv_json()


def few_of_all_kinds(ask_one):
    """What a client sees of results, errors and batches, whatever its socket is."""
    text = "Gr\u00fc\u00dfe \U0001f600 \u0000"
    asked = request("echo", text=text)
    expect_result(ask_one(asked), asked, {"text": text})
    asked = request("get_user_name", user_id=7)
    expect_result(ask_one(asked), asked, {"user_id": 7, "first_name": "Ada"})
    asked = request("api_fail_data")
    expect(ask_one(asked)["error"],
           {"code": 42, "message": "Quota exceeded", "data": {"limit": 10, "used": 11}})
    asked = request("no_such_method")
    expect_error(ask_one(asked), asked, -32601)
    asked = [request("sum", 1, 2), notification("update", 1), request("slow", 1), request("ping")]
    answers = ask_one(asked)
    expect([a["id"] for a in answers], [a["id"] for a in asked if "id" in a])
    expect([a["result"] for a in answers], [3, 1, "pong"])
    asked = request("echo", "x" * 1_000_000)
    expect_result(ask_one(asked), asked, asked["params"])


def lock_step(context, endpoint, **options):
    with connect(context, zmq.REQ, endpoint, **options) as req:
        for i in range(N):
            asked = request("subtract", i, 1)
            expect_result(ask(req, asked), asked, i - 1)
        few_of_all_kinds(lambda message: ask(req, message))
        # A REQ waits for an answer in any case: a notification has the empty one.
        for message in notification("update", 1), [notification("update", 1)]:
            req.send_json(message)
            expect(req.recv_multipart(), [b""])


def relaxed(context, endpoint):
    """Asks again without waiting: what answers the first question is not taken for the second."""
    with connect(context, zmq.REQ, endpoint, req_relaxed=1, req_correlate=1) as req:
        for i in range(N):
            req.send_json(request("subtract", i, 2))
            asked = request("subtract", i, 1)
            expect_result(ask(req, asked), asked, i - 1)


def all_at_once(context, endpoint, envelope):
    with connect(context, zmq.DEALER, endpoint) as dealer:
        def send(message):
            dealer.send_multipart([*envelope, zmq.utils.jsonapi.dumps(message)])

        def receive():
            *before, payload = dealer.recv_multipart()
            expect(before, envelope)
            return zmq.utils.jsonapi.loads(payload) if payload else None

        def ask_one(message):
            send(message)
            return receive()

        # Three kinds of methods: at once, by a timer, on a worker.
        asked = [request("subtract", i, 1) for i in range(N)]
        asked += [request("slow", i % 10) for i in range(N // 5)]
        asked += [request("work", 0) for i in range(10)]
        for message in asked:
            send(message)
        answers = {}
        for _ in asked:
            answer = receive()
            expect(answer["id"] in answers, False)
            answers[answer["id"]] = answer
        for message in asked:
            wanted = message["params"][0] - (message["method"] == "subtract")
            expect_result(answers[message["id"]], message, wanted)
        few_of_all_kinds(ask_one)

        for _ in range(N):
            send(notification("update", 1))
        send(request("ping"))
        if envelope: # each is answered by the empty message
            expect([receive() for _ in range(N)], [None] * N)
        expect(receive()["result"], "pong")

        # It might be a REQ, which must not be sent what it has not asked for.
        asked = request("notify_me", 3, 1)
        send(asked)
        if envelope:
            expect_error(receive(), asked, NO_PUSH)
        else:
            expect([receive()["params"]["n"] for _ in range(3)], [1, 2, 3])
            expect_result(receive(), asked, 3)


def be_refused(endpoint, reason):
    """Another demo cannot listen there, and says where and why."""
    done = subprocess.run([sys.argv[1], "--listen", f"zmq+{endpoint}"], stderr=subprocess.PIPE,
                          timeout=zmq_demo.TIMEOUT_MS / 1000, text=True)
    expect((done.returncode, done.stderr),
           (2, f"demo: zmq+{endpoint}: binding: {reason}\n"))


def main():
    context = zmq.Context()
    with tempfile.TemporaryDirectory() as folder:
        urls = ["zmq+tcp://127.0.0.1:0", f"zmq+ipc://{folder}/router",
                "zmq+tcp://127.0.0.1:0?socket=rep", "zmq+ws://127.0.0.1:0"]
        with zmq_demo.Demo(sys.argv[1], *urls) as demo:
            tcp, ipc, rep, ws = demo.endpoints
            for endpoint in tcp, ipc, rep, ws:
                lock_step(context, endpoint)
            lock_step(context, tcp, req_correlate=1)
            relaxed(context, tcp)
            for endpoint in tcp, ipc, ws:
                all_at_once(context, endpoint, envelope=[])
                all_at_once(context, endpoint, envelope=[b""])
            all_at_once(context, tcp, envelope=[b"tag", b"of mine", b""])
            be_refused(tcp, "Address already in use")
            be_refused(ipc, "Address already in use")
        be_refused(f"ipc://{folder}/no/socket", "No such file or directory")
        be_refused("tcp://192.0.2.1:1", "Cannot assign requested address")
    context.term()
    print(f"{next(zmq_demo.ids) - 1} calls answered")
    return 0


zmq_demo.run(main)

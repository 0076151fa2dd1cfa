#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two demos as workers behind a proxy, ROUTER to the clients and DEALER to the workers; in the
midst of the calls one is killed.

    zmq_broker.py DEMO

A client asks again what is not answered in time, for the calls that the dead worker had are lost.
All others are answered exactly once, and those asked after the proxy has noticed too.
"""
import sys
import threading
import time

import zmq_demo
from zmq_demo import connect, expect, expect_error, expect_result, notification, request, zmq

from zmq.utils.monitor import recv_monitor_message # behind zmq_demo, which skips without zmq

N = 1500
WINDOW = 100 # calls in flight
ANSWER_S = 5 # after which they are asked again


class Proxy:
    def __init__(self, context):
        self.context = context
        self.frontend, self.backend = context.socket(zmq.ROUTER), context.socket(zmq.DEALER)
        self.control = context.socket(zmq.PAIR)
        self.monitor = self.backend.get_monitor_socket(
            zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED)
        self.monitor.rcvtimeo = zmq_demo.TIMEOUT_MS
        self.control.bind("inproc://control")
        self.ends = []
        for socket in self.frontend, self.backend:
            socket.linger = 0
            socket.sndhwm = socket.rcvhwm = 0
            socket.bind("tcp://127.0.0.1:*")
            self.ends.append(socket.last_endpoint.decode().rstrip("\0"))
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        zmq.proxy_steerable(self.frontend, self.backend, None, self.control)

    def wait_for(self, event):
        while recv_monitor_message(self.monitor)["event"] != event:
            pass

    def stop(self):
        with self.context.socket(zmq.PAIR) as command:
            command.connect("inproc://control")
            command.send(b"TERMINATE")
            self.thread.join()
        self.backend.disable_monitor()
        for socket in self.frontend, self.backend, self.control, self.monitor:
            socket.close(0)


class Client:
    """A DEALER that has every call answered."""

    def __init__(self, context, endpoint, envelope):
        self.socket, self.envelope = connect(context, zmq.DEALER, endpoint), envelope
        self.waiting = {} # id -> (number of the call, when it was sent)
        self.n_answers = {} # id -> number
        self.results = {} # number of the call -> result

    def send(self, message):
        self.socket.send_multipart([*self.envelope, zmq.utils.jsonapi.dumps(message)])

    def ask(self, i):
        message = request("slow", i % 7)
        self.waiting[message["id"]] = i, time.monotonic()
        self.n_answers[message["id"]] = 0
        self.send(message)

    def receive(self):
        *before, payload = self.socket.recv_multipart()
        expect(before, self.envelope)
        return zmq.utils.jsonapi.loads(payload)

    def take_answers(self, wait_s):
        while self.socket.poll(wait_s * 1000):
            wait_s = 0
            answer = self.receive()
            self.n_answers[answer["id"]] += 1
            i, _ = self.waiting.pop(answer["id"], (None, None))
            if i is not None:
                self.results[i] = answer["result"]

    def ask_again(self):
        late = time.monotonic() - ANSWER_S
        lost = [(id, i) for id, (i, sent) in self.waiting.items() if sent < late]
        for id, i in lost:
            del self.waiting[id]
            self.ask(i)
        return [id for id, _ in lost]


def lose_one_worker(client, kill):
    to_ask, lost, victims = list(range(N)), [], None
    while len(client.results) < N:
        while to_ask and len(client.waiting) < WINDOW:
            client.ask(to_ask.pop())
        if victims is None and len(client.results) > N // 3:
            victims = set(client.waiting)
            kill()
        client.take_answers(wait_s=0.1)
        lost += client.ask_again()
    expect(client.results, {i: i % 7 for i in range(N)})
    expect(sorted(id for id in lost if id not in victims), [])
    answered_once = [id for id, n in client.n_answers.items() if n == 1]
    expect(len(answered_once) + len(lost), len(client.n_answers))
    return len(lost)


def few_of_all_kinds(client):
    asked = request("no_such_method")
    client.send(asked)
    expect_error(client.receive(), asked, -32601)
    asked = [request("sum", 1, 2), notification("update"), request("ping")]
    client.send(asked)
    expect([a["result"] for a in client.receive()], [3, "pong"])
    asked = request("notify_me", 3, 1)
    client.send(asked)
    if not client.envelope: # else it might be a REQ, which is sent only what it has asked for
        expect([client.receive()["params"]["n"] for _ in range(3)], [1, 2, 3])
        expect_result(client.receive(), asked, 3)
    else:
        expect_error(client.receive(), asked, 2)


def main():
    context, n_lost = zmq.Context(), 0
    proxy = Proxy(context)
    frontend, backend = proxy.ends
    worker_url = f"zmq+{backend}?connect=1"
    with zmq_demo.Demo(sys.argv[1], worker_url):
        proxy.wait_for(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        with connect(context, zmq.REQ, frontend) as req:
            for i in range(1000):
                asked = request("subtract", i, 1)
                req.send_json(asked)
                expect_result(req.recv_json(), asked, i - 1)
        for envelope in [], [b""]:
            client = Client(context, frontend, envelope)
            with zmq_demo.Demo(sys.argv[1], worker_url) as other:
                proxy.wait_for(zmq.EVENT_HANDSHAKE_SUCCEEDED)

                def kill(other=other):
                    other.kill()
                    proxy.wait_for(zmq.EVENT_DISCONNECTED)

                n_lost += lose_one_worker(client, kill)
                few_of_all_kinds(client)
            client.socket.close()
    proxy.stop()
    context.term()
    print(f"{next(zmq_demo.ids) - 1} calls, {n_lost} lost with their workers and asked again")
    return 0 if n_lost else "no call was lost: nothing was tried"


zmq_demo.run(main)

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients that come, call and die in all manners, many at once, for a while.

    soak.py DEMO SECONDS CLIENTS [RSS_MIB]

They live in processes, some of which are killed again and again. In those that are not, no call of
a living client may be without its answer, or have two. Of the demo, neither descriptors may be left
over nor resident memory have grown by more than RSS_MIB (default 48) when all are gone; before is
after a first round of the same, so that what is kept for later does not count.
"""
import json
import os
import random
import select
import socket
import struct
import subprocess
import sys
import tempfile
import time

import zmq_demo
from zmq_demo import connect, expect, request, zmq

PER_PROCESS = 10 # clients
RSS_MIB = 48
REPORT = 100 # answers after which a process says so
PAUSE_MS = 5
ANSWER_S = 60 # as good as never, also on a machine that does ten other things


class Client:
    """Asks for a while, then dies in its own manner."""

    def __init__(self, context, endpoints):
        self.kind = random.choice([zmq.REQ, zmq.DEALER, zmq.DEALER])
        self.envelope = [] if self.kind == zmq.REQ else random.choice([[], [b""]])
        self.socket = connect(context, self.kind, random.choice(endpoints))
        self.window = 1 if self.kind == zmq.REQ else random.randint(1, 50)
        self.n_left = random.randint(1, 200)
        self.die = random.choice([self.quietly, self.quietly, self.abruptly, self.half_read])
        self.waiting = {} # id -> (result, when it was sent)
        self.n_ticks = self.n_answered = 0

    def send(self, method, params, result):
        asked = request(method, *params)
        self.waiting[asked["id"]] = result, time.monotonic()
        self.socket.send_multipart([*self.envelope, json.dumps(asked).encode()])

    def ask(self):
        n = random.randint(0, 1000)
        choice = random.random()
        self.n_left -= 1
        if choice < 0.7:
            self.send("subtract", [n, 1], n - 1)
        elif choice < 0.8:
            self.send("slow", [n % 20], n % 20)
        elif choice < 0.82:
            self.send("work", [1], 1)
        elif choice < 0.85 and self.kind == zmq.DEALER and not self.envelope:
            self.send("notify_me", [n % 5, 1], n % 5)
            self.n_ticks += n % 5
        else:
            self.send("echo", ["x" * n * 10], ["x" * n * 10])

    def receive(self):
        *before, payload = self.socket.recv_multipart()
        expect(before, self.envelope)
        answer = json.loads(payload)
        if "method" in answer:
            self.n_ticks -= 1
            return
        result, _ = self.waiting.pop(answer["id"])
        expect(answer["result"], result)
        self.n_answered += 1

    def step(self):
        """False when it is dead."""
        while self.socket.poll(0, zmq.POLLIN):
            self.receive()
        while self.n_left and len(self.waiting) < self.window:
            self.ask()
        if self.waiting:
            id, (_, sent) = next(iter(self.waiting.items()))
            if time.monotonic() - sent > ANSWER_S:
                raise AssertionError(f"call {id}: no answer within {ANSWER_S} s")
        elif not self.n_left:
            self.die()
            return False
        return True

    def quietly(self):
        expect(self.n_ticks, 0)
        self.socket.close()

    def abruptly(self):
        """With calls in flight."""
        for _ in range(self.window):
            self.ask()
        self.socket.close(0)

    def half_read(self):
        """With much on its way that it never reads."""
        for _ in range(self.window):
            self.send("echo", ["x" * 10000], None)
        if self.socket.poll(1000):
            self.socket.recv_multipart()
        self.socket.close(0)


def break_off(endpoint):
    """What is nothing at all, or only the beginning of something; then it hangs up or resets."""
    host, port = endpoint.split("//")[1].rstrip("/").split(":")
    greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16 + 32)
    ready = b"\x04\x26\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER\x08Identity\x00\x00\x00\x00"
    text = b'{"jsonrpc": "2.0", "method": "slow", "params": [50], "id": 1}'
    upgrade = (b"GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
               b"Sec-WebSocket-Protocol: ZWS2.0\r\n\r\n")
    routing_id, frame = b"\x82\x81" + bytes(5), bytes([0x82, 0x81 + len(text)]) + bytes(5) + text
    said = random.choice([
        os.urandom(64),
        greeting + ready + bytes([0, len(text)]) + text,
        upgrade + routing_id + frame,
    ])
    with socket.create_connection((host, int(port))) as line:
        try:
            line.sendall(said[:random.randint(0, len(said))])
            while random.random() < 0.7 and select.select([line], [], [], 0.02)[0] and line.recv(64):
                pass
        except ConnectionError:
            pass # the server hangs up on what it does not understand
        if random.random() < 0.5:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def report(n_answered, n_told):
    """A line to the parent for so many answers; how many it was told of."""
    if n_answered < n_told + REPORT:
        return n_told
    print(flush=True)
    return n_answered


def live(endpoints):
    """A process of clients, until its input ends; then those that live have their answers."""
    context, n_answered, n_clients = zmq.Context(), 0, PER_PROCESS
    ports = [endpoint for endpoint in endpoints if not endpoint.startswith("ipc:")]
    clients = [Client(context, endpoints) for _ in range(PER_PROCESS)]
    poller, is_ending, n_told = zmq.Poller(), False, 0
    for client in clients:
        poller.register(client.socket, zmq.POLLIN)
    while clients:
        poller.poll(PAUSE_MS)
        if not is_ending and select.select([sys.stdin], [], [], 0)[0]:
            is_ending = True
            for client in clients:
                client.n_left, client.die = 0, client.quietly
        for client in list(clients):
            one = client.socket
            if client.step():
                continue
            clients.remove(client)
            poller.unregister(one)
            n_answered += client.n_answered
            n_told = report(n_answered, n_told)
            if not is_ending:
                clients.append(Client(context, endpoints))
                poller.register(clients[-1].socket, zmq.POLLIN)
                n_clients += 1
                if random.random() < 0.2:
                    break_off(random.choice(ports))
    context.term()
    print(json.dumps([n_answered, n_clients]))


class Processes:
    def __init__(self, endpoints, n_clients):
        self.endpoints = endpoints
        self.all = [self.start() for _ in range(max(2, n_clients // PER_PROCESS))]
        self.n_killed = 0

    def start(self):
        return subprocess.Popen([sys.executable, __file__, "live", *self.endpoints],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def await_reports(self):
        """One of each."""
        for process in self.all:
            process.stdout.readline()

    def kill_now_and_then(self, seconds):
        end = time.monotonic() + seconds
        # Only from the second half: those of the first live to tell.
        mortal = range(len(self.all) // 2, len(self.all))
        while (left := end - time.monotonic()) > 0:
            by_stdout = {self.all[i].stdout: i for i in mortal}
            for stdout in select.select(list(by_stdout), [], [], left)[0]:
                stdout.readline()
                if random.random() < 0.5:
                    self.replace(by_stdout[stdout])

    def replace(self, i):
        self.all[i].kill()
        self.all[i].communicate()
        self.all[i] = self.start()
        self.n_killed += 1

    def end(self):
        """(answers, clients) of those that lived; raises if one has failed."""
        told = [process.communicate()[0] for process in self.all]
        faults = [process.returncode for process in self.all if process.returncode]
        if faults:
            raise AssertionError(f"{len(faults)} processes of clients failed")
        return [sum(column) for column in zip(*(json.loads(text.splitlines()[-1]) for text in told))]


def ping(probe):
    probe.send_json(request("ping"))
    expect(probe.recv_json()["result"], "pong")


class Usage:
    """Of the demo, when it is quiet."""

    def __init__(self, pid):
        self.pid = pid

    def n_descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def rss_mib(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            line = next(line for line in status if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def settle(self, n_descriptors, probe, seconds=30):
        """Descriptors, once there are no more than that, or when the time is over; libzmq does
        what it has to between two calls."""
        end = time.monotonic() + seconds
        while self.n_descriptors() > n_descriptors and time.monotonic() < end:
            ping(probe)
        return self.n_descriptors()


def soak(program, seconds, n_clients, rss_mib):
    with tempfile.TemporaryDirectory() as folder:
        urls = ["zmq+tcp://127.0.0.1:0", f"zmq+ipc://{folder}/soak", "zmq+ws://127.0.0.1:0"]
        with zmq_demo.Demo(program, *urls) as demo:
            usage = Usage(demo.child.pid)
            context = zmq.Context()
            probe = connect(context, zmq.REQ, demo.endpoints[0])
            ping(probe)
            n_before = usage.n_descriptors()
            warm_up = Processes(demo.endpoints, n_clients)
            warm_up.await_reports()
            warm_up.end()
            usage.settle(n_before, probe)
            rss_before = usage.rss_mib()
            processes = Processes(demo.endpoints, n_clients)
            processes.kill_now_and_then(seconds)
            n_answered, n_lived = processes.end()
            n_after, rss_after = usage.settle(n_before, probe), usage.rss_mib()
            probe.close()
            context.term()
    print(f"{seconds:.0f} s, {n_lived} clients lived and {n_answered} calls were answered, "
          f"{processes.n_killed} processes killed; "
          f"descriptors {n_before} -> {n_after}, RSS {rss_before:.1f} -> {rss_after:.1f} MiB")
    if n_after > n_before:
        return "descriptors are left over"
    if rss_after > rss_before + rss_mib:
        return f"RSS has grown by more than {rss_mib:.0f} MiB"
    return None


def main():
    if sys.argv[1] == "live":
        live(sys.argv[2:])
        return None
    program, seconds, n_clients, *rss_mib = sys.argv[1:]
    return soak(program, float(seconds), int(n_clients), *map(float, rss_mib or [RSS_MIB]))


zmq_demo.run(main)

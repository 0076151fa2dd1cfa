#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients that send one message and never end it.

    zmq_endless.py DEMO [MIB]

libzmq keeps the frames of a message until the last has come, and a client of it sends whole
messages only. So these speak ZMTP themselves: each must be hung up on before the demo has grown by
what the case allows, and MIB more, while somebody else is served.
"""
import socket
import struct
import sys
import tempfile
import threading
import time

import zmq_demo
from zmq_demo import connect, expect, expect_result, request, zmq

MIB = 1 << 20
ENOUGH = 400 * MIB # whoever could send so much was not hung up on
PATIENCE_S = 60
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
PROPERTY = b"\x0bSocket-Type" + struct.pack(">I", 6) + b"DEALER"
READY = b"\x05READY" + PROPERTY
MORE, COMMAND = 1, 4

# Frames of so many bytes, each said to be followed by another; what the demo may grow by. An empty
# one takes 64 bytes of memory, and the limit is in bytes that were sent.
CASES = [
    ("zmq+tcp://127.0.0.1:0", 1 * MIB, 192),
    ("zmq+tcp://127.0.0.1:0", 1000, 192),
    ("zmq+tcp://127.0.0.1:0", 0, 448),
    ("zmq+ipc://{folder}/endless", 1 * MIB, 192),
    ("zmq+ipc://{folder}/endless", 0, 448),
    ("zmq+ws://127.0.0.1:0", 1000, 192),
]


def zmtp_frame(size):
    head = struct.pack(">BB", MORE, size) if size < 256 else struct.pack(">BQ", MORE | 2, size)
    return head + b"x" * size


def ws_frame(body):
    assert 126 <= len(body) < 1 << 16
    return struct.pack(">BBH", 0x82, 0x80 | 126, len(body)) + bytes(4) + body # masked by nothing


def receive(sock, n):
    got = b""
    while len(got) < n:
        part = sock.recv(n - len(got))
        if not part:
            raise ConnectionError("hung up on in the handshake")
        got += part
    return got


def open_zmtp(endpoint):
    kind, _, place = endpoint.partition("://")
    if kind == "ipc":
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(place)
    else:
        host, _, port = place.rpartition(":")
        sock = socket.create_connection((host, int(port)))
    sock.settimeout(PATIENCE_S)
    sock.sendall(GREETING + struct.pack(">BB", COMMAND, len(READY)) + READY)
    receive(sock, len(GREETING))
    return sock


def open_ws(endpoint):
    place = endpoint.partition("://")[2].rstrip("/")
    host, _, port = place.rpartition(":")
    sock = socket.create_connection((host, int(port)))
    sock.settimeout(PATIENCE_S)
    sock.sendall((f"GET / HTTP/1.1\r\nHost: {place}\r\nUpgrade: websocket\r\n"
                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                  "Sec-WebSocket-Protocol: ZWS2.0\r\n\r\n").encode())
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += receive(sock, 1)
    if b" 101 " not in answer:
        raise ConnectionError(answer)
    sock.sendall(b"\x82\x81" + bytes(5)) # the routing id: none
    return sock


def send_endlessly(endpoint, size):
    """Bytes that it took until it was hung up on."""
    if endpoint.startswith("ws"):
        sock, frame = open_ws(endpoint), ws_frame(b"\x01" + b"x" * size)
    else:
        sock, frame = open_zmtp(endpoint), zmtp_frame(size)
    block = frame * max(1, MIB // len(frame))
    n = 0
    with sock:
        try:
            while n < ENOUGH:
                n += sock.send(block[n % len(block):])
        except (BrokenPipeError, ConnectionResetError):
            return n
    raise AssertionError(f"{endpoint}: {n} bytes of one message were taken")


class Served(threading.Thread):
    """Somebody else, who is answered all the while."""

    def __init__(self, context, endpoint):
        super().__init__()
        self.context, self.endpoint = context, endpoint
        self.is_over, self.n_calls, self.fault = threading.Event(), 0, None

    def run(self):
        try:
            with connect(self.context, zmq.REQ, self.endpoint) as req:
                while not self.is_over.is_set():
                    asked = request("ping")
                    req.send_json(asked)
                    expect_result(req.recv_json(), asked, "pong")
                    self.n_calls += 1
        except BaseException as fault: # told where it is waited for
            self.fault = fault


def peak_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def try_case(context, url, size, grown_max):
    with zmq_demo.Demo(sys.argv[1], url, "zmq+tcp://127.0.0.1:0",
                       options=["basic_logging=yes"]) as demo:
        endpoint, _ = demo.endpoints
        served = Served(context, endpoint)
        served.start()
        before = peak_mib(demo.child.pid)
        began = time.monotonic()
        try:
            sent = send_endlessly(endpoint, size)
        finally:
            took = time.monotonic() - began
            grown = peak_mib(demo.child.pid) - before
            served.is_over.set()
            served.join()
            demo.log[:] = [line for line in demo.log if not line.startswith(("-->", "<--"))]
            print(f"{url}: frames of {size} bytes: grown by {grown:.0f} MiB in {took:.2f} s, "
                  f"{served.n_calls} calls of another")
    print(f"    hung up on after {sent / MIB:.1f} MiB")
    if served.fault:
        raise served.fault
    expect((grown < grown_max, served.n_calls > 0), (True, True))
    expect(sum("without end" in line for line in demo.log), 1)


def main():
    context = zmq.Context()
    spare = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with tempfile.TemporaryDirectory() as folder:
        for url, size, grown_max in CASES:
            try_case(context, url.format(folder=folder), size, grown_max + spare)
    context.term()


zmq_demo.run(main)

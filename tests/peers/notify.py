#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""notify.py DEMO - a peer that asks for notifications as fast as they come, and does not read, keeps
nobody else waiting."""
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile

CALLS = 1000


def connect(path):
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(30)
    peer.connect(path)
    return peer


def ask(peer, method, params, id):
    peer.sendall(json.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": id})
                 .encode() + b"\n")


with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "socket")
    demo = subprocess.Popen([sys.argv[1], "--listen", f"unix:{path}", "--set", "queue_max=200000"],
                            stderr=subprocess.PIPE)
    try:
        assert demo.stderr.readline().startswith(b"listening on ")
        deaf, other = connect(path), connect(path)
        ask(deaf, "notify_me", [10**9, 0], 1)
        assert b"tick" in deaf.recv(4096)
        lines = other.makefile("rb")
        for i in range(CALLS):
            ask(other, "ping", [], i)
            assert json.loads(lines.readline()) == {"jsonrpc": "2.0", "result": "pong", "id": i}
        demo.send_signal(signal.SIGTERM)
        deaf.close()
        assert demo.wait(30) == 0
    finally:
        demo.kill()
        demo.wait()
print(f"{CALLS} calls answered beside a peer that does not read")

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pyzmq's sockets with CURVE against the demo, with certificates made by pyzmq and by ours.

    curve.py DEMO CURVE_CERTIFICATE

A DEALER whose certificate is in the folder makes 1,000 calls, all in flight together, and a REQ
1,000 one after the other; ids checked, none lost. Clients without certificate, with one that is
not there, and with one that is there no more get nothing.
"""
import os
import subprocess
import sys
import tempfile

from zmq_demo import Demo, connect, expect, expect_result, request, run, zmq
import zmq.auth
import zmq.utils.monitor

N = 1_000
ENDS = (zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
        | zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_DISCONNECTED)


def certificate(folder, name, program=None):
    """Its two files, and the keys as options of a socket."""
    if program:
        public = os.path.join(folder, name)
        secret = public + "_secret"
        subprocess.run([program, name, public], check=True, stdout=subprocess.DEVNULL)
        again = subprocess.run([program, name, public], check=False, stderr=subprocess.DEVNULL)
        expect((again.returncode, os.stat(secret).st_mode & 0o777), (1, 0o600))
    else:
        public, secret = zmq.auth.create_certificates(folder, name, metadata={"name": name})
        os.chmod(secret, 0o600)
    keys = zmq.auth.load_certificate(secret)
    return public, secret, dict(zip(("curve_publickey", "curve_secretkey"), keys))


def check_flood(context, endpoint, keys):
    with connect(context, zmq.DEALER, endpoint, **keys) as dealer:
        asked = {}
        for i in range(N):
            call = request("sum", i, 1)
            asked[call["id"]] = call, i + 1
            dealer.send_json(call)
        for _ in range(N):
            answer = dealer.recv_json()
            expect_result(answer, *asked.pop(answer["id"]))
        expect(asked, {})


def check_lock_step(context, endpoint, keys):
    with connect(context, zmq.REQ, endpoint, **keys) as req:
        for i in range(N):
            call = request("sum", i, 1)
            req.send_json(call)
            expect_result(req.recv_json(), call, i + 1)


def check_refused(context, endpoint, keys):
    """Its only connection ends, and it was told nothing."""
    dealer = context.socket(zmq.DEALER)
    dealer.linger = 0
    dealer.reconnect_ivl = -1
    for name, value in keys.items():
        setattr(dealer, name, value)
    with dealer, dealer.get_monitor_socket(ENDS) as monitor:
        dealer.connect(endpoint)
        try:
            dealer.send_json(request("ping"), zmq.DONTWAIT)
        except zmq.Again:  # refused already
            pass
        if not monitor.poll(30_000):
            raise AssertionError("the connection stays")
        expect(dealer.poll(0), 0)
        dealer.disable_monitor()


def main():
    with tempfile.TemporaryDirectory() as folder:
        clients = os.path.join(folder, "clients")
        os.mkdir(clients)
        server, _, server_keys = certificate(folder, "server")
        _, _, alice = certificate(clients, "alice", sys.argv[2])
        bob_public, bob_secret, bob = certificate(clients, "bob")
        _, _, mallory = certificate(folder, "mallory")
        for keys in alice, bob, mallory:
            keys["curve_serverkey"] = server_keys["curve_publickey"]
        stranger = {**alice, "curve_serverkey": mallory["curve_publickey"]}
        options = f"curve_key={server}&clients={clients}"
        urls = [f"zmq+tcp://127.0.0.1:0?{options}", f"zmq+ipc://{folder}/socket?{options}",
                f"zmq+ws://127.0.0.1:0?{options}"]
        with Demo(sys.argv[1], *urls) as demo, zmq.Context() as context:
            for endpoint in demo.endpoints:
                for keys in alice, bob:
                    check_flood(context, endpoint, keys)
                check_lock_step(context, endpoint, alice)
                for keys in {}, mallory, stranger:
                    check_refused(context, endpoint, keys)
            os.remove(bob_public)
            os.remove(bob_secret)
            for endpoint in demo.endpoints:
                check_refused(context, endpoint, bob)
                check_lock_step(context, endpoint, alice)
        count = len(demo.endpoints)
    print(f"{count * 3 * N + count * N} calls answered, {count * 4} clients refused")


run(main)

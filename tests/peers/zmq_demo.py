# SPDX-License-Identifier: MIT
"""The demo as a child, and what clients of it have in common."""
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import traceback

try:
    import zmq
except ImportError:
    print("skipped: apt-get install python3-zmq, and run it by /usr/bin/python3")
    sys.exit(77)

TIMEOUT_MS = 30_000


class Demo:
    """Listens on URLs until the end of a with statement; then it must exit with 0."""

    def __init__(self, program, *urls, options=()):
        command = [program]
        for url in urls:
            command += ["--listen", url]
        for option in options:
            command += ["--set", option]
        self.child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.endpoints, self.log = [], []
        while len(self.endpoints) < len(urls):
            line = self.child.stderr.readline()
            if not line:
                raise RuntimeError(f"{command}: {''.join(self.log)}")
            if line.startswith("listening on "):
                self.endpoints.append(line.split()[2].partition("?")[0].removeprefix("zmq+"))
            else:
                self.log.append(line)
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        self.log.extend(self.child.stderr)

    def kill(self):
        self.child.kill()
        self.child.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _trace):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        try:
            status = self.child.wait(TIMEOUT_MS / 1000)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self.reader.join()
        if kind or status not in (0, -signal.SIGKILL):
            sys.stderr.writelines(self.log)
        if not kind and status not in (0, -signal.SIGKILL):
            raise RuntimeError(f"demo: exit status {status}")


def connect(context, kind, endpoint, **options):
    socket = context.socket(kind)
    socket.linger = 0
    socket.rcvtimeo = socket.sndtimeo = TIMEOUT_MS
    socket.sndhwm = socket.rcvhwm = 0
    for name, value in options.items():
        setattr(socket, name, value)
    socket.connect(endpoint)
    return socket


ids = itertools.count(1)


def request(method, *params, **named):
    return {"jsonrpc": "2.0", "method": method, "params": list(params) or named, "id": next(ids)}


def notification(method, *params):
    return {"jsonrpc": "2.0", "method": method, "params": list(params)}


def expect(told, wanted):
    if told != wanted:
        raise AssertionError(f"expected {json.dumps(wanted)}\n     got {json.dumps(told)}")


def expect_result(answer, asked, result):
    expect(answer, {"jsonrpc": "2.0", "result": result, "id": asked["id"]})


def expect_error(answer, asked, code):
    expect((answer.get("id"), answer.get("error", {}).get("code")), (asked["id"], code))


def run(main):
    """Exits with what main() returns; after a failure even if sockets are open still, for which a
    context waits."""
    try:
        fault = main()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    sys.exit(fault)

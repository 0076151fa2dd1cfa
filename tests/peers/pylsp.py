#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The JSON-RPC library of the Python language server: 3,000 calls with Content-Length framing.

    pylsp.py DEMO

Run by Debian's python3, whose package python3-pylsp-jsonrpc it needs. Calls in flight all together,
their ids are UUIDs; then failures, notifications both ways, answers that come later.
"""
import subprocess
import sys
import threading

try:
    from pylsp_jsonrpc.endpoint import Endpoint
    from pylsp_jsonrpc.exceptions import JsonRpcException
    from pylsp_jsonrpc.streams import JsonRpcStreamReader, JsonRpcStreamWriter
except ImportError:
    print("skipped: apt-get install python3-pylsp-jsonrpc")
    sys.exit(77)

N = 3000
TIMEOUT = 60


def error_of(future):
    try:
        return future.result(TIMEOUT)
    except JsonRpcException as error:
        return error.code, error.message


def ask(endpoint, ticks):
    faults = []
    futures = [endpoint.request("subtract", [i, 1]) for i in range(N)]
    for i, future in enumerate(futures):
        if future.result(TIMEOUT) != i - 1:
            faults.append(f"subtract {i}: {future.result()}")
    checks = [("echo", {"text": "Grüße\r\nContent-Length: 5"}, {"text": "Grüße\r\nContent-Length: 5"}),
              ("fruits", {"color": "red"}, ["apple", "cherry"]),
              ("fruits", {"color": "blue"}, (-32602, "Invalid params")),
              ("api_fail", None, (1, "Can't fulfill the request")),
              ("no_such_method", [], (-32601, "Method not found")),
              ("slow", [1], 1),
              ("work", [1], 1),
              ("notify_me", [3, 0], 3)]
    for method, params, wanted in checks:
        answer = error_of(endpoint.request(method, params))
        if answer != wanted:
            faults.append(f"{method}: {answer}, not {wanted}")
    endpoint.notify("update", [1, 2])
    if ticks != [1, 2, 3]:
        faults.append(f"ticks: {ticks}")
    return faults


def main():
    ticks = []
    with subprocess.Popen([sys.argv[1], "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as demo:
        endpoint = Endpoint({"tick": lambda params: ticks.append(params["n"])},
                            JsonRpcStreamWriter(demo.stdin).write)
        reader = threading.Thread(
            target=JsonRpcStreamReader(demo.stdout).listen, args=(endpoint.consume,), daemon=True)
        reader.start()
        faults = ask(endpoint, ticks)
        demo.stdin.close()
        reader.join(TIMEOUT)
        endpoint.shutdown()
    if not faults:
        print(f"{N} calls answered")
    return "\n".join(faults) or demo.returncode


sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A client that sends 100,000 requests and reads nothing until the last one is sent.

    flood.py DEMO

It is the client everybody writes first. The answers, some 4 MiB, wait on our side meanwhile, for
they are within queue_max.
"""
import json
import subprocess
import sys

N = 100_000


def main():
    with subprocess.Popen([sys.argv[1], "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as demo:
        for i in range(N):
            request = {"jsonrpc": "2.0", "method": "sum", "params": [i, 1], "id": i}
            demo.stdin.write(json.dumps(request).encode() + b"\n")
        demo.stdin.close()
        answers = [json.loads(line) for line in demo.stdout]
    wanted = [{"jsonrpc": "2.0", "result": i + 1, "id": i} for i in range(N)]
    if answers != wanted:
        return f"{len(answers)} of {N} answers, or wrong ones"
    print(f"{len(answers)} calls answered")
    return demo.returncode


sys.exit(main())

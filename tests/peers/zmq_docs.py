#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The Python sessions in docs/transports/zmq.md, against the demo.

    zmq_docs.py DEMO
"""
import doctest
import pathlib
import sys

import zmq_demo
from zmq_demo import zmq

PAGE = pathlib.Path(__file__).parents[2] / "docs/transports/zmq.md"


def main():
    text = PAGE.read_text(encoding="utf-8")
    with zmq_demo.Demo(sys.argv[1], "zmq+tcp://127.0.0.1:0") as demo:
        here = demo.endpoints[0].removeprefix("tcp://")
        session = doctest.DocTestParser().get_doctest(
            text.replace("127.0.0.1:5555", here), {}, PAGE.name, str(PAGE), 0)
        failed, tried = doctest.DocTestRunner().run(session)
        zmq.Context.instance().destroy(linger=0)
    print(f"{tried} lines tried")
    return 1 if failed or not tried else 0


zmq_demo.run(main)

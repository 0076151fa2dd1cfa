#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who may include whom.

    include/jrpc    jrpc/*.h, jansson.h, C standard headers
    core            jrpc/*.h (not the server's), libc, jansson.h, and headers of core whose file
                    stands above their own in core/CMakeLists.txt
    transports      the server's files: jrpc/*.h, libc, uv.h, each other, and headers of core;
                    a transport's: jrpc/*.h, libc, uv.h, builtin.h, its own headers, those of what
                    it is made of, helpers without state, and its library, which nobody else
                    includes
    examples,       jrpc/jrpc.h of ours; jrpc/transport.h for a transport of one's own
    bench

core knows no file descriptor, socket, loop or clock, so its part of libc is listed by name, and so
are the few files that need more.
Run from the top of the tree.
"""
import pathlib
import re
import sys

C_STANDARD = {
    "assert.h", "ctype.h", "errno.h", "float.h", "inttypes.h", "limits.h", "locale.h", "math.h",
    "stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h",
    "stdlib.h", "string.h", "wchar.h",
}
CORE_SYSTEM = C_STANDARD | {"jansson.h", "pthread.h", "strings.h"}
CORE_EXCEPTIONS = {
    ("message.c", "time.h"): "tells its hook how long a call took",
    ("hash.c", "sys/random.h"): "the seed of the look-up",
    ("hash.c", "time.h"): "the same, where the kernel has no random bytes",
    ("text.h", "emmintrin.h"): "sixteen bytes a step, where the processor can",
}
# Transports, with what they are made of; and libraries that only one of them knows.
FAMILIES = {
    "framing": [],
    "duplex": ["framing"],
    "stdio": ["duplex", "framing"],
    "stream": ["duplex", "framing"],
    "zmq": [],
    "web": ["stream"],
}
HELPERS = {"builtin.h", "endpoint.h", "../core/buf.h", "../core/escape.h", "../core/hash.h",
           "../core/json_write.h", "../core/text.h"}
LIBRARIES = {"zmq.h": "zmq", "czmq.h": "zmq", "libwebsockets.h": "web"}
OUTSIDE_CORE = {"jrpc/server.h", "jrpc/client.h", "jrpc/transport.h", "jrpc/jrpc.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def includes(path):
    """Yields (line number, "<" or '"', name)."""
    text = path.read_text(encoding="utf-8")
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start(2)) + 1, match.group(1), match.group(2)


def sources(folder):
    return sorted(p for p in pathlib.Path(folder).glob("*.[ch]"))


def core_levels():
    """File name -> place in the build's list; a header not in it stands where its .c does."""
    text = pathlib.Path("core/CMakeLists.txt").read_text(encoding="utf-8")
    order = re.findall(r"^\s+(\w+\.[ch])$", text, re.M)
    levels = {name.replace(".c", ".h"): i for i, name in enumerate(order)}
    levels.update({name: i for i, name in enumerate(order)})
    return levels


def public_faults():
    for path in sources("include/jrpc"):
        for line, _, name in includes(path):
            if name not in C_STANDARD | {"jansson.h"} and not name.startswith("jrpc/"):
                yield f"{path}:{line}: a public header includes {name}"


def core_faults():
    levels = core_levels()
    for path in sources("core"):
        if path.name not in levels:
            yield f"{path}: not in the list of core/CMakeLists.txt"
            continue
        for line, kind, name in includes(path):
            where = f"{path}:{line}"
            if kind == "<":
                ours = name.startswith("jrpc/") and name not in OUTSIDE_CORE
                known = name in CORE_SYSTEM or (path.name, name) in CORE_EXCEPTIONS
                if not ours and not known:
                    yield f"{where}: core includes <{name}>"
            elif name not in levels:
                yield f'{where}: "{name}" is not in the list of core/CMakeLists.txt'
            elif levels[name] > levels[path.name]:
                yield f'{where}: "{name}" stands below {path.name} in core/CMakeLists.txt'


def family_of(name):
    """The transport that a file belongs to, by the beginning of its name; None: the server."""
    return next((f for f in FAMILIES if re.match(rf"{f}[_.]", name)), None)


def transport_faults():
    for path in sources("transports"):
        family = family_of(path.name)
        for line, kind, name in includes(path):
            where = f"{path}:{line}"
            owner = LIBRARIES.get(name)
            if owner and owner != family:
                yield f"{where}: {name} is for {owner}*.c alone"
            if kind == "<" or family is None:
                continue
            neighbour = family_of(name)
            if name not in HELPERS and neighbour not in (family, *FAMILIES[family]):
                yield f'{where}: a transport includes "{name}"'


def user_faults():
    """Examples and benchmarks are users: what they need, jrpc.h must offer."""
    for path in sources("examples") + sources("bench"):
        for line, kind, name in includes(path):
            is_public = name.startswith("jrpc/")
            if is_public and name not in ("jrpc/jrpc.h", "jrpc/transport.h"):
                yield f"{path}:{line}: includes {name}, not jrpc/jrpc.h"
            if kind == '"' and not (path.parent / name).exists():
                yield f'{path}:{line}: "{name}" is no neighbour'
            if ".." in name:
                yield f'{path}:{line}: "{name}" reaches into another folder'


def main():
    faults = [*public_faults(), *core_faults(), *transport_faults(), *user_faults()]
    return "\n".join(faults) or None


sys.exit(main())

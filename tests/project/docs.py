#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the documentation says is so: README.md and all of docs/.

    docs.py --cc CC --libdir DIR        run from the top of the tree

A comment on the line before a fenced block or a table says how it is tried:

    <!-- example: 01 -->        C that is part of examples/01-*.c, word for word; a line /* ... */
                                in it stands for what is left out
    <!-- session: 01 -->        lines typed into examples/01-*.c, each followed by what it prints;
                                `session: docs` is tests/project/docs_service.c, `session: demo`
                                is examples/demo --stdio
    <!-- shell: demo -->        lines `$ command` for a shell, each followed by all it prints;
                                examples/run stands for the demo
    <!-- http: demo -->         the same, while the demo listens, at another port than 5000
    <!-- output: 02 -->         what examples/02-*.c prints, fed its .input
    <!-- check: codes -->       a table of all codes in include/jrpc/error.h
    <!-- check: data -->        | request | code | data |, as docs_service answers
    <!-- check: signature -->   | signature | what is wrong with it |
    <!-- check: binding -->     | signature | params | what the arguments are |

Every other C block must compile, at file scope or inside a handler. Links within the tree must
lead somewhere.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap

MARK = re.compile(r"<!-- (\w+): (\S+) -->$")
WARNINGS = ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Iinclude",
            "-Iexamples"]
PRELUDE = """\
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jrpc/jrpc.h>
#include "msgpack_codec.h"
"""
BODY = """\
int snippet(jrpc_call *call, void *user, jrpc_service *service, jrpc_options *options,
            jrpc_response *response, const char *text, size_t len, const jrpc_method *methods);
int snippet(jrpc_call *call, void *user, jrpc_service *service, jrpc_options *options,
            jrpc_response *response, const char *text, size_t len, const jrpc_method *methods)
{
    (void)call, (void)user, (void)service, (void)options, (void)response, (void)text, (void)len;
    (void)methods;
%s
    return 0;
}
"""


class Block:
    """A fenced block or a table, and the mark before it."""

    def __init__(self, where, mark, language, lines):
        self.where, self.mark, self.language, self.lines = where, mark, language, lines

    def rows(self):
        """A table's cells without its head; code marks and escapes taken off."""
        for line in self.lines[2:]:
            cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
            yield [re.sub(r"^`+ ?|(?<! ) ?`+$", "", cell.strip().replace("\\|", "|"))
                   for cell in cells]


def blocks(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    mark, i = None, 0
    while i < len(lines):
        where, start = f"{path}:{i + 1}", i
        if lines[i].startswith("```"):
            i += 1
            while not lines[i].startswith("```"):
                i += 1
            yield Block(where, mark, lines[start][3:], lines[start + 1:i])
        elif lines[i].startswith("|") and mark:
            while i + 1 < len(lines) and lines[i + 1].startswith("|"):
                i += 1
            yield Block(where, mark, "table", lines[start:i + 1])
        found = MARK.match(lines[i])
        mark = found.groups() if found else mark if not lines[i] else None
        i += 1


class Programs:
    """Examples and docs_service, compiled at the first use."""

    def __init__(self, cc, libdir, folder):
        self.cc, self.libdir, self.folder, self.built = cc, libdir, pathlib.Path(folder), {}

    def source(self, name):
        if name == "docs":
            return pathlib.Path("tests/project/docs_service.c")
        if name == "demo":
            return pathlib.Path("examples/demo.c")
        return next(pathlib.Path("examples").glob(f"{name}-*.c"))

    def build(self, name):
        if name not in self.built:
            program = self.folder / name
            sources = [str(self.source(name))]
            if name == "demo":
                sources.append("examples/demo_service.c")
            subprocess.run([self.cc, *WARNINGS, *sources, "-o", str(program),
                            "-L", self.libdir, f"-Wl,-rpath,{self.libdir}", "-ljrpc",
                            "-ljansson", "-luv", "-lpthread"], check=True)
            self.built[name] = program
        return self.built[name]

    def run(self, name, *args, text=""):
        return subprocess.run([self.build(name), *args], input=text, text=True, check=True,
                              capture_output=True, timeout=60).stdout

    def shell(self, name, command, folder):
        path = f"{self.build(name).parent}:{os.environ['PATH']}"
        done = subprocess.run(["bash", "-c", command.replace("examples/run", name)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, cwd=folder,
                              env={**os.environ, "PATH": path})
        return done.stdout.decode().replace("\r\n", "\n")

    def compiles(self, code):
        return subprocess.run([self.cc, *WARNINGS, "-Wno-unused", "-x", "c", "-fsyntax-only", "-"],
                              input=PRELUDE + code, text=True, capture_output=True)


def check_example(block, number, programs):
    source = programs.source(number).read_text(encoding="utf-8").splitlines()
    fragments = re.split(r"^\s*/\* \.\.\. \*/$", "\n".join(block.lines), flags=re.M)
    at = 0
    for fragment in fragments:
        wanted = textwrap.dedent(fragment.strip("\n")).splitlines()
        n = len(wanted)
        while at + n <= len(source) and textwrap.dedent("\n".join(source[at:at + n])) != "\n".join(
                wanted):
            at += 1
        if at + n > len(source):
            yield f"{block.where}: not in {programs.source(number)}: {wanted[0]}"
            return
        at += n


def check_session(block, name, programs):
    printed = []
    for line in block.lines:
        if line.startswith("$ "):
            continue
        if printed:
            if line != printed.pop(0):
                yield f"{block.where}: does not print: {line}"
        else:
            arguments = ["--stdio"] if name == "demo" else []
            printed = programs.run(name, *arguments, text=line + "\n").splitlines()
    if printed:
        yield f"{block.where}: is not told: {printed[0]}"


def check_shell(block, name, programs):
    command, told = None, []
    folder = tempfile.mkdtemp(dir=programs.folder)  # what another block has left is not in the way
    for line in [*block.lines, "$ "]:
        if not line.startswith("$ "):
            told.append(line)
            continue
        printed = programs.shell(name, command, folder).splitlines() if command else []
        if printed != told:
            yield f"{block.where}: {command}\n  prints {printed}\n  not    {told}"
        command, told = line[2:], []


def check_http(block, name, programs):
    with subprocess.Popen([programs.build(name), "--listen", "http://127.0.0.1:0"], text=True,
                          stderr=subprocess.PIPE) as demo:
        try:
            address = demo.stderr.readline().split("//")[1].strip()
            block.lines = [line.replace("127.0.0.1:5000", address) for line in block.lines]
            yield from check_shell(block, name, programs)
        finally:
            demo.terminate()


def check_output(block, name, programs):
    path = programs.source(name).with_suffix(".expected")
    if [line for line in block.lines if not line.startswith("$ ")] != path.read_text().splitlines():
        yield f"{block.where}: is not {path}"


def check_codes(block, _programs):
    header = pathlib.Path("include/jrpc/error.h").read_text(encoding="utf-8")
    known = [[code, "JRPC_" + name, message, status] for name, code, message, status in
             re.findall(r'X\((\w+), (-\d+), "([^"]+)", (\d+)\)', header)]
    told = [row[:4] for row in block.rows()]
    for row in known:
        if row not in told:
            yield f"{block.where}: lacks {row}"
    for row in told:
        if row not in known:
            yield f"{block.where}: not in error.h: {row}"


def check_data(block, programs):
    for request, code, data in block.rows():
        message = request
        if request[0] not in "{[\"" and not request[0].isdigit():
            method, _, params = request.partition(" ")
            message = f'{{"jsonrpc": "2.0", "method": "{method}", ' + (
                f'"params": {params}, ' if params else "") + '"id": 1}'
        answer = json.loads(programs.run("docs", text=message + "\n"))
        error = answer["error"] if isinstance(answer, dict) else answer[-1]["error"]
        told = error.get("data", "nothing")
        told = told if isinstance(told, str) else json.dumps(told)
        if [str(error["code"]), told] != [code, data]:
            yield f"{block.where}: {request}: {error['code']} {told}"


def check_signature(block, programs):
    for signature, fault in block.rows():
        printed = programs.run("docs", signature).strip()
        if printed != fault:
            yield f"{block.where}: {signature}: {printed}"


def check_binding(block, programs):
    for signature, params, bound in block.rows():
        printed = programs.run("docs", "" if signature == '""' else signature, params).strip()
        if printed != bound:
            yield f"{block.where}: {signature}, {params}: {printed}"


def check_compiles(block, programs):
    code = "\n".join(block.lines) + "\n"
    as_file = programs.compiles(code)
    as_body = programs.compiles(BODY % textwrap.indent(code, "    "))
    if as_file.returncode and as_body.returncode:
        stderr = (as_file if re.search(r"^\{", code, flags=re.M) else as_body).stderr
        yield f"{block.where}: does not compile:\n{stderr}"


def check_block(block, programs):
    kind, argument = block.mark or (None, None)
    if kind in ("example", "session", "shell", "http", "output"):
        return globals()["check_" + kind](block, argument, programs)
    if kind == "check":
        return globals()["check_" + argument](block, programs)
    return check_compiles(block, programs) if block.language == "c" else []


def anchors(path):
    for title in re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), flags=re.M):
        yield re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def check_links(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if re.match(r"\w+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (path.parent / name) if name else path
        if not there.exists():
            yield f"{path}: leads nowhere: {target}"
        elif anchor and anchor not in anchors(there):
            yield f"{path}: no such heading: {target}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--libdir", required=True, type=os.path.abspath)
    args = parser.parse_args()
    paths = [pathlib.Path("README.md"), *sorted(pathlib.Path("docs").rglob("*.md"))]
    faults, n_blocks = [], 0
    with tempfile.TemporaryDirectory() as folder:
        programs = Programs(args.cc, args.libdir, folder)
        for path in paths:
            faults += check_links(path)
            for block in blocks(path):
                faults += check_block(block, programs)
                n_blocks += 1
    print(f"{len(paths)} files, {n_blocks} blocks")
    return "\n".join(faults) or None


sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The shared libraries export exactly what the public headers declare with JRPC_API.

    exports.py --nm NM [--but HEADER]... LIBRARY...       run from the top of the tree
"""
import argparse
import pathlib
import re
import subprocess
import sys

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
DIRECTIVE = re.compile(r"^\s*#(?:[^\n]*\\\n)*[^\n]*", re.M)
DECLARATION = re.compile(r"\bJRPC_API\b([^;{]*)")
# A function's name stands before the first parenthesis that is not an attribute's; a variable's
# name is the last word.
NAME = re.compile(r"\b(jrpc_\w+)\s*\(|\b(jrpc_\w+)\s*(?:\[[^]]*\])?\s*$")


def declared(but):
    names = set()
    for path in pathlib.Path("include/jrpc").glob("*.h"):
        if path.name in but:
            continue
        text = DIRECTIVE.sub("", COMMENT.sub(" ", path.read_text(encoding="utf-8")))
        for declaration in DECLARATION.findall(text):
            match = NAME.search(declaration)
            if not match:
                sys.exit(f"{path}: no jrpc_ name in: JRPC_API{declaration}")
            names.add(match.group(1) or match.group(2))
    return names


def exported(nm, library):
    table = subprocess.run([nm, "-D", "--defined-only", library],
                           check=True, capture_output=True, text=True).stdout
    names = {line.split()[-1].split("@")[0] for line in table.splitlines()}
    # Two underscores: the tool chain's own, as of a coverage run-time.
    return {name for name in names if not name.startswith("__")}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--but", action="append", default=[], help="a header of another library")
    parser.add_argument("library", nargs="+")
    args = parser.parse_args()

    promised = declared(args.but)
    given = set().union(*(exported(args.nm, library) for library in args.library))
    for name in sorted(promised - given):
        print(f"declared with JRPC_API but not exported: {name}")
    for name in sorted(given - promised):
        print(f"exported but not declared with JRPC_API: {name}")
    print(f"{len(promised)} declared, {len(given)} exported")
    return 0 if promised == given and promised else 1


sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every source file opens with the licence line, and no .c file has 800 lines.

Layout is clang-format's business, not ours. Run from the top of the tree.
"""
import pathlib
import sys

FOLDERS = ["core", "transports", "include", "tools", "examples", "bench", "tests", "cmake", ".ci"]
LICENCE = {
    ".c": "/* SPDX-License-Identifier: MIT */",
    ".h": "/* SPDX-License-Identifier: MIT */",
    ".cmake": "# SPDX-License-Identifier: MIT",
    ".py": "# SPDX-License-Identifier: MIT",
    ".sh": "# SPDX-License-Identifier: MIT",
}
C_LINES_MAX = 799


def faults(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    opening = lines[1:2] if lines and lines[0].startswith("#!") else lines[:1]
    if opening != [LICENCE[path.suffix]]:
        yield f"{path}:1: does not open with {LICENCE[path.suffix]}"
    if path.suffix == ".c" and len(lines) > C_LINES_MAX:
        yield f"{path}: {len(lines)} lines, more than {C_LINES_MAX}: split it by duty"


def main():
    paths = [p for folder in FOLDERS for p in sorted(pathlib.Path(folder).rglob("*"))
             if p.suffix in LICENCE and p.is_file()]
    if not paths:
        return "no sources: run from the top of the tree"
    return "\n".join(fault for path in paths for fault in faults(path)) or None


sys.exit(main())

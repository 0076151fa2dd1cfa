#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# example.sh PROGRAM STEM - PROGRAM, fed STEM.input, prints exactly STEM.expected and succeeds
set -euo pipefail

program=$1 stem=$2
input=$stem.input
[[ -e $input ]] || input=/dev/null

# pipefail: the program's own failure counts as well as a difference.
"$program" <"$input" | diff -u --label expected --label printed "$stem.expected" -

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# node.sh FOLDER [--chromium] SCRIPT DEMO [ARGUMENT]... - run a client for node
#
# SCRIPT is a file of one of the folders here, as in node_web/ws.js; the packages that its folder
# asks for are in the one of the same name in FOLDER, or are fetched. With --chromium it needs a
# browser, whose path it is given behind the demo's. Exit 77: something that it needs is not
# installed.
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
folders=$1
shift

skip()
{
    echo "skipped: $1"
    exit 77
}

browser=()
if [[ $1 == --chromium ]]; then
    command -v chromium >/dev/null || skip 'apt-get install chromium'
    browser=("$(command -v chromium)")
    shift
fi
script=$here/$1
demo=$2
shift 2
source=$(dirname "$script")
folder=$folders/$(basename "$source")

command -v node >/dev/null || skip 'apt-get install nodejs npm'

# Fetched once, in the versions that the lock file has the checksums of, by whoever comes first.
mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
if ! cmp -s "$source/package-lock.json" "$folder/installed"; then
    cp "$source/package.json" "$source/package-lock.json" "$folder"
    npm ci --prefix "$folder" --no-audit --no-fund --ignore-scripts
    cp "$folder/package-lock.json" "$folder/installed"
fi
exec 9>&-
NODE_PATH=$folder/node_modules exec node "$script" "$demo" "${browser[@]}" "$@"

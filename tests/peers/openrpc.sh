#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# openrpc.sh DEMO FOLDER [http] - run node_openrpc/openrpc.js, with the packages that it needs in FOLDER
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")/node_openrpc
demo=$1
folder=$2

command -v node >/dev/null || {
    echo 'skipped: apt-get install nodejs npm'
    exit 77
}

# Fetched once, in the versions that the lock file has the checksums of.
if ! cmp -s "$here/package-lock.json" "$folder/installed"; then
    mkdir -p "$folder"
    cp "$here/package.json" "$here/package-lock.json" "$folder"
    npm ci --prefix "$folder" --no-audit --no-fund
    cp "$folder/package-lock.json" "$folder/installed"
fi
# Its modules are of two kinds, which node puts together from 20.19 on.
if ! NODE_PATH=$folder/node_modules node -e 'require("@open-rpc/schema-utils-js")' 2>/dev/null; then
    echo 'skipped: the validator needs node 20.19'
    exit 77
fi
NODE_PATH=$folder/node_modules exec node "$here/openrpc.js" "$demo" "${@:3}"

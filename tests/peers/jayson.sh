#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# jayson.sh DEMO FOLDER - run node_jayson/jayson.js, with the packages that it needs in FOLDER
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")/node_jayson
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
NODE_PATH=$folder/node_modules exec node "$here/jayson.js" "$demo"

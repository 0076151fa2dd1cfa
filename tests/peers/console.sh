#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# console.sh DEMO FOLDER - run node_console/console.js, with the package that it needs in FOLDER
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")/node_console
demo=$1
folder=$2

command -v node >/dev/null || {
    echo 'skipped: apt-get install nodejs npm'
    exit 77
}
command -v chromium >/dev/null || {
    echo 'skipped: apt-get install chromium'
    exit 77
}

# Fetched once, in the versions that the lock file has the checksums of.
if ! cmp -s "$here/package-lock.json" "$folder/installed"; then
    mkdir -p "$folder"
    cp "$here/package.json" "$here/package-lock.json" "$folder"
    npm ci --prefix "$folder" --no-audit --no-fund
    cp "$folder/package-lock.json" "$folder/installed"
fi
NODE_PATH=$folder/node_modules exec node "$here/console.js" "$demo" "$(command -v chromium)"

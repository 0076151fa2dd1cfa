#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# node_web.sh SCRIPT DEMO FOLDER - run node_web/SCRIPT, with the packages that it needs in FOLDER
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")/node_web
script=$1
demo=$2
folder=$3

command -v node >/dev/null || {
    echo 'skipped: apt-get install nodejs npm'
    exit 77
}
if [[ $script == origin.js || $script == token.js ]] && ! command -v chromium >/dev/null; then
    echo 'skipped: apt-get install chromium'
    exit 77
fi

# Fetched once, in the versions that the lock file has the checksums of, by whoever comes first.
mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
if ! cmp -s "$here/package-lock.json" "$folder/installed"; then
    cp "$here/package.json" "$here/package-lock.json" "$folder"
    npm ci --prefix "$folder" --no-audit --no-fund --ignore-scripts
    cp "$folder/package-lock.json" "$folder/installed"
fi
exec 9>&-
NODE_PATH=$folder/node_modules exec node "$here/$script" "$demo" "$(command -v chromium || true)"

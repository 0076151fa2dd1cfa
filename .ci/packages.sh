# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# packages.sh - sourced by scripts that need Debian packages
#
# What building needs; one list for examples/run, tests/run and .ci/run.
# shellcheck disable=SC2034 # used by those who source this
BUILD_PACKAGES=(gcc libc6-dev cmake ninja-build pkg-config libjansson-dev libuv1-dev
    libzmq3-dev libczmq-dev libwebsockets-dev libwebsockets-evlib-uv)

# missing_packages NAME...: prints those that are not installed, one per line.
missing_packages()
{
    local name
    for name in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed* ]] ||
            echo "$name"
    done
}

# need_packages NAME...: installs what is missing. Touches apt only if there is something to do, so
# that the second start is quick and needs neither a network nor rights. Prints to stderr only.
need_packages()
{
    local missing as_root=()

    # Elsewhere than on Debian the build itself tells what it does not find.
    command -v dpkg-query >/dev/null || return 0
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]})) || return 0

    ((EUID == 0)) || as_root=(sudo)
    echo "Installing ${missing[*]}" >&2
    "${as_root[@]}" apt-get update </dev/null >&2 &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y --no-install-recommends "${missing[@]}" </dev/null >&2
}

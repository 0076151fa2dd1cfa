#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# install.sh CC BUILD - what a user gets: installs BUILD into an empty folder, then builds and runs
# the program in tests/install against it, found by CMake and by pkg-config. From the top of the tree.
set -euo pipefail

cc=$1 build=$2
consumer=$PWD/tests/install
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

# Prints the command's output only if it fails.
quietly()
{
    "$@" >"$work/log" 2>&1 || {
        cat "$work/log"
        echo "failed: $*"
        exit 1
    }
}

quietly cmake --install "$build" --prefix "$prefix"
libdir=$(dirname "$(find "$prefix" -name 'libjrpc-core.a')")

echo 'with find_package(jrpc CONFIG):'
quietly cmake -G Ninja -S "$consumer" -B "$work/build" -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$prefix"
quietly cmake --build "$work/build"
for program in with_core with_core_static with_jrpc; do
    "$work/build/$program"
done

echo 'with pkg-config:'
export PKG_CONFIG_PATH=$libdir/pkgconfig LD_LIBRARY_PATH=$libdir
for package in jrpc-core jrpc; do
    read -ra flags < <(pkg-config --cflags --libs "$package")
    quietly "$cc" "$consumer/main.c" -o "$work/main" "${flags[@]}"
    "$work/main"
done

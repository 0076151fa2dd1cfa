#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# headers.sh CC CXX LIBDIR - each public header compiles alone, as C11 and as C++17, without a
# warning; and a C++ program that includes the umbrella links and runs. From the top of the tree.
set -euo pipefail

cc=$1 cxx=$2 libdir=$3
warnings=(-Wall -Wextra -Wpedantic -Werror)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

for header in include/jrpc/*.h; do
    # Twice, so that the include guard counts; the last line because ISO C forbids an empty file.
    printf '#include <jrpc/%s>\n' "${header##*/}" "${header##*/}" >"$work/alone"
    echo 'extern int not_empty;' >>"$work/alone"
    "$cc" -x c -std=c11 "${warnings[@]}" -Iinclude -fsyntax-only "$work/alone" || failed=1
    "$cxx" -x c++ -std=c++17 "${warnings[@]}" -Iinclude -fsyntax-only "$work/alone" || failed=1
done

cat >"$work/main.cc" <<'EOT'
#include <jrpc/jrpc.h>

int main()
{
    return jrpc_version() == JRPC_VERSION ? 0 : 1;
}
EOT
"$cxx" -std=c++17 "${warnings[@]}" -Iinclude "$work/main.cc" -o "$work/main" -L"$libdir" -ljrpc
LD_LIBRARY_PATH=$libdir "$work/main"

exit $failed

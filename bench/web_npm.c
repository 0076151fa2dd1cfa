/* SPDX-License-Identifier: MIT */
/*
 * web_npm.c - servers of npm's packages, to compare with where they are installed
 *
 * BENCH_NPM is where the scripts are, BENCH_NPM_MODULES where bench/npm/install puts the packages.
 */
#include "web_npm.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "process.h"

enum { PATH_SIZE = 4096 };

bool web_npm_has(const char *package)
{
    char path[PATH_SIZE];

    snprintf(path, sizeof(path), "%s/%s/package.json", BENCH_NPM_MODULES, package);
    if (access(path, R_OK) == 0)
        return true;
    fprintf(stderr, "without %s of npm: bench/npm/install fetches it\n", package);
    return false;
}

void web_npm(const void *package)
{
    char script[PATH_SIZE];

    snprintf(script, sizeof(script), "%s/%s.js", BENCH_NPM, (const char *)package);
    setenv("NODE_PATH", BENCH_NPM_MODULES, /* overwrite */ 1);
    process_exec((const char *const[]){"node", script, NULL});
}

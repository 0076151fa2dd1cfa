/* SPDX-License-Identifier: MIT */
/*
 * web_npm.h - servers of npm's packages, to compare with where they are installed
 */
#ifndef WEB_NPM_H
#define WEB_NPM_H

#include <stdbool.h>

/* Else it says what is missing. */
bool web_npm_has(const char *package);

/* For process_spawn(): the server of the package, which bench/npm/PACKAGE.js is. */
void web_npm(const void *package);

#endif

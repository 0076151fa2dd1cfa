/* SPDX-License-Identifier: MIT */
/*
 * comma_locale.h - a locale whose decimal point is a comma, made for the test
 *
 * Compiled into a folder of its own from the sources of Debian's package `locales`, so that no
 * machine needs to have one installed and no test is skipped without it.
 */
#ifndef TEST_COMMA_LOCALE_H
#define TEST_COMMA_LOCALE_H

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct comma_locale {
    char folder[64];
};

/* 0, or -1 after saying on standard error what is missing. */
static inline int comma_locale_enter(struct comma_locale *comma)
{
    char command[256];

    snprintf(comma->folder, sizeof(comma->folder), "/tmp/jrpc-locale-XXXXXX");
    if (!mkdtemp(comma->folder)) {
        perror("mkdtemp");
        return -1;
    }
    snprintf(command, sizeof(command), "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8", comma->folder);
    if (system(command) != 0) {
        fprintf(stderr, "`%s` failed: is the package `locales` installed?\n", command);
        return -1;
    }
    setenv("LOCPATH", comma->folder, /* overwrite */ 1);
    if (!setlocale(LC_ALL, "de_DE.UTF-8") || strcmp(localeconv()->decimal_point, ",") != 0) {
        fprintf(stderr, "setlocale() does not take %s\n", comma->folder);
        return -1;
    }
    return 0;
}

static inline void comma_locale_leave(const struct comma_locale *comma)
{
    char command[128];

    setlocale(LC_ALL, "C");
    unsetenv("LOCPATH");
    snprintf(command, sizeof(command), "rm -rf %s", comma->folder);
    if (system(command) != 0)
        fprintf(stderr, "`%s` failed\n", command);
}

#endif

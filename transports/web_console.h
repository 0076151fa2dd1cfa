/* SPDX-License-Identifier: MIT */
/*
 * web_console.h - the console, a page that is served to people
 *
 * web_console.html is all of it. At the build it becomes the array that stands in web_console.c,
 * which is made from web_console.c.in.
 */
#ifndef JRI_WEB_CONSOLE_H
#define JRI_WEB_CONSOLE_H

#include <stddef.h>

/* The page: HTML in ASCII, constant, NUL-terminated; *len: its bytes without the NUL. */
const char *jri_web_console(size_t *len);

/* The value of the header Content-Security-Policy that it is to be sent with: allows its script,
 * its style, and to talk to where it came from. */
const char *jri_web_console_policy(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * config.h - configuration text to assignments: a pure parser
 *
 * The rules are those of Python's configparser, which read these files first: sections in
 * brackets, `name = value` or `name: value`, comments on lines of their own that begin with # or
 * ;. Values end with their line. Only section [general] is of interest: other sections are not
 * looked at, and comments are not either.
 */
#ifndef JRI_CONFIG_H
#define JRI_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

enum {
    JRI_CONFIG_MAX = 65536,     /* bytes of a file: a thousand times what all options take */
    JRI_CONFIG_LINE_MAX = 1024, /* bytes of a line that is looked at */
};

typedef struct jri_config {
    const char *at, *end;
    int line;
    bool has_section, is_general; /* a section has begun; it is [general] */
} jri_config;

/* Slices of the text without white space around them, valid UTF-8, free of U+0000. */
typedef struct jri_assignment {
    int line; /* 1-based */
    const char *name, *value;
    size_t name_len, value_len;
    const char *fault; /* static text; the rest is set only without it */
} jri_assignment;

/* text is borrowed while reading; it may be NULL if len is 0. */
void jri_config_begin(jri_config *config, const char *text, size_t len);

/* 1 an assignment, 0 the end, or -EBADMSG a line that is none, with line and fault: reading can go
 * on behind it. */
int jri_config_next(jri_config *config, jri_assignment *out);

#endif

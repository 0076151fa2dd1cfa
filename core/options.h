/* SPDX-License-Identifier: MIT */
/*
 * options.h - options resolved to numbers, and where each came from
 */
#ifndef JRI_OPTIONS_H
#define JRI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jrpc/options.h>

#define JRI_FLAG_FIELD(name, ...) bool name;
#define JRI_NUMBER_FIELD(name, ...) int64_t name;

/* The longest time, some 24 days: what an int of milliseconds holds, and no sum of it with a clock
 * in nanoseconds overflows. */
enum { JRI_TIME_MAX = INT32_MAX };

/* One field for each option: settings.message_max, settings.debug … */
typedef struct jri_settings {
    JRPC_OPTIONS(JRI_FLAG_FIELD, JRI_NUMBER_FIELD, JRI_NUMBER_FIELD)
} jri_settings;

#undef JRI_FLAG_FIELD
#undef JRI_NUMBER_FIELD

/* Where a value came from; the stronger wins, whatever the order of calls. */
typedef enum {
    JRI_FROM_DEFAULT,
    JRI_FROM_HOME,
    JRI_FROM_FILE,
    JRI_FROM_ENVIRONMENT,
    JRI_FROM_CALL,
    JRI_N_ORIGINS
} jri_origin;

/* One value from text: as jrpc_options_set(). The name is as that origin spells it: in files in any
 * case, in the environment JRPC_MESSAGE_MAX. On failure problem's code and text tell why. */
int jri_options_put(jrpc_options *options, jri_origin origin, const char *name, const char *value,
                    jrpc_problem *problem);

/* yes/no, true/false, on/off, 1/0, in upper or lower case: 1 or 0; -1: neither. */
int jri_flag_read(const char *text);

/* Levenshtein's distance of two names, whatever the case; b has at most JRI_DISTANCE_MAX bytes. */
enum { JRI_DISTANCE_MAX = 40 };
size_t jri_name_distance(const char *a, const char *b);

/* Before an option's name in the environment. */
#define JRI_VARIABLE_PREFIX "JRPC_"

/* The strongest value of each option; NULL gives the defaults. */
void jri_options_resolve(const jrpc_options *options, jri_settings *out);

/* 0 or -ENOMEM. NULL gives NULL. */
int jri_options_copy(const jrpc_options *options, jrpc_options **out);

/* Only those that were given a value, whatever gave it; the others stay. NULL gives none. */
void jri_options_overlay(const jrpc_options *options, jri_settings *inout);

/* The same without flags, which are a service's and not a listener's. */
void jri_options_overlay_limits(const jrpc_options *options, jri_settings *inout);

/* What the last call found wrong: what jrpc_options_problem() gives. */
jrpc_problem *jri_options_own_problem(jrpc_options *options);

#endif

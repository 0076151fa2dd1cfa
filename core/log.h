/* SPDX-License-Identifier: MIT */
/*
 * log.h - lines for a person: where they go, escaping, `-->` and `<--`, trimming
 *
 * A log that is off costs one branch at the caller: ask jri_log_is_on() before preparing
 * anything. Nothing here fails: what cannot be made for want of memory is logged shorter.
 */
#ifndef JRI_LOG_H
#define JRI_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include <jrpc/export.h>
#include <jrpc/service.h>

typedef struct jri_log {
    bool is_basic;    /* basic_logging: requests and answers; standard error without a hook */
    bool is_trimming; /* trim_log_values */
    void (*logged)(const jrpc_log_record *record, void *user); /* NULL: standard error */
    void *user;
} jri_log;

/* Who a line is about; NULL members without a server. */
typedef struct jri_log_source {
    const char *transport, *peer;
} jri_log_source;

static inline bool jri_log_is_on(const jri_log *log)
{
    return log->is_basic || log->logged;
}

/* One line; control characters and bad UTF-8 in it are escaped. source may be NULL. */
void jri_log_line(const jri_log *log, int level, const jri_log_source *source, const char *format,
                  ...) JRPC_PRINTF(4, 5);

typedef enum { JRI_LOG_REQUEST, JRI_LOG_ANSWER } jri_log_direction;

/* A request or an answer as JSON text (any bytes at all), if is_basic. */
void jri_log_text(const jri_log *log, jri_log_direction direction, const jri_log_source *source,
                  const char *text, size_t len);

/* The same for a value that came from or goes to a codec. */
void jri_log_value(const jri_log *log, jri_log_direction direction, const jri_log_source *source,
                   const json_t *value);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * log.c - lines for a person: where they go, how long they may get, what is shown of a message
 *
 * Every line is made whole, escaped, and handed out in one piece: to the hook, or to standard
 * error in one write, so that lines of several threads do not mix. Short lines take no memory; a
 * long one for which there is none is cut. errno is the same afterwards.
 */
#define _GNU_SOURCE
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "escape.h"
#include "json_write.h"
#include "text.h"
#include "trim.h"

/* LINE_ROOM: bytes of a line that needs no memory; SOURCE_ROOM: of whom it is about. CUT_MAX: what
 * is shown of a message that cannot be trimmed, because it is not JSON: enough to see what it is
 * instead. VALUE_MAX: JSON text made of a value for the log alone. */
enum { LINE_ROOM = 1024, SOURCE_ROOM = 256, CUT_MAX = 512, VALUE_MAX = 64 << 20 };

static const char ellipsis[] = "...";

/* What a line says; foreign is escaped, the rest is ours. */
struct content {
    int level;
    const char *mark, *foreign, *end;
    size_t len; /* of foreign */
};

/* Source as the beginning of a line on standard error; the hook gets it in fields of its own. */
static void describe(const jri_log_source *source, char to[SOURCE_ROOM])
{
    const char *transport = source && source->transport ? source->transport : "";
    const char *peer = source && source->peer ? source->peer : "";
    char quoted[SOURCE_ROOM / 2];

    jri_escape(quoted, sizeof(quoted), peer, strlen(peer));
    snprintf(to, SOURCE_ROOM, "%.100s%s%s%s%s%s", transport, *transport && *peer ? " " : "",
             *peer ? "peer '" : "", quoted, *peer ? "'" : "", *transport || *peer ? ": " : "");
}

static void hand_out(const jri_log *log, const jri_log_source *source, int level, char *line,
                     size_t len)
{
    if (log->logged) {
        jrpc_log_record record = {.size = sizeof(record),
                                  .level = level,
                                  .transport = source ? source->transport : NULL,
                                  .peer = source ? source->peer : NULL,
                                  .text = line,
                                  .len = len};
        log->logged(&record, log->user);
        return;
    }
    line[len++] = '\n';
    fwrite(line, 1, len, stderr);
}

/* Makes a line and hands it out. */
static void emit(const jri_log *log, const jri_log_source *source, const struct content *content)
{
    char stack[LINE_ROOM], about[SOURCE_ROOM] = "";
    const char *end = content->end;

    if (!log->logged)
        describe(source, about);

    /* Room for all of it, its end, and a line end or a NUL. */
    size_t size = strlen(about) + strlen(content->mark) +
                  jri_escape(NULL, 0, content->foreign, content->len) + strlen(end) + 1;
    char *heap = size <= sizeof(stack) ? NULL : malloc(size);
    if (size > sizeof(stack) && !heap) {
        size = sizeof(stack);
        end = ellipsis;
    }

    char *line = heap ? heap : stack;
    char *at = stpcpy(stpcpy(line, about), content->mark);
    jri_escape(at, size - (size_t)(at - line) - strlen(end), content->foreign, content->len);
    at = stpcpy(at + strlen(at), end);
    hand_out(log, source, content->level, line, (size_t)(at - line));
    free(heap);
}

void jri_log_line(const jri_log *log, int level, const jri_log_source *source, const char *format,
                  ...)
{
    char stack[LINE_ROOM], *heap = NULL;
    struct content content = {.level = level, .mark = "", .foreign = stack, .end = ""};
    int saved_errno = errno;
    va_list args;

    if (!jri_log_is_on(log))
        return;

    va_start(args, format);
    int n = vsnprintf(stack, sizeof(stack), format, args);
    va_end(args);

    if (n < 0) {
        content.foreign = format; /* a template is better than nothing */
    } else if ((size_t)n >= sizeof(stack)) {
        va_start(args, format);
        if (vasprintf(&heap, format, args) < 0)
            heap = NULL;
        va_end(args);
        content.foreign = heap ? heap : stack;
        content.end = heap ? "" : ellipsis;
    }
    content.len = strlen(content.foreign);
    emit(log, source, &content);

    free(heap);
    errno = saved_errno;
}

/* The length of a beginning that ends between two characters, if they are characters. */
static size_t cut(const char *text, size_t len)
{
    if (len <= CUT_MAX)
        return len;
    len = CUT_MAX;
    for (int i = 0; i < 3 && jri_utf8_is_tail(text[len]); i++)
        len--;
    return len;
}

static struct content make_content(jri_log_direction direction, const char *text, size_t len)
{
    return (struct content){.level = JRPC_LOG_INFO,
                            .mark = direction == JRI_LOG_REQUEST ? "--> " : "<-- ",
                            .foreign = text,
                            .len = len,
                            .end = ""};
}

void jri_log_text(const jri_log *log, jri_log_direction direction, const jri_log_source *source,
                  const char *text, size_t len)
{
    int saved_errno = errno;
    jrpc_buf trimmed;

    if (!log->is_basic)
        return;

    struct content content = make_content(direction, text, len);
    jri_buf_init(&trimmed, len);
    if (log->is_trimming && jri_trim_json(&trimmed, text, len) == 0) {
        content.foreign = trimmed.data;
        content.len = trimmed.len;
    } else if (log->is_trimming) {
        content.len = cut(text, len);
        content.end = content.len < len ? ellipsis : "";
    }
    emit(log, source, &content);

    jri_buf_fini(&trimmed);
    errno = saved_errno;
}

void jri_log_value(const jri_log *log, jri_log_direction direction, const jri_log_source *source,
                   const json_t *value)
{
    int saved_errno = errno;
    jrpc_buf text;

    if (!log->is_basic)
        return;

    jri_buf_init(&text, VALUE_MAX);
    if (jri_write_json(&text, value) == 0) {
        jri_log_text(log, direction, source, text.data, text.len);
    } else {
        /* The beginning tells what it was. */
        struct content content = make_content(direction, text.data, cut(text.data, text.len));
        content.end = ellipsis;
        emit(log, source, &content);
    }
    jri_buf_fini(&text);
    errno = saved_errno;
}

/* SPDX-License-Identifier: MIT */
/*
 * config.c - options from configuration files and from the environment
 *
 * Two halves: a pure parser of one text, and jrpc_options_load(), which finds the texts and hands
 * what they assign to options.c. A fault in a text never stops it: the first is remembered, all
 * are counted.
 */
#define _GNU_SOURCE
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jrpc/options.h>

#include "escape.h"
#include "json_write.h"
#include "options.h"
#include "text.h"

#define SECTION "general"

extern char **environ; /* POSIX; declared only together with file descriptors */

/* The parser */

void jri_config_begin(jri_config *config, const char *text, size_t len)
{
    *config = (jri_config){.at = text, .end = len ? text + len : text};

    /* Some editors put a byte order mark in front. */
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        config->at += 3;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void strip(const char **text, size_t *len)
{
    while (*len && is_space((*text)[*len - 1]))
        --*len;
    while (*len && is_space(**text)) {
        ++*text;
        --*len;
    }
}

static int fail_line(jri_assignment *out, const char *fault)
{
    out->fault = fault;
    return -EBADMSG;
}

/* [name]; what follows the bracket does not count. */
static int read_section(jri_config *config, const char *text, size_t len, jri_assignment *out)
{
    const char *close = memchr(text, ']', len);

    config->has_section = true;
    config->is_general = false;
    if (!close)
        return fail_line(out, "a section's name without a closing bracket");

    size_t n = (size_t)(close - text) - 1;
    if (n != strlen(SECTION) || strncasecmp(text + 1, SECTION, n) != 0)
        return 0;
    if (memcmp(text + 1, SECTION, n) != 0)
        return fail_line(out, "section is not read, did you mean [" SECTION "]?");
    config->is_general = true;
    return 0;
}

static int read_assignment(const jri_config *config, const char *text, size_t len,
                           jri_assignment *out)
{
    if (len > JRI_CONFIG_LINE_MAX)
        return fail_line(out, "line is too long");
    if (memchr(text, '\0', len))
        return fail_line(out, "line with a NUL byte");
    if (jri_utf8_check(text, len) != len)
        return fail_line(out, "line is not UTF-8");
    if (!config->has_section)
        return fail_line(out, "line outside of a section, put [" SECTION "] above");

    size_t n = 0;
    while (n < len && text[n] != '=' && text[n] != ':')
        n++;
    if (n == len)
        return fail_line(out, "neither a [section] nor name = value");

    out->name = text;
    out->name_len = n;
    strip(&out->name, &out->name_len);
    out->value = text + n + 1;
    out->value_len = len - n - 1;
    strip(&out->value, &out->value_len);
    return out->name_len ? 1 : fail_line(out, "a value without a name");
}

int jri_config_next(jri_config *config, jri_assignment *out)
{
    int status = 0;

    while (status == 0 && config->at < config->end) {
        const char *text = config->at;
        const char *eol = memchr(text, '\n', (size_t)(config->end - text));
        size_t len = (size_t)((eol ? eol : config->end) - text);
        config->at = eol ? eol + 1 : config->end;

        *out = (jri_assignment){.line = ++config->line};
        strip(&text, &len);
        if (!len || *text == '#' || *text == ';')
            continue;
        if (*text == '[')
            status = read_section(config, text, len, out);
        else if (config->is_general || !config->has_section)
            status = read_assignment(config, text, len, out);
    }
    return status;
}

/* Loading */

struct loader {
    jrpc_options *options;
    char *text;         /* room for one file */
    jrpc_problem first; /* code 0: none so far */
    int n_problems;
};

/* A path as a problem's source: if it is too long its end, which tells more. */
static void quote_path(const char *path, char *to, size_t size)
{
    size_t len = strlen(path);

    if (len >= size) {
        path += len - (size - sizeof("..."));
        while (jri_utf8_is_tail(*path))
            path++;
        to = stpcpy(to, "...");
        size -= strlen("...");
    }
    jri_escape(to, size, path, strlen(path));
}

/* Remembers the first problem and counts all. */
static void note(struct loader *loader, const char *source, int line, const char *text)
{
    jrpc_problem *first = &loader->first;

    if (loader->n_problems++)
        return;
    first->code = -EINVAL;
    first->line = line;
    quote_path(source, first->source, sizeof(first->source));
    snprintf(first->text, sizeof(first->text), "%s", text);
}

static void put(struct loader *loader, jri_origin origin, const char *source,
                const jri_assignment *assignment)
{
    char name[JRI_CONFIG_LINE_MAX + 1], value[JRI_CONFIG_LINE_MAX + 1];
    jrpc_problem problem;

    *(char *)mempcpy(name, assignment->name, assignment->name_len) = '\0';
    *(char *)mempcpy(value, assignment->value, assignment->value_len) = '\0';
    if (jri_options_put(loader->options, origin, name, value, &problem) < 0)
        note(loader, source, assignment->line, problem.text);
}

static void put_text(struct loader *loader, jri_origin origin, const char *source, size_t len)
{
    jri_config config;
    jri_assignment assignment;
    int status;

    jri_config_begin(&config, loader->text, len);
    while ((status = jri_config_next(&config, &assignment)) != 0) {
        if (status < 0)
            note(loader, source, assignment.line, assignment.fault);
        else
            put(loader, origin, source, &assignment);
    }
}

/* A whole file into loader->text: 0, or why it cannot be read. */
static int read_file(struct loader *loader, const char *path, size_t *out)
{
    int status = 0;
    FILE *file = fopen(path, "re"); /* e: not for children that another thread starts */

    if (!file)
        return -errno;
    /* One byte more than allowed tells a file that is too large. A folder opens, but does not
     * read. */
    size_t len = fread(loader->text, 1, JRI_CONFIG_MAX + 1, file);
    if (ferror(file))
        status = -errno;
    else if (len > JRI_CONFIG_MAX)
        status = -EFBIG;
    fclose(file);

    if (!status)
        *out = len;
    return status;
}

static int load_file(struct loader *loader, jri_origin origin, const char *path)
{
    size_t len = 0;
    int status = read_file(loader, path, &len);

    if (!status)
        put_text(loader, origin, path, len);
    return status;
}

/* Both are one and the same file, be it by a link. */
static bool is_same_file(const char *a, const char *b)
{
    char real_a[PATH_MAX], real_b[PATH_MAX];

    return realpath(a, real_a) && realpath(b, real_b) && strcmp(real_a, real_b) == 0;
}

/* One of the files searched for: it need not be there. */
static int load_found(struct loader *loader, jri_origin origin, const char *path)
{
    int status = load_file(loader, origin, path);

    if (!status || status == -ENOENT || status == -ENOTDIR)
        return 0;
    if (status == -ENOMEM)
        return status;
    note(loader, path, 0, strerror(-status));
    return 0;
}

/* Of the same folder's files the server's is read last: it wins option by option. */
static int search(struct loader *loader)
{
    static const char *const names[] = {"./.jsonrpcclientrc", "./.jsonrpcserverrc"};
    enum { N_NAMES = sizeof(names) / sizeof(names[0]) };
    const char *home = getenv("HOME");
    char path[PATH_MAX];
    int status = 0;

    /* The password database knows a home too, but a library that asks it may block or load
     * modules: without HOME there is none. */
    for (size_t i = 0; home && *home && i < N_NAMES && !status; i++) {
        int n = snprintf(path, sizeof(path), "%s/%s", home, names[i] + strlen("./"));
        if (n < 0 || (size_t)n >= sizeof(path))
            note(loader, home, 0, strerror(ENAMETOOLONG));
        else if (!is_same_file(path, names[i]))
            status = load_found(loader, JRI_FROM_HOME, path);
    }
    for (size_t i = 0; i < N_NAMES && !status; i++)
        status = load_found(loader, JRI_FROM_FILE, names[i]);
    return status;
}

/* Every JRPC_NAME=value: one that is no option is a misspelt one. */
static void load_environment(struct loader *loader)
{
    char name[JRI_CONFIG_LINE_MAX + 1];
    jrpc_problem problem;

    for (char **at = environ; at && *at; at++) {
        const char *value = strchr(*at, '=');
        if (strncmp(*at, JRI_VARIABLE_PREFIX, strlen(JRI_VARIABLE_PREFIX)) != 0 || !value)
            continue;
        snprintf(name, sizeof(name), "%.*s", (int)(value - *at), *at);
        if (jri_options_put(loader->options, JRI_FROM_ENVIRONMENT, name, value + 1, &problem) < 0)
            note(loader, "environment", 0, problem.text);
    }
}

/* The problem that the caller is shown: the first, and how many more there were. */
static void finish(struct loader *loader)
{
    char more[32] = "";
    jrpc_problem *problem = &loader->first;

    if (loader->n_problems > 1) {
        int n = snprintf(more, sizeof(more), " (and %d more)", loader->n_problems - 1);
        size_t room = sizeof(problem->text) - (size_t)n - 1;
        strcpy(problem->text + strnlen(problem->text, room), more);
    }
    *jri_options_own_problem(loader->options) = *problem;
}

int jrpc_options_load(jrpc_options *options, const char *path)
{
    if (!options)
        return -EINVAL;

    struct loader loader = {.options = options, .text = malloc(JRI_CONFIG_MAX + 1)};
    int status = -ENOMEM;
    if (loader.text)
        status = path ? load_file(&loader, JRI_FROM_FILE, path) : search(&loader);

    if (!status) {
        load_environment(&loader);
    } else {
        loader.n_problems = 0;
        note(&loader, path ? path : "", 0, strerror(-status));
        loader.first.code = status;
    }
    finish(&loader);
    free(loader.text);
    return status;
}

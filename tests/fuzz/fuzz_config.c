/* SPDX-License-Identifier: MIT */
/*
 * fuzz_config.c - a configuration file of any bytes: the parser, then each option
 *
 * What is handed out lies inside the text and is fit to be shown; whatever is put, every option
 * stays in its range and every problem is one line.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/json_write.h"
#include "core/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

static void check_slice(const uint8_t *data, size_t size, const char *text, size_t len)
{
    const char *start = (const char *)data;

    require(text >= start && text + len <= start + size && len <= JRI_CONFIG_LINE_MAX);
    require(!memchr(text, '\0', len) && !memchr(text, '\n', len));
    require(jri_utf8_check(text, len) == len);
}

static void check_problem(const jrpc_problem *problem)
{
    size_t len = strlen(problem->text);

    require(problem->code == -ENOENT || problem->code == -EINVAL || problem->code == -ERANGE);
    require(len > 0 && len < sizeof(problem->text) && problem->line == 0);
    for (size_t i = 0; i < len; i++)
        require((unsigned char)problem->text[i] >= 0x20);
}

static void put(jrpc_options *options, jri_origin origin, const jri_assignment *found)
{
    char *name = strndup(found->name, found->name_len);
    char *value = strndup(found->value, found->value_len);
    jrpc_problem problem = {0};

    require(name && value);
    int status = jri_options_put(options, origin, name, value, &problem);
    require(status == problem.code);
    if (status)
        check_problem(&problem);
    free(name);
    free(value);
}

#define CHECK_FLAG(name, ...) require(settings.name == 0 || settings.name == 1);
#define CHECK_SIZE(name, value, max, ...) require(settings.name >= 1 && settings.name <= max);
#define CHECK_TIME(name, ...)                                                                      \
    require(settings.name == -1 || (settings.name >= 1 && settings.name <= JRI_TIME_MAX));

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    jri_config config;
    jri_assignment found;
    jri_settings settings;
    jrpc_options *options = NULL;
    int status, line = 0;

    require(jrpc_options_new(&options) == 0);
    jri_config_begin(&config, (const char *)data, size);
    while ((status = jri_config_next(&config, &found)) != 0) {
        require(found.line > line);
        line = found.line;
        if (status < 0) {
            require(status == -EBADMSG && found.fault && *found.fault);
            continue;
        }
        require(status == 1 && !found.fault && found.name_len > 0);
        check_slice(data, size, found.name, found.name_len);
        check_slice(data, size, found.value, found.value_len);
        put(options, JRI_FROM_FILE, &found);
        put(options, JRI_FROM_ENVIRONMENT, &found);
    }

    jri_options_resolve(options, &settings);
    JRPC_OPTIONS(CHECK_FLAG, CHECK_SIZE, CHECK_TIME)
    jrpc_options_free(options);
    return 0;
}

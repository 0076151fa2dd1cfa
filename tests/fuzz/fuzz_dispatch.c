/* SPDX-License-Identifier: MIT */
/*
 * fuzz_dispatch.c - any bytes as a message: the text path against the value path
 *
 * Both must give the same answer, but for the list in features.h; every answer keeps the laws of
 * laws.h, whatever was sent. Done with two services: one as it is by default, one with all options
 * and small limits.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jrpc/service.h>

#include "features.h"
#include "laws.h"
#include "toy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What came out of one path. */
struct outcome {
    char *text;
    size_t len;
    size_t n_done, n_run;
};

static void require(bool condition, const char *what, const struct outcome *outcome)
{
    if (condition)
        return;
    fprintf(stderr, "broken: %s\n%s\n", what, outcome->text ? outcome->text : "");
    abort();
}

static void keep(int status, jrpc_response *response, void *user)
{
    struct outcome *outcome = user;
    const char *text = jrpc_response_text(response, &outcome->len);

    require(!status && text[outcome->len] == '\0', "done", outcome);
    outcome->text = malloc(outcome->len + 1);
    memcpy(outcome->text, text, outcome->len + 1);
    outcome->n_done++;
    require(jrpc_response_is_wanted(response) == (outcome->len != 0), "is_wanted", outcome);
}

static void ignore_line(const jrpc_log_record *record, void *user)
{
    (void)user;
    if (strlen(record->text) != record->len)
        abort();
}

static jrpc_service *new_service(bool has_options, struct toy *toy)
{
    static const char *const options[][2] = {
        {"debug", "yes"},
        {"convert_camel_case", "yes"},
        {"allow_unknown_members", "yes"},
        {"basic_logging", "yes"},
        {"trim_log_values", "yes"},
        {"args_max", "4"},
        {"method_max", "16"},
        {"depth_max", "6"},
        {"id_max", "200"},
    };
    jrpc_options *set = NULL;
    jrpc_service *service = NULL;
    jrpc_hooks hooks = JRPC_HOOKS_INIT;

    if (jrpc_options_new(&set))
        abort();
    for (size_t i = 0; has_options && i < sizeof(options) / sizeof(*options); i++)
        if (jrpc_options_set(set, options[i][0], options[i][1]))
            abort();
    hooks.logged = ignore_line;
    if (jrpc_service_new(set, &service) || toy_add(service, toy) ||
        jrpc_service_set_hooks(service, &hooks, NULL) || jrpc_service_remove(service, "fill"))
        abort(); /* fill takes as much memory as it is told to */
    jrpc_options_free(set);
    return service;
}

static void dispatch(jrpc_service *service, struct toy *toy, const char *text, size_t len,
                     const jrpc_codec *codec, struct outcome *outcome)
{
    jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;

    *outcome = (struct outcome){.text = NULL};
    toy->n_run = 0;
    options.codec = codec;
    options.done = keep;
    options.user = outcome;
    if (jrpc_dispatch_async(service, text, len, &options, NULL))
        abort();
    toy_release(toy);
    outcome->n_run = toy->n_run;
    require(outcome->n_done == 1, "done once", outcome);
    if (outcome->len) {
        const char *fault = answer_fault(outcome->text, outcome->len);
        require(!fault, fault ? fault : "", outcome);
    }
}

/* Where a message cannot be read, each reader has words of its own. */
static void drop_words(json_t *answer)
{
    json_t *error = json_object_get(answer, "error");
    size_t i;
    json_t *member;

    if (json_integer_value(json_object_get(error, "code")) == JRPC_PARSE_ERROR)
        json_object_del(error, "data");
    json_array_foreach(answer, i, member) {
        drop_words(member);
    }
}

static bool is_equal(const struct outcome *a, const struct outcome *b)
{
    json_t *left = json_loadb(a->text, a->len, JSON_ALLOW_NUL, NULL);
    json_t *right = json_loadb(b->text, b->len, JSON_ALLOW_NUL, NULL);

    drop_words(left);
    drop_words(right);
    bool is_same = a->len && b->len ? json_equal(left, right) : !a->len && !b->len;
    json_decref(left);
    json_decref(right);
    return is_same;
}

static void compare(jrpc_service *service, struct toy *toy, const char *text, size_t len)
{
    struct outcome as_text, as_value;

    dispatch(service, toy, text, len, NULL, &as_text);
    dispatch(service, toy, text, len, jrpc_codec_jansson(), &as_value);
    const char *fault = as_text.len ? id_fault(text, len, as_text.text, as_text.len) : NULL;
    require(!fault, fault ? fault : "", &as_text);
    if (!is_json(text, len) || !features_of(text, len)) {
        if (!is_equal(&as_text, &as_value))
            fprintf(stderr, "%.*s\n%s\n", (int)len, text, as_text.text);
        require(is_equal(&as_text, &as_value), "both paths answer alike", &as_value);
        require(as_text.n_run == as_value.n_run, "both paths run the same", &as_value);
    }
    free(as_text.text);
    free(as_value.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct toy toy;
    static jrpc_service *services[2];
    const char *text = size ? (const char *)data : "";

    for (int i = 0; i < 2; i++) {
        if (!services[i])
            services[i] = new_service(i, &toy);
        compare(services[i], &toy, text, size);
    }
    return 0;
}

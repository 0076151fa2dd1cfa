/* SPDX-License-Identifier: MIT */
/*
 * fuzz_signature.c - a declaration, and behind the first line end params for it
 *
 * Whatever is declared and sent: refusals say why, what is bound fits, and both ways in, as text
 * and as values, come to the same.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/bind.h"
#include "core/camel.h"
#include "core/json_write.h"
#include "request.h"

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not %s\n", __FILE__, __LINE__, #condition);                    \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t room)
{
    size_t len = strlen(text);

    CHECK(len > 0 && len < room);
    CHECK(jri_utf8_check(text, len) == len);
}

static void check_bound(const jri_signature *signature, const jri_request *request)
{
    CHECK(request->n_args >= signature->n_params);
    for (uint32_t i = 0; i < request->n_args; i++) {
        const jri_arg *arg = &request->args[i];
        const jri_param *param = i < signature->n_params ? &signature->params[i] : NULL;
        jri_types types = param               ? param->types
                          : request->is_named ? signature->fields_types
                                              : signature->rest_types;
        if (arg->value.type == JRPC_ABSENT) {
            CHECK(param && !param->is_required && !param->has_default && !arg->is_given);
            continue;
        }
        CHECK(jri_value_fits(&arg->value, types));
        if (arg->value.type == JRPC_STRING && types != JRI_TYPES_ANY)
            CHECK(arg->string && strlen(arg->string) == arg->string_len);
    }
}

/* Binds as text or as values: 0, or the refusal; -1 if there is no such request. */
static int bind_params(const jri_signature *signature, const char *params, bool as_values)
{
    char reason[JRI_REASON_MAX];
    struct sample sample;

    if (new_sample("m", params, as_values, &sample))
        return -1;
    int status = jri_bind(signature, sample.request, &sample.arena, 1, reason);
    CHECK(status == 0 || status == -EINVAL);
    if (status)
        check_text(reason, sizeof(reason));
    else
        check_bound(signature, sample.request);
    free_sample(&sample);
    return status;
}

static bool is_same_value(const jri_value *text, json_t *json)
{
    json_t *built = NULL;
    jri_reader reader;
    jri_value whole;

    jri_read_begin(&reader, text->text, text->len, JRI_SIGNATURE_DEPTH, UINT32_MAX);
    CHECK(!jri_read_value(&reader, &whole) && !jri_read_end(&reader));
    CHECK(whole.text == text->text && whole.len == text->len);
    CHECK(!jri_json_build(text->text, text->len, &built));
    bool is_same = json_equal(built, json);
    json_decref(built);
    return is_same;
}

/* Text keeps what values lose: the former of two members of one name, and what is wrong in it. */
static bool has_doubles(const char *params)
{
    json_t *root = json_loads(params, JSON_REJECT_DUPLICATES, /* error */ NULL);
    bool has_doubles = !root;

    json_decref(root);
    return has_doubles;
}

/* Converts as text and as values: the same verdict, the same values. */
static void convert_params(const char *params)
{
    char reason[JRI_REASON_MAX];
    struct sample text, values;

    if (new_sample("aMethod", params, false, &text))
        return;
    if (new_sample("aMethod", params, true, &values)) {
        free_sample(&text);
        return;
    }
    jri_request *a = text.request, *b = values.request;
    int status = jri_camel_request(a, &text.arena, 1, reason);
    if (status)
        check_text(reason, sizeof(reason));
    int status_of_values = jri_camel_request(b, &values.arena, 1, NULL);
    CHECK(status == status_of_values || (status == -EINVAL && has_doubles(params)));
    for (uint32_t i = 0; !status && a->n_args == b->n_args && i < a->n_args; i++) {
        CHECK(a->args[i].name_len == b->args[i].name_len);
        CHECK(!a->args[i].name_len ||
              !memcmp(a->args[i].name, b->args[i].name, a->args[i].name_len));
        CHECK(is_same_value(&a->args[i].value, b->args[i].value.json));
    }
    free_sample(&values);
    free_sample(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup(size ? (const char *)data : "", size), *params;
    jri_signature *signature = NULL;
    jrpc_problem problem;

    CHECK(text);
    params = strchr(text, '\n');
    if (params)
        *params++ = '\0';
    int status = jri_signature_parse(text, &signature, &problem);
    if (status) {
        CHECK(status == -EINVAL && problem.code == status);
        CHECK(problem.column >= 1 && (size_t)problem.column <= strlen(text) + 1);
        check_text(problem.text, sizeof(problem.text));
    } else {
        int as_text = bind_params(signature, params, false);
        int as_values = bind_params(signature, params, true);
        /* What text is taken for, values are too, if there are any: no name twice, no infinity. */
        CHECK(as_text != 0 || as_values == 0 || as_values == -1);
        convert_params(params);
    }
    jri_signature_free(signature);
    free(text);
    return 0;
}

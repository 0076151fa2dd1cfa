/* SPDX-License-Identifier: MIT */
/*
 * methods.c - the service that is measured, and messages for it
 */
#define _GNU_SOURCE
#include "methods.h"

#include <stdio.h>
#include <string.h>

#include "bench.h"

static int ping(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_string(call, "pong");
}

static int subtract(jrpc_call *call, void *user)
{
    int64_t difference;

    (void)user;
    if (jrpc_arg_type(call, 0) == JRPC_INTEGER && jrpc_arg_type(call, 1) == JRPC_INTEGER &&
        !__builtin_sub_overflow(jrpc_arg_integer(call, 0), jrpc_arg_integer(call, 1), &difference))
        return jrpc_reply_integer(call, difference);
    return jrpc_reply_number(call, jrpc_arg_number(call, 0) - jrpc_arg_number(call, 1));
}

static int echo(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_json(call, json_incref(jrpc_call_params(call)));
}

static int echo_json(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_json(call, json_incref(jrpc_arg_json(call, 0)));
}

static int echo_raw(jrpc_call *call, void *user)
{
    size_t len = 0;
    const char *text = jrpc_arg_raw(call, 0, &len);

    (void)user;
    return jrpc_reply_raw(call, text, len);
}

static const jrpc_method methods[] = {
    JRPC_METHOD("ping", ping, "-> string", "Answers \"pong\"."),
    JRPC_METHOD("subtract", subtract, "minuend: number, subtrahend: number -> number",
                "The difference."),
    JRPC_METHOD("echo", echo, NULL, "Its params."),
    JRPC_METHOD("echo_json", echo_json, "value: any -> any", "Its argument."),
    JRPC_METHOD("echo_raw", echo_raw, "value: any -> any", "Its argument."),
    JRPC_METHOD_END,
};

jrpc_service *methods_service_new(void)
{
    jrpc_service *service = NULL;

    if (jrpc_service_new(/* options */ NULL, &service) ||
        jrpc_service_add_table(service, methods, /* user */ NULL))
        bench_fail("no service: %s", service ? jrpc_service_problem(service)->text : "no memory");
    return service;
}

void methods_name(size_t i, char out[32])
{
    snprintf(out, 32, "method_%05zu", i);
}

jrpc_service *methods_service_of(size_t n)
{
    jrpc_service *service = NULL;
    jrpc_method method = methods[0];
    char name[32];

    if (jrpc_service_new(/* options */ NULL, &service))
        bench_fail("out of memory");
    method.name = name;
    for (size_t i = 0; i < n; i++) {
        methods_name(i, name);
        if (jrpc_service_add(service, &method, /* user */ NULL))
            bench_fail("%s", jrpc_service_problem(service)->text);
    }
    return service;
}

char *methods_message_echo(const char *method, size_t n, size_t *len)
{
    static const char *const names[] = {"Ada Lovelace", "Gr\303\274\303\237e", "C:\\\\temp\\n",
                                        "x"};
    bool is_wrapped = strcmp(method, "echo") != 0;
    char *text = NULL;
    FILE *out = open_memstream(&text, len);

    if (!out)
        bench_fail("out of memory");
    fprintf(out, "{\"jsonrpc\": \"2.0\", \"method\": \"%s\", \"params\": %s", method,
            is_wrapped ? "[[" : "[");
    for (size_t i = 0; i < n; i++)
        fprintf(out,
                "%s{\"id\": %zu, \"name\": \"%s\", \"price\": %zu.%02zu, \"active\": %s, "
                "\"tags\": [\"new\", \"blue\"], \"note\": null}",
                i ? ", " : "", 1000 + i, names[i % 4], i % 90, 5 + i % 90,
                i % 2 ? "true" : "false");
    fprintf(out, "%s, \"id\": 1}", is_wrapped ? "]]" : "]");
    if (fclose(out))
        bench_fail("out of memory");
    return text;
}

char *methods_message_batch(const char *request, size_t n, size_t *len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, len);

    if (!out)
        bench_fail("out of memory");
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s%s", i ? ", " : "[", request);
    fputc(']', out);
    if (fclose(out))
        bench_fail("out of memory");
    return text;
}

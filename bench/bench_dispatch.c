/* SPDX-License-Identifier: MIT */
/*
 * bench_dispatch.c - what one message costs: bytes in, bytes out, no transport
 *
 * Ours takes the ordinary path: jrpc_dispatch() with a response that is used again, default limits,
 * every check on. Before it is measured, each message's answer is compared with the naive
 * program's.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jrpc/jrpc.h>

#include "bench.h"
#include "methods.h"
#include "naive_jansson.h"
#ifdef BENCH_HAVE_CJSON
#include "naive_cjson.h"
#endif

#define MESSAGE(text) text, sizeof(text) - 1

/* One message to be answered again and again. */
typedef struct exchange {
    jrpc_service *service;
    const char *text;
    size_t len;
    const jrpc_dispatch_options *options;
    jrpc_response *response;
} exchange;

/* Messages taken in turn. */
typedef struct exchange_ring {
    exchange *items;
    size_t n_items, at;
} exchange_ring;

/* Where the naive programs write. */
static char naive_out[64 * 1024];

static jrpc_dispatch_options with_jansson = JRPC_DISPATCH_OPTIONS_INIT;

static void dispatch(exchange *it)
{
    if (jrpc_dispatch(it->service, it->text, it->len, it->options, &it->response))
        bench_fail("a dispatch failed");
}

static void run_jrpc(void *user, size_t n)
{
    while (n--)
        dispatch(user);
}

static void run_ring(void *user, size_t n)
{
    exchange_ring *ring = user;

    while (n--) {
        dispatch(&ring->items[ring->at]);
        ring->at = ring->at + 1 < ring->n_items ? ring->at + 1 : 0;
    }
}

static void run_jansson(void *user, size_t n)
{
    const exchange *it = user;

    while (n--)
        naive_jansson(it->text, it->len, naive_out, sizeof(naive_out));
}

#ifdef BENCH_HAVE_CJSON
static void run_cjson(void *user, size_t n)
{
    const exchange *it = user;

    while (n--)
        naive_cjson(it->text, it->len, naive_out, sizeof(naive_out));
}
#endif

/* The floor: the message moved once. */
static void run_memcpy(void *user, size_t n)
{
    const exchange *it = user;

    while (n--) {
        memcpy(naive_out, it->text, it->len);
        bench_keep(naive_out);
    }
}

static json_t *read_naive(size_t len)
{
    return json_loadb(naive_out, len, 0, /* error */ NULL);
}

/* A naive program that does not do the same work is no comparison. Steals @answer. */
static void check_same(exchange *ours, const char *rival, json_t *answer)
{
    const json_t *expected = jrpc_response_json(ours->response);

    if (!expected != !answer || (expected && !json_equal(expected, answer)))
        bench_fail("%.80s: %s answers %.*s and we %.400s", ours->text, rival, 400, naive_out,
                   jrpc_response_text(ours->response, /* len */ NULL));
    json_decref(answer);
}

static exchange make(jrpc_service *service, const char *text, size_t len)
{
    exchange it = {.service = service, .text = text, .len = len};

    dispatch(&it);
    check_same(&it, "jansson", read_naive(naive_jansson(text, len, naive_out, sizeof(naive_out))));
    return it;
}

/* The same by way of jansson's own reader and writer. */
static exchange make_with_jansson(const exchange *from)
{
    exchange it = *from;

    it.response = NULL;
    it.options = &with_jansson;
    dispatch(&it);
    return it;
}

/* Ours against a naive program, and for scale all else that can answer it. */
static void run_call(bench_session *session, jrpc_service *service, bench_row row, const char *text,
                     size_t len)
{
    if (!bench_wants(session, row.name))
        return;

    exchange ours = make(service, text, len);
    exchange by_codec = make_with_jansson(&ours);
    bench_side *side = row.sides;

    *side++ = (bench_side){"jrpc", run_jrpc, &ours, 1};
    *side++ = (bench_side){"jansson", run_jansson, &ours, 1};
#ifdef BENCH_HAVE_CJSON
    check_same(&ours, "cjson", read_naive(naive_cjson(text, len, naive_out, sizeof(naive_out))));
    *side++ = (bench_side){"cjson", run_cjson, &ours, 1};
#endif
    *side++ = (bench_side){"jrpc+jansson", run_jrpc, &by_codec, 1};
    *side++ = (bench_side){"memcpy", run_memcpy, &ours, 1};
    row.unit = "request";
    row.sense = BENCH_TIMES_FASTER;
    bench_run(session, &row);
    jrpc_response_free(ours.response);
    jrpc_response_free(by_codec.response);
}

static void run_calls(bench_session *session, jrpc_service *service)
{
    run_call(session, service,
             (bench_row){.name = "ping", .title = "no params", .target = 12, .goal = 20},
             MESSAGE(METHODS_PING));
    run_call(
        session, service,
        (bench_row){.name = "positional", .title = "subtract [42, 23]", .target = 12, .goal = 18},
        MESSAGE(METHODS_POSITIONAL));
    run_call(session, service,
             (bench_row){.name = "named", .title = "subtract by name", .target = 10, .goal = 16},
             MESSAGE(METHODS_NAMED));
}

/* What fails or is silent must not cost more than the ping it might have been. */
static void run_refusals(bench_session *session, jrpc_service *service)
{
    static const struct {
        const char *name, *title, *text;
    } cases[] = {
        {"unknown", "a method that is not there, against ping",
         "{\"jsonrpc\": \"2.0\", \"method\": \"pung\", \"id\": 1}"},
        {"invalid", "no JSON, against ping",
         "{\"jsonrpc\": \"2.0\", \"method\": \"ping, \"id\": 1}]"},
        {"notification", "ping without id, against ping",
         "{\"jsonrpc\": \"2.0\", \"method\": \"ping\"}"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (!bench_wants(session, cases[i].name))
            continue;
        exchange it = make(service, cases[i].text, strlen(cases[i].text));
        exchange success = make(service, MESSAGE(METHODS_PING));
        bench_row row = {
            .name = cases[i].name,
            .title = cases[i].title,
            .unit = "request",
            .sense = BENCH_OF_ITS_TIME,
            .target = 1,
            .sides = {{"jrpc", run_jrpc, &it, 1},
                      {"jrpc ping", run_jrpc, &success, 1},
                      {"jansson", run_jansson, &it, 1}},
        };
        bench_run(session, &row);
        jrpc_response_free(it.response);
        jrpc_response_free(success.response);
    }
}

static void run_echoes(bench_session *session, jrpc_service *service)
{
    static const struct {
        const char *name, *title, *method;
        double target, goal;
    } cases[] = {
        {"echo_params", "100 objects: jrpc_call_params(), jrpc_reply_json()", "echo", 2.2, 3.5},
        {"echo_json", "100 objects: jrpc_arg_json(), jrpc_reply_json()", "echo_json", 2.2, 3.5},
        {"echo_raw", "100 objects: jrpc_arg_raw(), jrpc_reply_raw()", "echo_raw", 25, 40},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        size_t len;
        char *text = methods_message_echo(cases[i].method, 100, &len);

        run_call(session, service,
                 (bench_row){.name = cases[i].name,
                             .title = cases[i].title,
                             .target = cases[i].target,
                             .goal = cases[i].goal},
                 text, len);
        free(text);
    }
}

static void run_batch(bench_session *session, jrpc_service *service, const char *name,
                      const char *title, const char *request)
{
    enum { MEMBERS = 100 };
    size_t len;

    if (!bench_wants(session, name))
        return;

    char *text = methods_message_batch(request, MEMBERS, &len);
    exchange batch = make(service, text, len);
    exchange single = make(service, request, strlen(request));
    bench_row row = {
        .name = name,
        .title = title,
        .unit = "member",
        .sense = BENCH_OF_ITS_TIME,
        .target = 1.05,
        .goal = 0.95,
        .sides = {{"jrpc", run_jrpc, &batch, MEMBERS},
                  {"jrpc single", run_jrpc, &single, 1},
                  {"jansson", run_jansson, &batch, MEMBERS}},
    };
    bench_run(session, &row);
    jrpc_response_free(batch.response);
    jrpc_response_free(single.response);
    free(text);
}

/* A ring of requests for every (n_methods / n_messages)th of a service's methods. */
static exchange_ring make_ring(jrpc_service *service, size_t n_methods, size_t n_messages)
{
    exchange_ring ring = {.n_items = n_messages};
    char name[32];

    ring.items = calloc(n_messages, sizeof(*ring.items));
    if (!ring.items)
        bench_fail("out of memory");
    for (size_t i = 0; i < n_messages; i++) {
        char *text;
        /* A prime stride, so that memory is not walked in the order in which it was laid out. */
        methods_name(i * 7919 % n_methods, name);
        int len = asprintf(&text, "{\"jsonrpc\": \"2.0\", \"method\": \"%s\", \"id\": 1}", name);
        if (len < 0)
            bench_fail("out of memory");
        ring.items[i] = (exchange){.service = service, .text = text, .len = (size_t)len};
        dispatch(&ring.items[i]);
        if (jrpc_response_code(ring.items[i].response, 0))
            bench_fail("%s was not found", name);
        /* One response for all. */
        if (i) {
            jrpc_response_free(ring.items[i].response);
            ring.items[i].response = ring.items[0].response;
        }
    }
    return ring;
}

static void free_ring(exchange_ring *ring)
{
    jrpc_response_free(ring->items[0].response);
    for (size_t i = 0; i < ring->n_items; i++)
        free((char *)(uintptr_t)ring->items[i].text);
    free(ring->items);
}

/* Few and many methods; first asking for ten of them, then for every one, where what is left to
 * see is the cache: ten methods get as many different messages. */
static void run_lookup(bench_session *session)
{
    enum { FEW = 10, MANY = 10000 };
    static const struct {
        const char *name, *title;
        size_t n_messages;
    } cases[] = {
        {"lookup", "ten of 10,000 methods, against ten of ten", FEW},
        {"lookup_all", "all of 10,000 methods in turn, against ten of ten", MANY},
    };

    if (!bench_wants(session, "lookup") && !bench_wants(session, "lookup_all"))
        return;
    jrpc_service *few = methods_service_of(FEW), *many = methods_service_of(MANY);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        exchange_ring in_many = make_ring(many, MANY, cases[i].n_messages);
        exchange_ring in_few = make_ring(few, FEW, cases[i].n_messages);
        bench_row row = {
            .name = cases[i].name,
            .title = cases[i].title,
            .unit = "request",
            .sense = BENCH_OF_ITS_TIME,
            .sides = {{"10,000 methods", run_ring, &in_many, 1},
                      {"10 methods", run_ring, &in_few, 1}},
        };
        bench_run(session, &row);
        free_ring(&in_many);
        free_ring(&in_few);
    }
    jrpc_service_free(few);
    jrpc_service_free(many);
}

/* Cost per byte and per member must not depend on how many there are: the most against the least,
 * and what is between. */
static void run_growth(bench_session *session, jrpc_service *service, bool is_batch)
{
    enum { STEPS = 4 };
    typedef struct step {
        const char *name;
        size_t n;
    } step;
    static const step objects[STEPS] = {
        {"1 MB", 10000}, {"1 kB", 10}, {"10 kB", 100}, {"100 kB", 1000}};
    static const step members[STEPS] = {{"1,000", 1000}, {"10", 10}, {"30", 30}, {"100", 100}};
    const step *steps = is_batch ? members : objects;
    bench_row row = {
        .name = is_batch ? "growth_batch" : "growth_size",
        .title = is_batch ? "batches of 10 to 1,000 pings" : "raw echo of 1 kB to 1 MB",
        .unit = is_batch ? "member" : "byte",
        .sense = BENCH_OF_ITS_TIME,
    };
    exchange items[STEPS];

    if (!bench_wants(session, row.name))
        return;
    for (size_t i = 0; i < STEPS; i++) {
        size_t len;
        char *text = is_batch ? methods_message_batch(METHODS_PING, steps[i].n, &len)
                              : methods_message_echo("echo_raw", steps[i].n, &len);
        items[i] = (exchange){.service = service, .text = text, .len = len};
        dispatch(&items[i]);
        if (jrpc_response_code(items[i].response, 0))
            bench_fail("%s: no result", steps[i].name);
        row.sides[i] =
            (bench_side){steps[i].name, run_jrpc, &items[i], is_batch ? steps[i].n : len};
    }
    bench_run(session, &row);
    for (size_t i = 0; i < STEPS; i++) {
        jrpc_response_free(items[i].response);
        free((char *)(uintptr_t)items[i].text);
    }
}

int main(int argc, char **argv)
{
    bench_session session = {.clock = BENCH_CPU};
    bench_begin(&session, argc, argv,
                "What one message costs between bytes in and bytes out, against naive programs.");

    jrpc_service *service = methods_service_new();
    with_jansson.codec = jrpc_codec_jansson();
    run_calls(&session, service);
    run_refusals(&session, service);
    run_echoes(&session, service);
    run_batch(&session, service, "batch_ping", "100 pings, against a single one", METHODS_PING);
    run_batch(&session, service, "batch_subtract", "100 positional subtracts, against a single one",
              METHODS_POSITIONAL);
    run_lookup(&session);
    run_growth(&session, service, /* is_batch */ false);
    run_growth(&session, service, /* is_batch */ true);
    jrpc_service_free(service);
    return bench_end(&session);
}

/* SPDX-License-Identifier: MIT */
/*
 * bench_zmq.c - what a server on ZeroMQ adds to ZeroMQ
 *
 * Ours is the ordinary one: a listener on zmq+tcp with default limits and every check on. Beside it
 * stand servers of bare libzmq that give back the frames they get. Each is a process; one client,
 * the same for all, compares every answer with what is due. For calls that follow each other all
 * share one processor, so that what is measured is work and not how a sleeping processor wakes; for
 * calls in flight the client has one of its own.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include <jrpc/jrpc.h>

#include "bench.h"
#include "methods.h"
#include "process.h"
#include "zmq_client.h"
#include "zmq_echo.h"

#define PING "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":" CLIENT_NUMBER "}"
#define PONG "{\"jsonrpc\":\"2.0\",\"result\":\"pong\",\"id\":" CLIENT_NUMBER "}"
#define OURS "zmq+tcp://127.0.0.1:0"

enum {
    SAMPLES_MAX = 1 << 20,
    WINDOWS = 10, /* as many times the calls in flight at once, so that mostly they are */
};

/* A server to be measured. */
typedef struct row_side {
    const char *name;
    void (*serve)(const void *user);
    const void *user;
    bool is_echo; /* it answers what it was asked */
} row_side;

/**
 * struct row_plan - a row and how it is measured
 * @row:        but for its sides
 * @sides:      the last has no name
 * @request, @answer: answers of echoes are the request
 * @n_clients:  sockets, each of them a peer
 * @in_flight:  of each client; 0: REQ sockets, one after the other
 */
typedef struct row_plan {
    bench_row row;
    row_side sides[BENCH_SIDES_MAX + 1];
    const char *request, *answer;
    size_t n_clients, in_flight;
} row_plan;

/* One side: a server and its clients. */
typedef struct talk {
    process server;
    client *clients;
    size_t n_clients, in_flight;
    uint64_t cpu_ns, n_calls; /* what the server took, for how many */
    double *samples;          /* of run_lockstep() */
    size_t n_samples;
} talk;

/*
 * Ours
 */

static void stop(void *server)
{
    jrpc_server_stop(server, NULL, NULL);
}

/* The address as libzmq wants it: without our scheme's prefix and options. */
static void tell(jrpc_server *server, const jrpc_listener *listener)
{
    char url[128];

    snprintf(url, sizeof(url), "%s", jrpc_listener_address(listener) + strlen("zmq+"));
    url[strcspn(url, "?")] = '\0';
    process_ready(url, stop, server);
}

static void serve(const void *url)
{
    jrpc_service *service = methods_service_new();
    jrpc_server *server = NULL;
    jrpc_listener *listener;

    if (jrpc_server_new(/* options */ NULL, /* loop */ NULL, &server) ||
        jrpc_server_listen(server, service, url, /* options */ NULL, &listener))
        bench_fail("%s: %s", (const char *)url,
                   server ? jrpc_server_problem(server)->text : "no server");
    tell(server, listener);
    if (jrpc_server_run(server))
        bench_fail("%s: it does not run", (const char *)url);
    jrpc_server_free(server);
    jrpc_service_free(service);
}

/*
 * Turns
 */

static void run_lockstep(void *user, size_t n)
{
    talk *it = user;
    uint64_t cpu_ns = process_cpu_ns(&it->server);

    it->n_calls += n;
    while (n--) {
        uint64_t begin = bench_wall_ns();
        client_send(it->clients);
        client_receive(it->clients);
        if (it->n_samples < SAMPLES_MAX)
            it->samples[it->n_samples++] = (double)(bench_wall_ns() - begin);
    }
    it->cpu_ns += process_cpu_ns(&it->server) - cpu_ns;
}

static void run_stream(void *user, size_t n)
{
    talk *it = user;
    uint64_t cpu_ns = process_cpu_ns(&it->server);

    n *= WINDOWS * it->in_flight;
    client_stream(it->clients, n, it->in_flight);
    it->n_calls += n;
    it->cpu_ns += process_cpu_ns(&it->server) - cpu_ns;
}

/* All clients send, then all receive. */
static void run_waves(void *user, size_t n)
{
    talk *it = user;
    uint64_t cpu_ns = process_cpu_ns(&it->server);

    for (size_t wave = 0; wave < n; wave++) {
        for (size_t i = 0; i < it->n_clients; i++)
            for (size_t j = 0; j < it->in_flight; j++)
                client_send(&it->clients[i]);
        for (size_t i = 0; i < it->n_clients; i++)
            for (size_t j = 0; j < it->in_flight; j++)
                client_receive(&it->clients[i]);
    }
    it->n_calls += n * it->n_clients * it->in_flight;
    it->cpu_ns += process_cpu_ns(&it->server) - cpu_ns;
}

/*
 * Rows
 */

static void *allocate(size_t n, size_t size)
{
    void *made = calloc(n, size);
    if (!made)
        bench_fail("out of memory");
    return made;
}

static void connect_clients(talk *it, const row_plan *plan, const row_side *side, void *context)
{
    it->n_clients = plan->n_clients;
    it->in_flight = plan->in_flight;
    it->clients = allocate(it->n_clients, sizeof(*it->clients));
    it->samples = plan->in_flight ? NULL : allocate(SAMPLES_MAX, sizeof(*it->samples));
    for (size_t i = 0; i < it->n_clients; i++) {
        client_open(&it->clients[i], context, plan->in_flight ? ZMQ_DEALER : ZMQ_REQ,
                    it->server.url);
        client_set_texts(&it->clients[i], plan->request,
                         side->is_echo ? plan->request : plan->answer);
        /* Whoever is connected late would be measured while it is. */
        client_send(&it->clients[i]);
        client_receive(&it->clients[i]);
    }
}

static void note(bench_session *session, const bench_row *row, const char *side, talk *it)
{
    if (!it->n_calls)
        return;
    if (it->samples) {
        bench_note(session, row, side, "ns, p50 of all",
                   bench_percentile(it->samples, it->n_samples, 0.5));
        bench_note(session, row, side, "ns, p99 of all",
                   bench_percentile(it->samples, it->n_samples, 0.99));
    }
    bench_note(session, row, side, "ns of the server's processor a call",
               (double)it->cpu_ns / (double)it->n_calls);
}

static void hang_up(talk *it)
{
    for (size_t i = 0; i < it->n_clients; i++)
        client_close(&it->clients[i]);
    free(it->clients);
    free(it->samples);
}

static void measure(bench_session *session, const row_plan *plan)
{
    talk talks[BENCH_SIDES_MAX] = {0};
    bench_row row = plan->row;
    size_t n_sides = 0;

    if (!bench_wants(session, row.name))
        return;
    for (const row_side *it = plan->sides; it->name; it++)
        process_spawn(&talks[n_sides++].server, it->name, process_server_cpu(), it->serve,
                      it->user);
    process_pin(plan->in_flight ? process_client_cpu() : process_server_cpu());
    void *context = zmq_ctx_new();
    for (size_t i = 0; i < n_sides; i++) {
        bench_side *side = &row.sides[i];
        connect_clients(&talks[i], plan, &plan->sides[i], context);
        *side = (bench_side){plan->sides[i].name, run_lockstep, &talks[i], 1};
        if (plan->n_clients > 1) {
            side->run = run_waves;
            side->units = plan->n_clients * plan->in_flight;
        } else if (plan->in_flight) {
            side->run = run_stream;
            side->units = WINDOWS * plan->in_flight;
        }
    }
    row.unit = "call";
    row.sense = plan->in_flight ? BENCH_TIMES_FASTER : BENCH_OF_ITS_TIME;
    row.has_rate = plan->in_flight;
    bench_run(session, &row);
    for (size_t i = 0; i < n_sides; i++) {
        note(session, &row, row.sides[i].name, &talks[i]);
        hang_up(&talks[i]);
    }
    zmq_ctx_term(context);
    for (size_t i = 0; i < n_sides; i++)
        process_end(&talks[i].server);
}

static void measure_lockstep(bench_session *session)
{
    const row_plan router = {
        .row = {.name = "lockstep",
                .title = "REQ, one call at a time, all on one processor",
                .target = 1.10,
                .goal = 1.05},
        .sides = {{"jrpc", serve, OURS, false},
                  {"REP echo", echo_rep, NULL, true},
                  {"ROUTER echo", echo_router, NULL, true},
                  {"ROUTER polled", echo_router_polled, NULL, true},
                  {"ROUTER+jansson", echo_router_jansson, NULL, false}},
        .request = PING,
        .answer = PONG,
        .n_clients = 1,
    };
    const row_plan rep = {
        .row = {.name = "lockstep_rep",
                .title = "the same, ours as a REP socket",
                .target = 1.10,
                .goal = 1.05},
        .sides = {{"jrpc", serve, OURS "?socket=rep", false}, {"REP echo", echo_rep, NULL, true}},
        .request = PING,
        .answer = PONG,
        .n_clients = 1,
    };

    measure(session, &router);
    measure(session, &rep);
}

static void measure_in_flight(bench_session *session)
{
    row_plan plan = {
        .row = {.name = "in_flight",
                .title = "DEALER, 1,000 calls in flight",
                .target = 0.50,
                .goal = 0.65},
        .sides = {{"jrpc", serve, OURS, false},
                  {"ROUTER echo", echo_router, NULL, true},
                  {"ROUTER polled", echo_router_polled, NULL, true},
                  {"ROUTER+jansson", echo_router_jansson, NULL, false}},
        .request = PING,
        .answer = PONG,
        .n_clients = 1,
        .in_flight = 1000,
    };

    measure(session, &plan);
    plan.row =
        (bench_row){.name = "peers", .title = "100 DEALERs, 10 calls each, then all answers"};
    plan.n_clients = 100;
    plan.in_flight = 10;
    measure(session, &plan);
}

/* 100 objects and back. The texts end as PING and PONG do. */
static void measure_echo(bench_session *session)
{
    const char *tail = ", \"id\": 1}";
    size_t len;
    char *text = methods_message_echo("echo_raw", 100, &len), *request, *answer;
    const char *value = strstr(text, "[[") + 1;

    text[len - strlen(tail)] = '\0'; /* behind the closing bracket of params */
    int value_len = (int)strlen(value) - 1;
    if (asprintf(&request, "%s,\"id\":" CLIENT_NUMBER "}", text) < 0 ||
        asprintf(&answer, "{\"jsonrpc\":\"2.0\",\"result\":%.*s,\"id\":" CLIENT_NUMBER "}",
                 value_len, value) < 0)
        bench_fail("out of memory");
    const row_plan plan = {
        .row = {.name = "echo", .title = "DEALER, 11 kB there and back, 100 in flight"},
        .sides = {{"jrpc", serve, OURS, false}, {"ROUTER echo", echo_router, NULL, true}},
        .request = request,
        .answer = answer,
        .n_clients = 1,
        .in_flight = 100,
    };
    measure(session, &plan);
    free(request);
    free(answer);
    free(text);
}

int main(int argc, char **argv)
{
    bench_session session = {.clock = BENCH_WALL, .turn_ns = 20000000};

    bench_begin(&session, argc, argv,
                "What a server on ZeroMQ adds to ZeroMQ, against echoes of bare libzmq.");
    measure_lockstep(&session);
    measure_in_flight(&session);
    measure_echo(&session);
    return bench_end(&session);
}

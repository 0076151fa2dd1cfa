/* SPDX-License-Identifier: MIT */
/*
 * web_row.c - rows of servers of HTTP or WebSocket, ours and others
 */
#include "web_row.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jrpc/jrpc.h>

#include "methods.h"
#include "web_client.h"

enum {
    SAMPLES_MAX = 1 << 20,
    CALLS_MIN = 1000, /* of a turn's stream; */
    WINDOWS = 2,      /* and so many times those in flight, for the last of them are ever fewer */
};

/* One side: a server and its clients. */
typedef struct talk {
    process server;
    web_crowd clients;
    uint64_t cpu_ns, n_calls; /* what the server took, for how many */
    double *samples;          /* of run_lockstep() */
    size_t n_samples;
} talk;

static void stop(void *server)
{
    jrpc_server_stop(server, NULL, NULL);
}

void web_serve(const void *url)
{
    jrpc_service *service = methods_service_new();
    jrpc_server *server = NULL;
    jrpc_listener *listener;

    if (jrpc_server_new(/* options */ NULL, /* loop */ NULL, &server) ||
        jrpc_server_listen(server, service, url, /* options */ NULL, &listener))
        bench_fail("%s: %s", (const char *)url,
                   server ? jrpc_server_problem(server)->text : "no server");
    process_ready(jrpc_listener_address(listener), stop, server);
    if (jrpc_server_run(server))
        bench_fail("%s: it does not run", (const char *)url);
    jrpc_server_free(server);
    jrpc_service_free(service);
}

int web_port(const process *server)
{
    const char *colon = strrchr(server->url, ':');

    return colon ? atoi(colon + 1) : 0;
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
        web_crowd_call(&it->clients);
        if (it->n_samples < SAMPLES_MAX)
            it->samples[it->n_samples++] = (double)(bench_wall_ns() - begin);
    }
    it->cpu_ns += process_cpu_ns(&it->server) - cpu_ns;
}

static size_t calls_of_stream(const web_crowd *clients)
{
    size_t n = WINDOWS * clients->n_clients * clients->in_flight;

    return n > CALLS_MIN ? n : CALLS_MIN;
}

static void run_stream(void *user, size_t n)
{
    talk *it = user;
    uint64_t cpu_ns = process_cpu_ns(&it->server);

    n *= calls_of_stream(&it->clients);
    web_crowd_stream(&it->clients, n);
    it->n_calls += n;
    it->cpu_ns += process_cpu_ns(&it->server) - cpu_ns;
}

/*
 * Rows
 */

/* Members may stand in any order and space between them, but the value is ours. */
static char *learn_answer(const web_plan *plan, const process *server)
{
    char *answer = web_learn(plan->is_post, web_port(server), WEB_PING);
    char *number = strstr(answer, WEB_NUMBER);

    memcpy(number, "1000", strlen(WEB_NUMBER));
    json_t *due = json_pack("{s:s, s:s, s:i}", "jsonrpc", "2.0", "result", "pong", "id", 1000);
    json_t *value = json_loads(answer, 0, NULL);
    if (!due || !json_equal(value, due))
        bench_fail("answered %s", answer);
    json_decref(due);
    json_decref(value);
    memcpy(number, WEB_NUMBER, strlen(WEB_NUMBER));
    return answer;
}

static void connect_clients(talk *it, const web_plan *plan, const web_side *side)
{
    it->clients = (web_crowd){.is_post = plan->is_post,
                              .port = web_port(&it->server),
                              .n_clients = plan->n_clients,
                              .in_flight = plan->in_flight};
    char *answer = side->is_echo ? NULL : learn_answer(plan, &it->server);
    web_crowd_open(&it->clients, WEB_PING, answer);
    free(answer);
    if (plan->in_flight)
        return;
    it->samples = calloc(SAMPLES_MAX, sizeof(*it->samples));
    if (!it->samples)
        bench_fail("out of memory");
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

void web_add_side(web_plan *plan, web_side side)
{
    size_t n = 0;

    while (plan->sides[n].name)
        n++;
    if (n == BENCH_SIDES_MAX)
        bench_fail("too many sides");
    plan->sides[n] = side;
}

void web_measure(bench_session *session, const web_plan *plan)
{
    talk talks[BENCH_SIDES_MAX] = {0};
    bench_row row = plan->row;
    size_t n_sides = 0;

    if (!bench_wants(session, row.name))
        return;
    for (const web_side *it = plan->sides; it->name; it++)
        process_spawn(&talks[n_sides++].server, it->name, process_server_cpu(), it->serve,
                      it->user);
    process_pin(plan->in_flight ? process_client_cpu() : process_server_cpu());
    for (size_t i = 0; i < n_sides; i++) {
        bench_side *side = &row.sides[i];
        connect_clients(&talks[i], plan, &plan->sides[i]);
        *side = (bench_side){plan->sides[i].name, run_lockstep, &talks[i], 1};
        if (plan->in_flight) {
            side->run = run_stream;
            side->units = calls_of_stream(&talks[i].clients);
        }
    }
    row.unit = "call";
    row.sense = BENCH_TIMES_FASTER;
    row.has_rate = true;
    bench_run(session, &row);
    for (size_t i = 0; i < n_sides; i++) {
        note(session, &row, row.sides[i].name, &talks[i]);
        web_crowd_close(&talks[i].clients);
        free(talks[i].samples);
        process_end(&talks[i].server);
    }
}

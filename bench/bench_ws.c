/* SPDX-License-Identifier: MIT */
/*
 * bench_ws.c - what a server on WebSocket adds to libwebsockets, or spares it
 *
 * Ours is the ordinary one: a listener on ws with default limits and every check on. Beside it
 * stand servers of bare libwebsockets that give back the messages they get, and npm's
 * rpc-websockets, if it is there. Each is a process; the
 * clients are bare sockets, the same for all. For calls that follow each other all share one
 * processor, so that what is measured is work and not how a sleeping processor wakes; for calls in
 * flight the clients have one of their own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench.h"
#include "web_client.h"
#include "web_echo.h"
#include "web_npm.h"
#include "web_row.h"

#define OURS "ws://127.0.0.1:0"

enum {
    N_IDLE = 1000,
    N_IDLE_MANY = 8000,
    N_IDLE_QUICK = 100,
    N_WARM = 10,     /* connections before the first look at memory */
    N_OWN_FILES = 64 /* descriptors for all else */
};

static const web_echo_plan echo = {0};
static const web_echo_plan echo_all = {.writes_at_once = true};
static const web_echo_plan echo_uv = {.is_uv = true};

static void measure_calls(bench_session *session)
{
    web_plan plan = {
        .row = {.name = "lockstep",
                .title = "one call at a time, all on one processor",
                .target = 0.95,
                .goal = 1.0},
        .sides = {{"jrpc", web_serve, OURS, false},
                  {"lws echo", web_echo, &echo, true},
                  {"lws on libuv", web_echo, &echo_uv, true}},
        .n_clients = 1,
    };

    if (web_npm_has("rpc-websockets"))
        web_add_side(&plan, (web_side){"npm rpc-ws", web_npm, "rpc-websockets", false});
    web_measure(session, &plan);
    web_add_side(&plan, (web_side){"lws, all at once", web_echo, &echo_all, true});
    plan.row = (bench_row){.name = "in_flight",
                           .title = "one connection, 256 calls in flight",
                           .target = 6,
                           .goal = 12};
    plan.in_flight = 256;
    web_measure(session, &plan);
    plan.row = (bench_row){.name = "peers", .title = "100 connections, one call in flight each"};
    plan.n_clients = 100;
    plan.in_flight = 1;
    web_measure(session, &plan);
    plan.row = (bench_row){.name = "peers_in_flight",
                           .title = "100 connections, 16 calls in flight each",
                           .target = 4,
                           .goal = 7};
    plan.in_flight = 16;
    web_measure(session, &plan);
}

/*
 * Memory
 */

/* The sum of /proc/PID/statm is cheaper, but not up to date. */
static double resident_bytes(const process *server)
{
    char path[64], line[256];
    double kilobytes = -1;

    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)server->pid);
    FILE *file = fopen(path, "r");
    while (file && kilobytes < 0 && fgets(line, sizeof(line), file))
        if (sscanf(line, "Rss: %lf kB", &kilobytes) != 1)
            kilobytes = -1;
    if (kilobytes < 0)
        bench_fail("%s does not tell", path);
    fclose(file);
    return kilobytes * 1024;
}

/* Of a connection that was called once and answered, as all of them are. */
static double idle_bytes(const web_side *side, size_t n)
{
    const char *answer = side->is_echo ? NULL : WEB_PONG;
    process server;

    process_spawn(&server, side->name, process_server_cpu(), side->serve, side->user);
    web_crowd warm = {.n_clients = N_WARM, .port = web_port(&server)};
    web_crowd_open(&warm, WEB_PING, answer);
    double before = resident_bytes(&server);
    web_crowd idle = {.n_clients = n, .port = web_port(&server)};
    web_crowd_open(&idle, WEB_PING, answer);
    double after = resident_bytes(&server);
    web_crowd_close(&idle);
    web_crowd_close(&warm);
    process_end(&server);
    return (after - before) / (double)n;
}

static bool has_files(size_t n)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return false;
    limit.rlim_cur = limit.rlim_max; /* servers get it, too */
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur >= n + N_WARM + N_OWN_FILES;
}

static void measure_idle(bench_session *session, const char *name, size_t n)
{
    static const web_side sides[] = {{"jrpc", web_serve, OURS, false},
                                     {"lws echo", web_echo, &echo, true},
                                     {"lws on libuv", web_echo, &echo_uv, true}};
    enum { N_SIDES = sizeof(sides) / sizeof(*sides) };
    json_t *figures;
    double first = 0;

    if (session->count || !bench_wants(session, name))
        return;
    if (!has_files(n))
        bench_fail("%s needs more descriptors: ulimit -n %zu", name, n + N_WARM + N_OWN_FILES);
    if (session->is_quick)
        n = N_IDLE_QUICK;
    session->n_rows++;
    figures = json_pack("{s:s, s:i}", "unit", "bytes per connection", "connections", (int)n);
    if (!session->is_json)
        printf("\n%s: memory of one of %zu idle connections; bytes\n", name, n);
    for (size_t i = 0; i < N_SIDES; i++) {
        double bytes = idle_bytes(&sides[i], n);
        if (!i)
            first = bytes;
        json_object_set_new(figures, sides[i].name, json_real(bytes));
        if (session->is_json)
            continue;
        printf("  %-16s %10.0f", sides[i].name, bytes);
        if (i)
            printf("  ours takes %+.0f%s", first - bytes,
                   i > 1 ? "" : "  target <= +1024, goal <= +512");
        printf("\n");
        fflush(stdout);
    }
    json_object_set_new(session->rows, name, figures);
}

int main(int argc, char **argv)
{
    bench_session session = {.clock = BENCH_WALL, .turn_ns = 20000000};

    bench_begin(&session, argc, argv,
                "What a server on WebSocket adds to libwebsockets, or spares it, against echoes"
                " of the bare library.");
    measure_calls(&session);
    measure_idle(&session, "idle", N_IDLE);
    if (!session.is_quick)
        measure_idle(&session, "idle_many", N_IDLE_MANY);
    return bench_end(&session);
}

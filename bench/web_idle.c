/* SPDX-License-Identifier: MIT */
/*
 * web_idle.c - rows about WebSocket connections that do nothing: what they cost
 */
#include "web_idle.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>

#include "web_client.h"
#include "web_echo.h"
#include "web_row.h"

#define OURS "ws://127.0.0.1:0"
#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

enum {
    N_IDLE_QUICK = 100,
    N_WARM = 10,      /* connections before the first look at memory */
    N_OWN_FILES = 64, /* descriptors for all else */
    KEEPER_MS = 100,
    SAMPLES_MAX = 1 << 20
};

static const web_echo_plan echo = {0};
static const web_echo_plan echo_uv = {.is_uv = true};

static const web_side sides[] = {{"jrpc", web_serve, OURS, false},
                                 {"lws echo", web_echo, &echo, true},
                                 {"lws on libuv", web_echo, &echo_uv, true}};

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

void web_measure_idle(bench_session *session, const char *name, size_t n)
{
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
    for (size_t i = 0; i < LENGTH(sides); i++) {
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

/*
 * Time of others
 */

/* One side: a server, whoever is busy and whoever is not. */
typedef struct beside {
    process server;
    web_crowd busy, idle;
    pthread_t keeper; /* answers pings to those that are idle */
    atomic_bool is_over;
    double idle_bytes; /* of the server, for each of those */
    uint64_t cpu_ns, n_calls;
} beside;

static void *keep(void *user)
{
    beside *it = user;

    while (!atomic_load(&it->is_over))
        web_crowd_answer_pings(&it->idle, KEEPER_MS);
    return NULL;
}

static void open_idle(beside *it, const web_side *side, size_t n_idle)
{
    double before = resident_bytes(&it->server);
    it->idle = (web_crowd){.port = web_port(&it->server), .n_clients = n_idle};
    web_crowd_open(&it->idle, WEB_PING, side->is_echo ? NULL : WEB_PONG);
    if (!n_idle)
        return;
    it->idle_bytes = (resident_bytes(&it->server) - before) / (double)n_idle;
    if (pthread_create(&it->keeper, /* attributes */ NULL, keep, it))
        bench_fail("a crowd has no thread");
}

static void open_busy(beside *it, const web_side *side, size_t n_busy)
{
    it->busy = (web_crowd){.port = web_port(&it->server), .n_clients = n_busy, .in_flight = 1};
    web_crowd_open(&it->busy, WEB_PING, side->is_echo ? NULL : WEB_PONG);
    web_crowd_time(&it->busy, SAMPLES_MAX);
}

static void close_beside(beside *it)
{
    atomic_store(&it->is_over, true);
    if (it->idle.n_clients)
        pthread_join(it->keeper, NULL);
    web_crowd_close(&it->idle);
    web_crowd_close(&it->busy);
    process_end(&it->server);
}

/* So many calls by each that is busy. */
static void run_busy(void *user, size_t n)
{
    beside *it = user;
    uint64_t cpu_ns = process_cpu_ns(&it->server);

    n *= it->busy.n_clients;
    web_crowd_stream(&it->busy, n);
    it->cpu_ns += process_cpu_ns(&it->server) - cpu_ns;
    it->n_calls += n;
}

static void note_beside(bench_session *session, const bench_row *row, const char *side, beside *it)
{
    bench_note(session, row, side, "ns, p50 of all",
               bench_percentile(it->busy.samples, it->busy.n_samples, 0.5));
    bench_note(session, row, side, "ns, p99 of all",
               bench_percentile(it->busy.samples, it->busy.n_samples, 0.99));
    bench_note(session, row, side, "ns of the server's processor a call",
               (double)it->cpu_ns / (double)it->n_calls);
    if (it->idle.n_clients)
        bench_note(session, row, side, "bytes of the server for each that is idle", it->idle_bytes);
}

/* Only one kind of server at a time: what another does for its idle connections would disturb. */
static void measure_pair(bench_session *session, const char *name, const web_side *side,
                         size_t n_busy, size_t n_idle)
{
    static const char *const names[] = {"with idle", "without"};
    beside all[LENGTH(names)] = {0};
    bench_row row = {.name = name,
                     .title = side->is_echo ? "lws echo: busy connections, with idle ones beside"
                                            : "busy connections, with idle ones beside",
                     .unit = "call",
                     .sense = BENCH_TIMES_FASTER,
                     .target = side->is_echo ? 0 : 0.9,
                     .has_rate = true};

    if (!bench_wants(session, name))
        return;
    for (size_t i = 0; i < LENGTH(names); i++)
        process_spawn(&all[i].server, names[i], process_server_cpu(), side->serve, side->user);
    process_pin(process_client_cpu());
    for (size_t i = 0; i < LENGTH(names); i++)
        open_idle(&all[i], side, i ? 0 : n_idle);
    for (size_t i = 0; i < LENGTH(names); i++) {
        open_busy(&all[i], side, n_busy);
        row.sides[i] = (bench_side){names[i], run_busy, &all[i], n_busy};
    }
    bench_run(session, &row);
    for (size_t i = 0; i < LENGTH(names); i++) {
        if (all[i].n_calls)
            note_beside(session, &row, names[i], &all[i]);
        close_beside(&all[i]);
    }
}

void web_measure_beside(bench_session *session, size_t n_busy, size_t n_idle)
{
    static const char *const names[] = {"busy_beside_idle", "lws_beside_idle"};

    if (!bench_wants(session, names[0]) && !bench_wants(session, names[1]))
        return;
    if (session->is_quick)
        n_idle = N_IDLE_QUICK;
    if (!has_files(2 * n_busy + n_idle))
        bench_fail("%s needs more descriptors: ulimit -n %zu", names[0],
                   2 * n_busy + n_idle + N_WARM + N_OWN_FILES);
    for (size_t i = 0; i < LENGTH(names); i++)
        measure_pair(session, names[i], &sides[i], n_busy, n_idle);
}

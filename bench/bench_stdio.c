/* SPDX-License-Identifier: MIT */
/*
 * bench_stdio.c - what a server on standard input and output adds to the pipes
 *
 * Ours is a child process that serves stdio: with default limits and every check on. Beside it
 * stand children that only give back what they get: the block echo (64 KiB read, 64 KiB written)
 * and cat. All answers are compared with what is due, byte by byte.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jrpc/jrpc.h>

#include "bench.h"
#include "methods.h"
#include "pipe.h"
#include "process.h"

/* 43 bytes, and 44 with the end of the line. */
#define ASK(method) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"id\":" PIPE_NUMBER "}"
#define PONG "{\"jsonrpc\":\"2.0\",\"result\":\"pong\",\"id\":" PIPE_NUMBER "}"
#define LINE(text) text "\n"
#define HEADER(text) "Content-Length: 43\r\n\r\n" text

enum { BLOCK = PIPE_CHUNK / 44, WAVE = PIPE_WAVE_MAX };

/* One side: a child, what it is sent, what it answers. */
typedef struct talk {
    pipe_child child;
    const pipe_text *messages, *answers;
    double *samples; /* of run_lockstep() */
    size_t n_samples;
} talk;

/*
 * The children
 */

static void answer_later(jrpc_server *server, void *user)
{
    (void)server;
    jrpc_reply_string(user, "pong");
    jrpc_call_free(user);
}

static int later(jrpc_call *call, void *user)
{
    jrpc_server **server = user;
    jrpc_call *held;

    int status = jrpc_call_defer(call, &held);
    return status ? status : jrpc_server_post(*server, answer_later, held);
}

static int block(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_string(call, "pong");
}

static const jrpc_method slow_methods[] = {
    JRPC_METHOD("late", later, "-> string", "Answers in the loop's next turn."),
    {.name = "work",
     .handler = block,
     .signature = "-> string",
     .summary = "Answers from a worker.",
     .flags = JRPC_BLOCKING},
    JRPC_METHOD_END,
};

static void serve(const void *url)
{
    jrpc_service *service = methods_service_new();
    jrpc_server *server = NULL;

    if (jrpc_service_add_table(service, slow_methods, &server))
        bench_fail("%s", jrpc_service_problem(service)->text);
    if (jrpc_server_new(/* options */ NULL, /* loop */ NULL, &server) ||
        jrpc_server_listen(server, service, url, /* options */ NULL, /* out */ NULL) ||
        jrpc_server_run(server))
        bench_fail("%s: %s", (const char *)url,
                   server ? jrpc_server_problem(server)->text : "no server");
    jrpc_server_free(server);
    jrpc_service_free(service);
}

static void echo_blocks(const void *user)
{
    static char block[PIPE_CHUNK];
    ssize_t n_in, n_out;

    (void)user;
    while ((n_in = read(STDIN_FILENO, block, sizeof(block))) > 0)
        for (char *at = block; n_in; at += n_out, n_in -= n_out) {
            n_out = write(STDOUT_FILENO, at, (size_t)n_in);
            if (n_out <= 0)
                _exit(1);
        }
}

static void run_cat(const void *user)
{
    (void)user;
    execlp("cat", "cat", (char *)NULL);
    _exit(127);
}

/*
 * Streams
 */

static void run_stream(void *user, size_t n)
{
    talk *it = user;

    pipe_exchange(&it->child, it->messages, it->answers, n * BLOCK);
}

static void run_waves(void *user, size_t n)
{
    talk *it = user;

    while (n--)
        pipe_wave(&it->child, it->messages, it->answers, WAVE);
}

static void measure_stream(bench_session *session, bench_row row, const char *message,
                           const char *answer, bool is_ordered)
{
    void (*run)(void *, size_t) = is_ordered ? run_stream : run_waves;
    size_t units = is_ordered ? BLOCK : WAVE;

    if (!bench_wants(session, row.name))
        return;

    pipe_text messages = pipe_text_new(message), answers = pipe_text_new(answer);
    talk ours = {.messages = &messages, .answers = &answers};
    talk echo = {.messages = &messages, .answers = &messages}, cat = echo;
    pipe_spawn(&ours.child, /* is_blocking */ false, serve, "stdio:");
    pipe_spawn(&echo.child, /* is_blocking */ false, echo_blocks, NULL);
    pipe_spawn(&cat.child, /* is_blocking */ false, run_cat, NULL);
    row.unit = "call";
    row.sense = BENCH_TIMES_FASTER;
    row.has_rate = true;
    row.sides[0] = (bench_side){"jrpc", run, &ours, units};
    row.sides[1] = (bench_side){"block echo", run, &echo, units};
    row.sides[2] = (bench_side){"cat", run, &cat, units};
    bench_run(session, &row);
    pipe_end(&ours.child);
    pipe_end(&echo.child);
    pipe_end(&cat.child);
    free(messages.text);
    free(answers.text);
}

/*
 * One at a time
 */

enum { SAMPLES_MAX = 1 << 20 };

static void run_lockstep(void *user, size_t n)
{
    talk *it = user;

    while (n--) {
        uint64_t begin = bench_wall_ns();
        pipe_ask(&it->child, it->messages, it->answers);
        if (it->n_samples < SAMPLES_MAX)
            it->samples[it->n_samples++] = (double)(bench_wall_ns() - begin);
    }
}

static void note_latency(bench_session *session, const bench_row *row, const char *side, talk *it)
{
    bench_note(session, row, side, "ns, p50 of all",
               bench_percentile(it->samples, it->n_samples, 0.5));
    bench_note(session, row, side, "ns, p99 of all",
               bench_percentile(it->samples, it->n_samples, 0.99));
}

static void measure_lockstep(bench_session *session)
{
    bench_row row = {
        .name = "lockstep",
        .title = "one line at a time, all on one processor",
        .unit = "call",
        .sense = BENCH_OF_ITS_TIME,
    };

    if (!bench_wants(session, row.name))
        return;

    pipe_text messages = pipe_text_new(LINE(ASK("ping"))), answers = pipe_text_new(LINE(PONG));
    talk ours = {.messages = &messages, .answers = &answers};
    talk echo = {.messages = &messages, .answers = &messages};
    ours.samples = calloc(SAMPLES_MAX, sizeof(*ours.samples));
    echo.samples = calloc(SAMPLES_MAX, sizeof(*echo.samples));
    if (!ours.samples || !echo.samples)
        bench_fail("out of memory");
    process_pin(process_server_cpu()); /* else it is the waking of a processor that is measured */
    pipe_spawn(&ours.child, /* is_blocking */ true, serve, "stdio:");
    pipe_spawn(&echo.child, /* is_blocking */ true, echo_blocks, NULL);
    row.sides[0] = (bench_side){"jrpc", run_lockstep, &ours, 1};
    row.sides[1] = (bench_side){"block echo", run_lockstep, &echo, 1};
    bench_run(session, &row);
    note_latency(session, &row, "jrpc", &ours);
    note_latency(session, &row, "block echo", &echo);
    process_unpin();
    pipe_end(&ours.child);
    pipe_end(&echo.child);
    free(ours.samples);
    free(echo.samples);
    free(messages.text);
    free(answers.text);
}

/*
 * Start-up
 */

typedef struct program {
    char path[PATH_MAX];
    const char *argument; /* one */
    double *ms;
    size_t n_ms;
} program;

enum { STARTS_MAX = 4096 };

/* From before the program is loaded to the line that says that it listens. */
static void start(program *it)
{
    char *argv[] = {it->path, (char *)(uintptr_t)it->argument, NULL}, line[256];
    posix_spawn_file_actions_t actions;
    int in[2], err[2], status;
    pid_t pid;

    if (pipe2(in, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
        bench_fail("pipe: %s", strerror(errno));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);

    uint64_t begin = bench_wall_ns();
    if (posix_spawn(&pid, it->path, &actions, /* attributes */ NULL, argv, environ))
        bench_fail("%s cannot be started", it->path);
    close(err[1]);
    ssize_t n = read(err[0], line, sizeof(line));
    uint64_t end = bench_wall_ns();

    if (n <= 0 || !memmem(line, (size_t)n, "listening on ", strlen("listening on ")))
        bench_fail("%s said '%.*s'", it->path, (int)(n > 0 ? n : 0), line);
    if (it->n_ms < STARTS_MAX)
        it->ms[it->n_ms++] = (double)(end - begin) / 1e6;
    close(in[0]);
    close(in[1]);
    if (waitpid(pid, &status, 0) < 0 || status)
        bench_fail("%s ended with status 0x%x", it->path, status);
    close(err[0]);
    posix_spawn_file_actions_destroy(&actions);
    bench_exclude(bench_wall_ns() - end);
}

static void run_starts(void *user, size_t n)
{
    while (n--)
        start(user);
}

static void prepare_program(program *it, const char *argument)
{
    it->argument = argument;
    it->ms = calloc(STARTS_MAX, sizeof(*it->ms));
    if (!it->ms || readlink("/proc/self/exe", it->path, sizeof(it->path) - 1) < 0)
        bench_fail("no start-up can be measured");
}

/* The demo program, if it was built beside the benchmarks. */
static bool find_demo(program *it)
{
    char *slash = strrchr(it->path, '/');
    size_t left = sizeof(it->path) - (size_t)(slash - it->path);

    snprintf(slash, left, "/../examples/demo");
    return access(it->path, X_OK) == 0;
}

static void measure_startup(bench_session *session)
{
    static program programs[3];
    bench_row row = {
        .name = "startup",
        .title = "from exec to \"listening\"; target 25 ms, goal 10 ms",
        .unit = "start",
        .sense = BENCH_OF_ITS_TIME,
        .sides = {{"jrpc", run_starts, &programs[0], 1},
                  {"exec only", run_starts, &programs[1], 1}},
    };

    if (!bench_wants(session, row.name))
        return;

    prepare_program(&programs[0], "--serve");
    prepare_program(&programs[1], "--say");
    prepare_program(&programs[2], "--stdio");
    if (find_demo(&programs[2]))
        row.sides[2] = (bench_side){"demo", run_starts, &programs[2], 1};
    bench_run(session, &row);
    for (size_t i = 0; row.sides[i].name; i++)
        bench_note(session, &row, row.sides[i].name, "ms, p99 of all",
                   bench_percentile(programs[i].ms, programs[i].n_ms, 0.99));
    for (size_t i = 0; i < 3; i++)
        free(programs[i].ms);
}

/* The program as the one that is started. */
static void be_started(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--serve")) {
        jrpc_service *service = methods_service_new();
        int status = jrpc_serve(service, "stdio:");
        jrpc_service_free(service);
        exit(status != 0);
    }
    if (argc == 2 && !strcmp(argv[1], "--say")) {
        fputs("listening on nothing\n", stderr);
        exit(0);
    }
}

int main(int argc, char **argv)
{
    bench_session session = {.clock = BENCH_WALL, .turn_ns = 20000000};

    be_started(argc, argv);
    bench_begin(&session, argc, argv,
                "What a server on standard input and output makes of a pipe, against an echo.");
    measure_stream(&session,
                   (bench_row){.name = "lines",
                               .title = "ping, 44 bytes a line, written 64 KiB at once",
                               .target = 0.15,
                               .goal = 0.28},
                   LINE(ASK("ping")), LINE(PONG), /* is_ordered */ true);
    measure_stream(&session,
                   (bench_row){.name = "header", .title = "ping behind Content-Length: 43"},
                   HEADER(ASK("ping")), HEADER(PONG), /* is_ordered */ true);
    measure_lockstep(&session);
    measure_stream(&session,
                   (bench_row){.name = "waves", .title = "ping, 1,000 calls, then their answers"},
                   LINE(ASK("ping")), LINE(PONG), /* is_ordered */ false);
    measure_stream(&session,
                   (bench_row){.name = "deferred", .title = "1,000 calls answered by a post each"},
                   LINE(ASK("late")), LINE(PONG), /* is_ordered */ false);
    measure_stream(&session,
                   (bench_row){.name = "blocking", .title = "1,000 calls answered by workers"},
                   LINE(ASK("work")), LINE(PONG), /* is_ordered */ false);
    measure_startup(&session);
    return bench_end(&session);
}

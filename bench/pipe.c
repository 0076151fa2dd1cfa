/* SPDX-License-Identifier: MIT */
/*
 * pipe.c - a child process between two pipes, and what is said through them
 */
#define _GNU_SOURCE
#include "pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum { N_ITEMS = 4096, FIRST_NUMBER = 1000 };

void pipe_spawn(pipe_child *child, bool is_blocking, void (*run)(const void *user),
                const void *user)
{
    int in[2], out[2];

    fflush(NULL);
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
        bench_fail("pipe: %s", strerror(errno));
    child->pid = fork();
    if (child->pid < 0)
        bench_fail("fork: %s", strerror(errno));
    if (!child->pid) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        /* Other children's pipes, too, which would not end otherwise. */
        close_range(STDERR_FILENO + 1, ~0u, 0);
        run(user);
        _exit(0);
    }
    close(in[0]);
    close(out[1]);
    child->to = in[1];
    child->from = out[0];
    if (!is_blocking) {
        fcntl(child->to, F_SETFL, O_NONBLOCK);
        fcntl(child->from, F_SETFL, O_NONBLOCK);
    }
}

void pipe_end(pipe_child *child)
{
    int status;

    close(child->to);
    if (waitpid(child->pid, &status, 0) < 0 || status)
        bench_fail("a child ended with status 0x%x", status);
    close(child->from);
}

pipe_text pipe_text_new(const char *item)
{
    pipe_text made = {.item_len = strlen(item)};
    const char *number = strstr(item, PIPE_NUMBER);

    made.len = made.item_len * N_ITEMS;
    made.text = malloc(made.len + PIPE_CHUNK);
    if (!made.text || !number)
        bench_fail("no messages '%s'", item);
    for (unsigned i = 0; i < N_ITEMS; i++) {
        char *to = made.text + i * made.item_len, digits[16];
        snprintf(digits, sizeof(digits), "%u", FIRST_NUMBER + i);
        memcpy(to, item, made.item_len);
        memcpy(to + (number - item), digits, strlen(PIPE_NUMBER));
    }
    memcpy(made.text + made.len, made.text, PIPE_CHUNK);
    return made;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Bytes moved; 0: not now. */
static size_t check(ssize_t n, const char *what)
{
    if (n < 0 && errno == EAGAIN)
        return 0;
    if (n <= 0)
        bench_fail("%s: %s", what, n ? strerror(errno) : "unexpected end");
    return (size_t)n;
}

static void compare(const char *got, const char *expected, size_t len)
{
    if (memcmp(got, expected, len) != 0)
        bench_fail("answered %.*s instead of %.*s", (int)smaller(len, 100), got,
                   (int)smaller(len, 100), expected);
}

/* Writes n messages while it reads their answers: they are compared, or kept if there is room. */
static void pump(const pipe_child *child, const pipe_text *messages, const pipe_text *answers,
                 size_t n, char *kept)
{
    static char buffer[PIPE_CHUNK];
    size_t to_send = n * messages->item_len, to_come = n * answers->item_len;
    size_t sent = 0, come = 0;

    while (come < to_come) {
        size_t n_out = 0, n_in;
        if (sent < to_send)
            n_out = check(write(child->to, messages->text + sent % messages->len,
                                smaller(PIPE_CHUNK, to_send - sent)),
                          "writing to a child");
        char *to = kept ? kept + come : buffer;
        n_in = check(read(child->from, to, smaller(PIPE_CHUNK, to_come - come)),
                     "reading from a child");
        if (n_in && !kept)
            compare(to, answers->text + come % answers->len, n_in);
        sent += n_out;
        come += n_in;
        struct pollfd fds[] = {{.fd = child->from, .events = POLLIN},
                               {.fd = sent < to_send ? child->to : -1, .events = POLLOUT}};
        if (!n_out && !n_in && poll(fds, 2, -1) < 0)
            bench_fail("poll: %s", strerror(errno));
    }
}

void pipe_exchange(const pipe_child *child, const pipe_text *messages, const pipe_text *answers,
                   size_t n)
{
    pump(child, messages, answers, n, /* kept */ NULL);
}

static int compare_items(const void *a, const void *b, void *len)
{
    return memcmp(a, b, *(const size_t *)len);
}

void pipe_wave(const pipe_child *child, const pipe_text *messages, const pipe_text *answers,
               size_t n)
{
    static char kept[PIPE_WAVE_MAX * 128];
    size_t len = answers->item_len;

    if (n * len > sizeof(kept))
        bench_fail("a wave of %zu answers is too much", n);
    pump(child, messages, answers, n, kept);

    uint64_t begin = bench_wall_ns();
    qsort_r(kept, n, len, compare_items, &len);
    compare(kept, answers->text, n * len);
    bench_exclude(bench_wall_ns() - begin);
}

void pipe_ask(const pipe_child *child, const pipe_text *messages, const pipe_text *answers)
{
    char buffer[256];
    size_t come = 0;

    if (write(child->to, messages->text, messages->item_len) != (ssize_t)messages->item_len)
        bench_fail("writing to a child: %s", strerror(errno));
    while (come < answers->item_len)
        come +=
            check(read(child->from, buffer + come, sizeof(buffer) - come), "reading from a child");
    compare(buffer, answers->text, come);
}

/* SPDX-License-Identifier: MIT */
/*
 * stdio.c - stdio: and fd:IN,OUT: one peer on two descriptors
 *
 * The guard: while stdio: listens, descriptor 0 is /dev/null and 1 is standard error, so that a
 * printf() in a handler cannot get among the answers; the real ones are kept under other numbers,
 * closed in children, and put back at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builtin.h"
#include "duplex.h"

/* A stdio: listens. Descriptors 0 and 1 are the process's, whatever servers there are: a second one
 * would find what the guard of the first has put there, and the real ones would be mixed up. */
static atomic_bool is_stdio_taken;

typedef struct stdio_listener {
    jrpc_listener *owner;
    uv_loop_t *loop;
    char *chunk;           /* for reading */
    int in, out;           /* ours, not to be inherited; -1: none */
    int real_in, real_out; /* as given, or saved by the guard; -1: none */
    bool is_stdio, has_taken, wants_guard, has_guard;
    int in_flags, out_flags; /* of files shared with others, as they were; -1: ours alone */
    bool *is_gone;           /* told when the listener is released; may be NULL */
    int mode;                /* jri_framing_mode */
} stdio_listener;

typedef struct stdio_peer {
    jri_duplex duplex; /* first */
    stdio_listener *listener;
} stdio_peer;

/* Takes a descriptor's number from the text: digits, and nothing that an int cannot hold. */
static bool parse_fd(const char **at, int *out)
{
    const char *digits = *at;
    int64_t fd = 0;

    for (; **at >= '0' && **at <= '9' && fd <= INT_MAX; ++*at)
        fd = fd * 10 + (**at - '0');
    *out = (int)fd;
    return *at > digits && fd <= INT_MAX;
}

static int parse_fds(const jrpc_url *url, stdio_listener *listener, jrpc_problem *problem)
{
    const char *at = url->rest;

    if (listener->is_stdio && !*url->rest)
        return 0;
    if (listener->is_stdio)
        return jrpc_url_fault(url, /* column */ 7, problem, "stdio: takes options only");
    if (!parse_fd(&at, &listener->real_in) || *at++ != ',' || !parse_fd(&at, &listener->real_out) ||
        *at)
        return jrpc_url_fault(url, /* column */ 4, problem,
                              "expected two descriptors, as in fd:3,4");
    return 0;
}

static int open_listener(void *state, const jrpc_url *url, struct uv_loop_s *loop,
                         jrpc_listener *owner, jrpc_problem *problem)
{
    static const char *const known[] = {"framing", "guard", NULL};
    stdio_listener *listener = state;

    *listener = (stdio_listener){.owner = owner, .loop = loop, .in = -1, .out = -1};
    listener->in_flags = listener->out_flags = -1;
    listener->real_in = STDIN_FILENO;
    listener->real_out = STDOUT_FILENO;
    listener->is_stdio = !strcmp(url->scheme, "stdio");
    listener->wants_guard = listener->is_stdio;
    int status = parse_fds(url, listener, problem);
    if (!status)
        status = jrpc_url_choice(url, "framing", "auto|line|header", &listener->mode, problem);
    if (!status && listener->is_stdio)
        status = jrpc_url_boolean(url, "guard", &listener->wants_guard, problem);
    return status ? status : jrpc_url_check(url, known, problem);
}

/* A descriptor of our own that does not block: the same file opened anew, so that whoever shares
 * the old one, a shell or standard error, does not find it changed. Sockets cannot be opened: flags
 * is how they were, to be so again afterwards; else -1. */
static int take_fd(int fd, int access, int *flags)
{
    char path[64];
    struct stat about;

    if (fstat(fd, &about))
        return -errno;
    if (S_ISFIFO(about.st_mode) || S_ISCHR(about.st_mode)) {
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        int again = open(path, access | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        if (again >= 0)
            return again;
    }
    *flags = fcntl(fd, F_GETFL);
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return copy < 0 ? -errno : copy;
}

/* 0 and 1 lead elsewhere; what they were is kept. */
static int set_guard(stdio_listener *listener)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    fflush(stdout);
    listener->has_guard = true;
    listener->real_in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    listener->real_out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (null < 0 || listener->real_in < 0 || listener->real_out < 0 ||
        dup2(null, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
        int status = -errno;
        if (null >= 0)
            close(null);
        return status;
    }
    close(null);
    return 0;
}

static void lift_guard(stdio_listener *listener)
{
    if (!listener->has_guard)
        return;
    fflush(stdout);
    if (listener->real_in >= 0) {
        dup2(listener->real_in, STDIN_FILENO);
        close(listener->real_in);
    }
    if (listener->real_out >= 0) {
        dup2(listener->real_out, STDOUT_FILENO);
        close(listener->real_out);
    }
    listener->has_guard = false;
}

static void close_fd(int *fd, int flags)
{
    if (*fd >= 0 && flags >= 0)
        fcntl(*fd, F_SETFL, flags);
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_fds(stdio_listener *listener)
{
    close_fd(&listener->in, listener->in_flags);
    close_fd(&listener->out, listener->out_flags);
}

/* The peer's handles are closed: with it goes the listener, for there will be no other. */
static void peer_closed(jri_duplex *duplex)
{
    stdio_peer *peer = (stdio_peer *)duplex;
    stdio_listener *listener = peer->listener;
    jrpc_listener *owner = listener->owner;
    bool is_gone = false;

    close_fds(listener);
    jri_duplex_fini(duplex);
    listener->is_gone = &is_gone;
    jrpc_transport_closed(duplex, duplex->reason);
    if (!is_gone)
        jrpc_listener_close(owner);
}

static int fail(stdio_listener *listener, int status, jrpc_problem *problem, const char *what,
                const char *why)
{
    const char *url = jrpc_listener_address(listener->owner);
    size_t len = strcspn(url, "?");

    problem->code = status;
    len -= len && url[len - 1] == ':'; /* another one will follow */
    snprintf(problem->source, sizeof(problem->source), "%.*s", (int)len, url);
    snprintf(problem->text, sizeof(problem->text), "%s%s", what, why);
    close_fds(listener);
    return status;
}

static int take_fds(stdio_listener *listener, jrpc_problem *problem)
{
    listener->in = take_fd(listener->real_in, O_RDONLY, &listener->in_flags);
    if (listener->in < 0)
        return fail(listener, listener->in, problem,
                    "the input descriptor: ", uv_strerror(listener->in));
    listener->out = take_fd(listener->real_out, O_WRONLY, &listener->out_flags);
    if (listener->out < 0)
        return fail(listener, listener->out, problem,
                    "the output descriptor: ", uv_strerror(listener->out));
    int status = listener->wants_guard ? set_guard(listener) : 0;
    return status ? fail(listener, status, problem, "the guard: ", uv_strerror(status)) : 0;
}

static int open_peer(stdio_listener *listener, jrpc_problem *problem)
{
    const jrpc_peer_info info = {.size = sizeof(info), .has_push = true};
    void *peer;
    int status = jrpc_transport_opened(listener->owner, &info, &peer);
    if (status)
        return fail(listener, status, problem, "the peer: ", uv_strerror(status));

    ((stdio_peer *)peer)->listener = listener;
    const jri_duplex_options options = {
        .owner = listener->owner,
        .loop = listener->loop,
        .in = listener->in,
        .out = listener->out,
        .mode = (jri_framing_mode)listener->mode,
        .chunk = listener->chunk,
        .closed = peer_closed,
    };
    status = jri_duplex_start(peer, &options);
    if (!status)
        return 0;
    jrpc_transport_closed(peer, status);
    return fail(listener, status, problem, "reading: ", uv_strerror(status));
}

static int start_listener(void *state, jrpc_problem *problem)
{
    stdio_listener *listener = state;

    if (listener->is_stdio && atomic_exchange(&is_stdio_taken, true))
        return fail(listener, -EBUSY, problem, "standard input and output are in use already",
                    ", by another stdio: of this process");
    listener->has_taken = listener->is_stdio;
    listener->chunk = malloc(JRI_DUPLEX_CHUNK);
    if (!listener->chunk)
        return fail(listener, -ENOMEM, problem, "out of memory", "");
    int status = take_fds(listener, problem);
    return status ? status : open_peer(listener, problem);
}

static void stop_listener(void *state)
{
    (void)state; /* there are no new peers anyway */
}

static void close_listener(void *state)
{
    stdio_listener *listener = state;

    close_fds(listener);
    lift_guard(listener);
    free(listener->chunk);
    if (listener->has_taken)
        atomic_store(&is_stdio_taken, false);
    if (listener->is_gone)
        *listener->is_gone = true;
    jrpc_listener_closed(listener->owner, 0);
}

static const char *const schemes[] = {"stdio", "fd", NULL};

const jrpc_transport jri_stdio_transport = {
    .size = sizeof(jrpc_transport),
    .name = "stdio",
    .schemes = schemes,
    .listener_size = sizeof(stdio_listener),
    .peer_size = sizeof(stdio_peer),
    .open = open_listener,
    .start = start_listener,
    .stop = stop_listener,
    .close = close_listener,
    .answer_begin = jri_duplex_answer_begin,
    .answer_end = jri_duplex_answer_end,
    .flush = jri_duplex_flush,
    .pause = jri_duplex_pause,
    .drop = jri_duplex_drop,
};

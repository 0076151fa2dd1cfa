/* SPDX-License-Identifier: MIT */
/*
 * serve.c - a whole program's life in one call: listen, print where, serve, stop on a signal
 *
 * The only file of the library that touches what belongs to the process: signals, and standard
 * error without being asked.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jrpc/server.h>
#include <uv.h>

#include "endpoint.h"
#include "server.h"

typedef struct signals {
    jrpc_server *server;
    uv_signal_t interrupt, terminate;
} signals;

/* The first asks, the second means it. */
static void signalled(uv_signal_t *handle, int number)
{
    signals *both = handle->data;

    if (jrpc_server_stop(both->server, /* stopped */ NULL, /* user */ NULL) == -EALREADY)
        _Exit(128 + number);
}

static void start_signal(signals *both, uv_signal_t *handle, int number)
{
    uv_signal_init(jrpc_server_loop(both->server), handle);
    handle->data = both;
    uv_signal_start(handle, signalled, number);
    uv_unref((uv_handle_t *)handle);
}

static void print_problem(const jrpc_server *server, const char *url, int status)
{
    const jrpc_problem *problem = jrpc_server_problem(server);

    if (!problem)
        fprintf(stderr, "%s: %s\n", url, uv_strerror(status));
    else if (problem->column)
        fprintf(stderr, "%s: column %d: %s\n", problem->source, problem->column, problem->text);
    else
        fprintf(stderr, "%s: %s\n", problem->source, problem->text);
}

/* Descriptors 0 to 2 that are closed would be given to the loop's own, and be taken for what their
 * numbers say. */
static void fill_standard_fds(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

static int listen_all(jrpc_server *server, jrpc_service *service, const char *urls)
{
    char url[JRI_ENDPOINT_SIZE];

    while (jri_endpoint_next(&urls, url)) {
        jrpc_listener *listener;
        int status = jrpc_server_listen(server, service, url, /* options */ NULL, &listener);
        if (status) {
            print_problem(server, url, status);
            return status;
        }
        fprintf(stderr, "listening on %s\n", jrpc_listener_address(listener));
    }
    return 0;
}

int jrpc_serve(jrpc_service *service, const char *urls)
{
    jrpc_server *server = NULL;
    signals both;

    if (!service)
        return -EINVAL;
    fill_standard_fds();
    int status = jri_server_new(&service->settings, /* loop */ NULL, &server);
    if (status) {
        fprintf(stderr, "cannot start: %s\n", uv_strerror(status));
        return status;
    }
    both.server = server;
    signal(SIGPIPE, SIG_IGN);
    /* Before it says that it listens: whoever reads that may send one. */
    start_signal(&both, &both.interrupt, SIGINT);
    start_signal(&both, &both.terminate, SIGTERM);
    status = listen_all(server, service, urls ? urls : "http://127.0.0.1:5000");
    if (!status)
        status = jrpc_server_run(server);
    uv_close((uv_handle_t *)&both.interrupt, NULL);
    uv_close((uv_handle_t *)&both.terminate, NULL);
    if (!status) /* else the loop still runs below */
        uv_run(jrpc_server_loop(server), UV_RUN_NOWAIT);
    jrpc_server_free(server);
    return status;
}

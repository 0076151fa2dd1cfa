/* SPDX-License-Identifier: MIT */
/*
 * 11-embedding.c - a server in an application that has a libuv loop already
 *
 * The loop, its signals and its timer are the application's; the server is a guest. It is asked to
 * stop, says when it has, and leaves nothing behind: uv_loop_close() returns 0.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include <jrpc/jrpc.h>

struct app {
    uv_loop_t loop;
    uv_timer_t clock;
    uv_signal_t terminate;
    int n_beats;
    jrpc_server *server;
    jrpc_service *service;
};

static int beats(jrpc_call *call, void *user)
{
    const struct app *app = user;

    return jrpc_reply_boolean(call, uv_is_active((const uv_handle_t *)&app->clock));
}

static int quit(jrpc_call *call, void *user)
{
    (void)user;
    raise(SIGTERM); /* somebody may as well have typed kill */
    return jrpc_reply_string(call, "goodbye");
}

static const jrpc_method methods[] = {
    JRPC_METHOD("beats", beats, "-> boolean", "The application's clock runs."),
    JRPC_METHOD("quit", quit, "-> string", "Ends the application."),
    JRPC_METHOD_END,
};

/* Everybody is answered, every handle of the server is closed: now ours. */
static void stopped(jrpc_server *server, void *user)
{
    struct app *app = user;

    (void)server;
    uv_close((uv_handle_t *)&app->clock, /* closed */ NULL);
    uv_close((uv_handle_t *)&app->terminate, /* closed */ NULL);
}

static void terminated(uv_signal_t *handle, int number)
{
    struct app *app = handle->data;

    (void)number;
    jrpc_server_stop(app->server, stopped, app);
}

static void beat(uv_timer_t *timer)
{
    struct app *app = timer->data;

    app->n_beats++;
}

static int set_up(struct app *app)
{
    uv_loop_init(&app->loop);
    uv_timer_init(&app->loop, &app->clock);
    uv_signal_init(&app->loop, &app->terminate);
    app->clock.data = app->terminate.data = app;
    uv_timer_start(&app->clock, beat, /* first */ 1, /* repeat */ 1);
    uv_signal_start(&app->terminate, terminated, SIGTERM);

    int status = jrpc_service_new(/* options */ NULL, &app->service);
    if (!status)
        status = jrpc_service_add_table(app->service, methods, app);
    if (!status)
        status = jrpc_server_new(/* options */ NULL, &app->loop, &app->server);
    if (!status)
        status = jrpc_server_listen(app->server, app->service, "stdio:", /* options */ NULL,
                                    /* out */ NULL);
    return status;
}

int main(void)
{
    struct app app = {.n_beats = 0};

    int status = set_up(&app);
    if (status) {
        fprintf(stderr, "11-embedding: %s\n", uv_strerror(status));
        return EXIT_FAILURE;
    }
    uv_run(&app.loop, UV_RUN_DEFAULT);
    jrpc_server_free(app.server);
    jrpc_service_free(app.service);
    printf("uv_loop_close: %d\n", uv_loop_close(&app.loop));
    return EXIT_SUCCESS;
}

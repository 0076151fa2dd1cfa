/* SPDX-License-Identifier: MIT */
/*
 * 08-deferred-server.c - answer later, from a timer on the server's loop
 *
 * The call is kept, the handler returns, and the loop serves others meanwhile. Whoever waited least
 * is answered first, and the input may end long before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include <jrpc/jrpc.h>

/* A call that waits. It lives in the call's own memory. */
struct nap {
    uv_timer_t timer;
    jrpc_call *held;
};

static void free_nap(uv_handle_t *handle)
{
    struct nap *nap = handle->data;

    jrpc_call_free(nap->held); /* takes the nap along */
}

static void wake_up(uv_timer_t *timer)
{
    struct nap *nap = timer->data;

    jrpc_reply_integer(nap->held, jrpc_arg_integer(nap->held, 0));
    uv_close((uv_handle_t *)timer, free_nap);
}

/* Timed out, cancelled, or the peer is gone: the library has answered if there is anybody. */
static void cancelled(jrpc_call *held, void *user)
{
    struct nap *nap = user;

    (void)held;
    if (!uv_is_closing((uv_handle_t *)&nap->timer))
        uv_close((uv_handle_t *)&nap->timer, free_nap);
}

static int sleep_ms(jrpc_call *call, void *user)
{
    uv_loop_t *loop = user;
    jrpc_call *held;

    int status = jrpc_call_defer(call, &held);
    if (status)
        return status;
    struct nap *nap = jrpc_call_alloc(held, sizeof(*nap));
    if (!nap) {
        jrpc_call_free(held); /* unanswered: an Internal error */
        return 0;
    }
    nap->held = held;
    nap->timer.data = nap;
    uv_timer_init(loop, &nap->timer);
    uv_timer_start(&nap->timer, wake_up, (uint64_t)jrpc_arg_integer(held, 0), /* once */ 0);
    jrpc_call_on_cancelled(held, cancelled, nap);
    return 0;
}

static const jrpc_method sleep_row =
    JRPC_METHOD("sleep", sleep_ms, "ms: integer -> integer", "Answers later.");

int main(void)
{
    jrpc_service *service = NULL;
    jrpc_server *server = NULL;

    int status = jrpc_service_new(/* options */ NULL, &service);
    if (!status)
        status = jrpc_server_new(/* options */ NULL, /* loop */ NULL, &server);
    if (!status)
        status = jrpc_service_add(service, &sleep_row, jrpc_server_loop(server));
    if (!status)
        status = jrpc_server_listen(server, service, "stdio:", /* options */ NULL, /* out */ NULL);
    if (!status)
        status = jrpc_server_run(server); /* until the input has ended and all is answered */
    if (status)
        fprintf(stderr, "08-deferred-server: %s\n", uv_strerror(status));
    jrpc_server_free(server);
    jrpc_service_free(service);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
/*
 * 09-blocking.c - a handler that blocks, beside others that must not wait for it
 *
 * `hear` waits in read(2) until somebody has called `say`. Marked JRPC_BLOCKING it waits on one of
 * the server's workers, and the loop goes on; without the mark nobody could say a word any more.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <jrpc/jrpc.h>

struct wire {
    int ends[2];
};

static int hear(jrpc_call *call, void *user)
{
    const struct wire *wire = user;
    char text[256];

    ssize_t len = read(wire->ends[0], text, sizeof(text)); /* as long as it takes */
    return len < 0 ? -errno : jrpc_reply_stringn(call, text, (size_t)len);
}

static int say(jrpc_call *call, void *user)
{
    const struct wire *wire = user;
    size_t len;
    const char *text = jrpc_arg_string(call, 0, &len);

    return write(wire->ends[1], text, len) < 0 ? -errno : jrpc_reply_null(call);
}

static const jrpc_method methods[] = {
    JRPC_METHOD_FLAGS("hear", hear, "-> string", "Waits for a word.", JRPC_BLOCKING,
                      /* timeout_ms */ 0),
    JRPC_METHOD("say", say, "text: string -> null", "Says it."),
    JRPC_METHOD_END,
};

int main(void)
{
    jrpc_service *service = NULL;
    struct wire wire;

    int status = pipe(wire.ends) ? -errno : jrpc_service_new(/* options */ NULL, &service);
    if (!status)
        status = jrpc_service_add_table(service, methods, &wire);
    if (!status)
        status = jrpc_serve(service, "stdio:");
    jrpc_service_free(service);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
/*
 * 07-server.c - a whole server in one call
 *
 * Serves standard input and output until the input ends or a signal comes. What a handler prints
 * goes to standard error: it cannot get among the answers.
 */
#include <stdio.h>
#include <stdlib.h>

#include <jrpc/jrpc.h>

static int greet(jrpc_call *call, void *user)
{
    const char *name = jrpc_arg_string(call, 0, /* len */ NULL);

    (void)user;
    printf("greeting %s\n", name);
    return jrpc_reply_json(call, json_sprintf("Hello, %s", name));
}

static const jrpc_method greet_row =
    JRPC_METHOD("greet", greet, "name: string -> string", "Says hello.");

int main(void)
{
    jrpc_service *service = NULL;

    int status = jrpc_service_new(/* options */ NULL, &service);
    if (!status)
        status = jrpc_service_add(service, &greet_row, /* user */ NULL);
    if (!status)
        status = jrpc_serve(service, "stdio:");
    jrpc_service_free(service);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}

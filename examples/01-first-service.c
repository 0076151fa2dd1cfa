/* SPDX-License-Identifier: MIT */
/*
 * 01-first-service.c - a service is a table of functions
 *
 * Answers requests on standard input, one per line:
 *
 *     echo '{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}' |
 * 01-first-service
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jrpc/jrpc.h>

static int ping(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_string(call, "pong");
}

static int subtract(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_number(call, jrpc_arg_number(call, 0) - jrpc_arg_number(call, 1));
}

static int sum(jrpc_call *call, void *user)
{
    double total = 0;

    (void)user;
    for (size_t i = 0; i < jrpc_arg_count(call); i++)
        total += jrpc_arg_number(call, i);
    return jrpc_reply_number(call, total);
}

static const jrpc_method methods[] = {
    JRPC_METHOD("ping", ping, "-> string", "Answers pong."),
    JRPC_METHOD("subtract", subtract, "minuend: number, subtrahend: number -> number",
                "The difference of two numbers."),
    JRPC_METHOD("sum", sum, "*numbers: number -> number", "The sum of any number of numbers."),
    JRPC_METHOD_END,
};

/* One message in, at most one message out. */
static int answer(jrpc_service *service, const char *line, size_t len, jrpc_response **response)
{
    int status = jrpc_dispatch(service, line, len, /* options */ NULL, response);
    if (status || !jrpc_response_is_wanted(*response))
        return status;
    return puts(jrpc_response_text(*response, /* len */ NULL)) < 0 || fflush(stdout) ? -errno : 0;
}

static int answer_lines(jrpc_service *service)
{
    jrpc_response *response = NULL;
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    int status = 0;

    while (!status && (len = getline(&line, &size, stdin)) > 0) {
        len -= line[len - 1] == '\n';
        if (strspn(line, " \t\r\n") < (size_t)len) /* a blank line is no message */
            status = answer(service, line, (size_t)len, &response);
    }
    if (!status && !feof(stdin))
        status = -errno;
    jrpc_response_free(response);
    free(line);
    return status;
}

int main(void)
{
    jrpc_service *service = NULL;
    int status = jrpc_service_new(/* options */ NULL, &service);
    if (!status)
        status = jrpc_service_add_table(service, methods, /* user */ NULL);

    signal(SIGPIPE, SIG_IGN); /* nobody reads any more: an error as any other */
    if (!status)
        status = answer_lines(service);
    if (status)
        fprintf(stderr, "01-first-service: %s\n", strerror(-status));
    jrpc_service_free(service);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}

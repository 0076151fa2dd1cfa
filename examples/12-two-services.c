/* SPDX-License-Identifier: MIT */
/*
 * 12-two-services.c - a service says what, a listener where: two of each on one server
 *
 * The clients of one listener can call the calculator, those of the other may stop it. Here both
 * are on pipes and at the other end of them is this program's first thread; the server has one of
 * its own. Over HTTP they could share a port: http://127.0.0.1:5000/calc and /admin there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jrpc/jrpc.h>

static int add(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_number(call, jrpc_arg_number(call, 0) + jrpc_arg_number(call, 1));
}

/* The server comes as the listener's context. */
static int stop(jrpc_call *call, void *user)
{
    (void)user;
    jrpc_server_stop(jrpc_call_context(call), /* stopped */ NULL, /* user */ NULL);
    return jrpc_reply_string(call, "stopping");
}

static const jrpc_method calc_methods[] = {
    JRPC_METHOD("add", add, "a: number, b: number -> number", "The sum of two numbers."),
    JRPC_METHOD_END,
};
static const jrpc_method admin_methods[] = {
    JRPC_METHOD("stop", stop, "-> string", "Stops the server."),
    JRPC_METHOD_END,
};

/* A service, and the program's end of the pipes that lead to it. */
struct place {
    jrpc_service *service;
    FILE *to, *from;
};

static int open_place(jrpc_server *server, const jrpc_method *methods, struct place *place)
{
    jrpc_listen_options options = JRPC_LISTEN_OPTIONS_INIT;
    int requests[2], answers[2];
    char url[64];

    int status = pipe(requests) || pipe(answers) ? -errno : 0;
    if (status)
        return status;
    place->to = fdopen(requests[1], "w");
    place->from = fdopen(answers[0], "r");
    snprintf(url, sizeof(url), "fd:%d,%d", requests[0], answers[1]);

    options.context = server;
    status = jrpc_service_new(/* options */ NULL, &place->service);
    if (!status)
        status = jrpc_service_add_table(place->service, methods, /* user */ NULL);
    if (!status)
        status = jrpc_server_listen(server, place->service, url, &options, /* out */ NULL);
    close(requests[0]); /* the listener has its own */
    close(answers[1]);
    return status;
}

static void ask(struct place *place, const char *request)
{
    char answer[256];

    fprintf(place->to, "%s\n", request);
    fflush(place->to);
    fputs(fgets(answer, sizeof(answer), place->from) ? answer : "no answer\n", stdout);
}

static void close_place(struct place *place)
{
    if (place->to)
        fclose(place->to);
    if (place->from)
        fclose(place->from);
    jrpc_service_free(place->service);
}

int main(void)
{
    struct place calc = {.service = NULL}, admin = {.service = NULL};
    jrpc_server *server = NULL;

    int status = jrpc_server_new(/* options */ NULL, /* loop */ NULL, &server);
    if (!status)
        status = open_place(server, calc_methods, &calc);
    if (!status)
        status = open_place(server, admin_methods, &admin);
    if (!status)
        status = jrpc_server_start(server);
    if (!status) {
        ask(&calc, "{\"jsonrpc\": \"2.0\", \"method\": \"add\", \"params\": [1, 2], \"id\": 1}");
        ask(&calc, "{\"jsonrpc\": \"2.0\", \"method\": \"stop\", \"id\": 2}");
        ask(&admin, "{\"jsonrpc\": \"2.0\", \"method\": \"stop\", \"id\": 3}");
    }
    jrpc_server_free(server); /* waits for its thread */
    close_place(&calc);
    close_place(&admin);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}

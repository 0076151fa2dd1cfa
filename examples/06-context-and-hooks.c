/* SPDX-License-Identifier: MIT */
/*
 * 06-context-and-hooks.c - who is calling, may they, and what was done
 *
 * The context says who is calling. One hook sees each call before its method is looked up and may
 * refuse it; one sees how it ended; one gets the lines of the log. The arguments come as a struct.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jrpc/jrpc.h>

struct session {
    const char *user;
    bool is_admin;
};

struct order {
    const char *item, *note;
    uint16_t count;
};

/*
 * The service
 */

static int place_order(jrpc_call *call, void *user)
{
    static const jrpc_field fields[] = {
        JRPC_FIELD(struct order, item, JRPC_STRING),
        JRPC_FIELD(struct order, note, JRPC_STRING),
        JRPC_FIELD_UNSIGNED(struct order, count),
        JRPC_FIELD_END,
    };
    const struct session *session = jrpc_call_context(call);
    struct order order = {.note = "none"};

    (void)user;
    if (jrpc_args_read(call, fields, &order))
        return 0; /* it has answered: count is no uint16_t */
    return jrpc_reply_json(call, json_sprintf("%u %s for %s, note: %s", order.count, order.item,
                                              session->user, order.note));
}

static int stop(jrpc_call *call, void *user)
{
    bool *is_stopping = user;

    *is_stopping = true;
    return jrpc_reply_null(call);
}

static const jrpc_method place_order_row =
    JRPC_METHOD("place_order", place_order,
                "item: string, count: integer = 1, *, note?: string -> string", "Places an order.");
static const jrpc_method stop_row = JRPC_METHOD("admin.stop", stop, "-> null", "Stops the shop.");

/*
 * The hooks
 */

static int call_received(jrpc_call *call, void *user)
{
    const struct session *session = jrpc_call_context(call);
    const char *method = jrpc_call_method(call, /* len */ NULL);

    (void)user;
    if (!method)
        return -ENOMEM; /* refused: in doubt nobody may */
    if (!strncmp(method, "admin.", strlen("admin.")) && !session->is_admin)
        return jrpc_fail(call, JRPC_NOT_AUTHORISED, "Only for administrators");
    return 0;
}

static void call_answered(jrpc_call *call, const jrpc_outcome *outcome, void *user)
{
    const struct session *session = jrpc_call_context(call);
    const char *method = jrpc_call_method(call, /* len */ NULL);

    (void)user;
    printf("%s called %s: %d\n", session->user, method ? method : "nothing", outcome->code);
}

static void logged(const jrpc_log_record *record, void *user)
{
    (void)user;
    puts(record->text);
}

static int make_service(bool *is_stopping, jrpc_service **service)
{
    const jrpc_hooks hooks = {sizeof(hooks), call_received, call_answered, logged};
    jrpc_options *options = NULL;

    int status = jrpc_options_new(&options);
    if (!status)
        status = jrpc_options_set(options, "basic_logging", "yes");
    if (!status)
        status = jrpc_options_set(options, "debug", "yes");
    if (!status)
        status = jrpc_service_new(options, service);
    if (!status)
        status = jrpc_service_add(*service, &place_order_row, /* user */ NULL);
    if (!status)
        status = jrpc_service_add(*service, &stop_row, is_stopping);
    if (!status)
        status = jrpc_service_set_hooks(*service, &hooks, /* user */ NULL);
    jrpc_options_free(options);
    return status;
}

/* A call as it would come over a connection of that session; params is stolen. */
static int call(jrpc_service *service, struct session *session, const char *method, json_t *params)
{
    jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;
    jrpc_response *response = NULL;

    options.context = session;
    int status = jrpc_invoke(service, method, params, &options, &response);
    jrpc_response_free(response);
    return status;
}

int main(void)
{
    struct session ada = {"ada", .is_admin = false}, root = {"root", .is_admin = true};
    jrpc_service *service = NULL;
    bool is_stopping = false;

    int status = make_service(&is_stopping, &service);
    if (!status)
        status = call(service, &ada, "place_order", json_pack("[s]", "tea"));
    if (!status)
        status = call(service, &ada, "place_order", json_pack("[s, i]", "tea", 70000));
    if (!status)
        status = call(service, &ada, "admin.stop", /* params */ NULL);
    if (!status && !is_stopping)
        status = call(service, &root, "admin.stop", /* params */ NULL);
    puts(is_stopping ? "stopped" : "still open");
    jrpc_service_free(service);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}

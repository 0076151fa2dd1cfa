/* SPDX-License-Identifier: MIT */
/*
 * docs_service.c - the service behind the examples in docs/, with debug on
 *
 * docs_service                        answers requests on standard input, one per line
 * docs_service SIGNATURE [PARAMS]     declares a method and calls it: prints what the arguments
 *                                     are bound to, or what is wrong with call or signature
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jrpc/jrpc.h>

static int subtract(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_number(call, jrpc_arg_number(call, 0) - jrpc_arg_number(call, 1));
}

static int get_user(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_fail_format(call, 7, "No user %lld", (long long)jrpc_arg_integer(call, 0));
}

static int fruits(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_fail(call, JRPC_INVALID_PARAMS, "No fruits of that colour");
}

static int withdraw(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_fail_data(call, 42, "Not enough money", json_integer(100));
}

static int read_disk(jrpc_call *call, void *user)
{
    (void)call;
    (void)user;
    return -EIO;
}

static int latin_1(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_string(call, "Gr\xfc\xdf Gott");
}

static int fill(jrpc_call *call, void *user)
{
    size_t len = (size_t)jrpc_arg_integer(call, 0);
    char *text = jrpc_call_alloc(call, len);

    (void)user;
    if (!text)
        return -ENOMEM;
    memset(text, 'x', len);
    return jrpc_reply_stringn(call, text, len);
}

static int wait_for_ever(jrpc_call *call, void *user)
{
    return jrpc_call_defer(call, (jrpc_call **)user);
}

static int forget(jrpc_call *call, void *user)
{
    jrpc_call *held = NULL;
    int status = jrpc_call_defer(call, &held);

    (void)user;
    jrpc_call_free(held);
    return status;
}

static const jrpc_method methods[] = {
    JRPC_METHOD("subtract", subtract, "minuend: number, subtrahend: number -> number", NULL),
    JRPC_METHOD("get_user", get_user, "id: integer -> object", NULL),
    JRPC_METHOD("fruits", fruits, "color: string -> array", NULL),
    JRPC_METHOD("withdraw", withdraw, "amount: integer -> integer", NULL),
    JRPC_METHOD("read_disk", read_disk, "", NULL),
    JRPC_METHOD("latin_1", latin_1, "", NULL),
    JRPC_METHOD("fill", fill, "len: integer -> string", NULL),
    JRPC_METHOD_FLAGS("wait_for_ever", wait_for_ever, "", NULL, /* flags */ 0, /* timeout_ms */ 20),
    JRPC_METHOD("forget", forget, "", NULL),
    JRPC_METHOD_END,
};

static int answer_lines(jrpc_service *service, jrpc_call **held)
{
    jrpc_response *response = NULL;
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    int status = 0;

    while (!status && (len = getline(&line, &size, stdin)) > 0) {
        len -= line[len - 1] == '\n';
        status = jrpc_dispatch(service, line, (size_t)len, /* options */ NULL, &response);
        if (!status && jrpc_response_is_wanted(response))
            puts(jrpc_response_text(response, /* len */ NULL));
        jrpc_call_free(*held);
        *held = NULL;
    }
    jrpc_response_free(response);
    free(line);
    return status;
}

/* a = 1, b = 2 by default, c absent */
static int show(jrpc_call *call, void *user)
{
    size_t n = jrpc_arg_count(call), len, name_len;

    (void)user;
    for (size_t i = 0; i < n; i++) {
        const char *name = jrpc_arg_name(call, i, &name_len), *text = jrpc_arg_raw(call, i, &len);
        bool is_absent = jrpc_arg_type(call, i) == JRPC_ABSENT;
        printf("%s%s%s%.*s%s", i ? ", " : "", name ? name : "",
               is_absent ? " absent"
               : name    ? " = "
                         : "",
               (int)len, text ? text : "",
               is_absent || jrpc_arg_is_given(call, i) ? "" : " by default");
    }
    puts(n ? "" : "nothing");
    return 0;
}

static int call_once(jrpc_service *service, const char *signature, const char *params)
{
    const jrpc_method method = JRPC_METHOD("m", show, signature, NULL);
    jrpc_response *response = NULL;
    char *request = NULL;

    if (jrpc_service_add(service, &method, /* user */ NULL)) {
        const jrpc_problem *problem = jrpc_service_problem(service);
        printf("column %d: %s\n", problem->column, problem->text);
        return 0;
    }
    if (!params)
        return 0;
    int len =
        asprintf(&request, "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":%s,\"id\":1}", params);
    int status = len < 0 ? -ENOMEM : jrpc_dispatch(service, request, (size_t)len, NULL, &response);
    json_t *data = jrpc_response_data(response, 0);
    if (data)
        puts(json_string_value(data));
    jrpc_response_free(response);
    free(request);
    return status;
}

int main(int argc, char **argv)
{
    jrpc_options *options = NULL;
    jrpc_service *service = NULL;
    jrpc_call *held = NULL;

    int status = jrpc_options_new(&options);
    if (!status)
        status = jrpc_options_set(options, "debug", "yes");
    if (!status)
        status = jrpc_options_set(options, "reply_max", "1000");
    if (!status)
        status = jrpc_options_set(options, "batch_max", "3");
    if (!status)
        status = jrpc_options_set(options, "message_max", "500");
    if (!status)
        status = jrpc_service_new(options, &service);
    if (!status && argc > 1)
        status = call_once(service, argv[1], argv[2]);
    else if (!status)
        status = jrpc_service_add_table(service, methods, &held);
    if (!status && argc == 1)
        status = answer_lines(service, &held);
    jrpc_service_free(service);
    jrpc_options_free(options);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}

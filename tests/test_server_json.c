/* SPDX-License-Identifier: MIT */
/*
 * test_server_json.c - JSONTestSuite (Nicolas Seriot), each of its files sent to a server
 *
 * What is no JSON is answered with -32700, what is JSON with something else, files named i_ either
 * way: once each, and the connection lives on.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <jrpc/jrpc.h>

#include "ask.h"
#include "base64.h"
#include "memory_transport.h"

enum { FILES_MIN = 318 };

/* How one message goes there, and one answer comes back, new and NUL-terminated. */
typedef struct wire {
    jrpc_server *server;
    jrpc_service *service;
    memory_place *place;
    memory_client *client; /* NULL: the socket */
    int fd;
    FILE *in;
} wire;

static int run_echo(jrpc_call *call, void *user)
{
    size_t len;
    const char *text = jrpc_arg_raw(call, 0, &len);

    (void)user;
    return jrpc_reply_raw(call, text, len);
}

static const jrpc_method methods[] = {JRPC_METHOD("echo", run_echo, "value: any", NULL),
                                      JRPC_METHOD_END};

static void send_message(wire *to, const char *data, size_t len)
{
    char header[64];

    if (to->client) {
        assert_true(memory_send(to->client, data, len));
        return;
    }
    int n = snprintf(header, sizeof(header), "Content-Length: %zu\r\n\r\n", len);
    assert_int_equal(send(to->fd, header, (size_t)n, MSG_NOSIGNAL), n);
    for (size_t sent = 0; sent < len;) {
        ssize_t n_sent = send(to->fd, data + sent, len - sent, MSG_NOSIGNAL);
        assert_true(n_sent > 0);
        sent += (size_t)n_sent;
    }
}

static char *receive_message(wire *from)
{
    char header[64];
    size_t len = 0;

    if (from->client)
        return memory_receive(from->client, &len);
    if (!fgets(header, sizeof(header), from->in) ||
        sscanf(header, "Content-Length: %zu", &len) != 1 ||
        !fgets(header, sizeof(header), from->in) || strcmp(header, "\r\n") != 0)
        return NULL;
    char *text = calloc(1, len + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, len, from->in), len);
    return text;
}

static json_int_t code_of(const json_t *answer)
{
    return json_integer_value(json_object_get(json_object_get(answer, "error"), "code"));
}

/* Behind the message goes an echo: if that is answered next, the message was answered once. */
static void try_message(wire *to, const char *name, const char *data, size_t len)
{
    static const char echo[] = "{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":[1],\"id\":7}";

    send_message(to, data, len);
    send_message(to, echo, sizeof(echo) - 1);
    char *first = receive_message(to), *second = receive_message(to);
    json_t *answer = first ? json_loads(first, 0, NULL) : NULL;
    bool is_batch = json_is_array(answer);
    json_int_t code = code_of(is_batch ? json_array_get(answer, 0) : answer);
    bool is_right = name[0] == 'y'   ? code == JRPC_INVALID_REQUEST
                    : name[0] == 'n' ? code == JRPC_PARSE_ERROR && !is_batch
                                     : code == JRPC_PARSE_ERROR || code == JRPC_INVALID_REQUEST;

    if (!is_right || !second || strcmp(second, "{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":7}") != 0)
        fail_msg("%s: answered with %s, then %s", name, first, second);
    json_decref(answer);
    free(first);
    free(second);
}

/* The same as an argument, of which only the good ones are sure to come back. */
static void try_argument(wire *to, const char *name, const char *data, size_t len)
{
    static const char head[] = "{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"id\":1,\"params\":[";
    size_t whole = sizeof(head) - 1 + len + 2;
    char *text = malloc(whole + 1);

    assert_non_null(text);
    memcpy(text, head, sizeof(head) - 1);
    memcpy(text + sizeof(head) - 1, data, len);
    memcpy(text + sizeof(head) - 1 + len, "]}", 3);
    send_message(to, text, whole);
    free(text);
    char *answer = receive_message(to);
    bool is_result = answer && strstr(answer, "\"result\":");
    bool is_error = answer && strstr(answer, "\"error\":");
    if (name[0] == 'y' ? !is_result : !is_result && !is_error)
        fail_msg("%s as an argument: answered with %s", name, answer);
    free(answer);
}

static void open_wire(wire *to, bool is_memory)
{
    static const char *const options[] = {"depth_max", "1024", NULL};
    int ends[2] = {-1, -1};
    char url[64];

    *to = (wire){.fd = -1};
    to->service = new_service(options, methods, NULL);
    assert_int_equal(jrpc_server_new(NULL, /* loop */ NULL, &to->server), 0);
    if (is_memory) {
        to->place = memory_place_new();
        assert_int_equal(jrpc_server_add_transport(to->server, &memory_transport), 0);
        snprintf(url, sizeof(url), "memory:%p", (void *)to->place);
    } else {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        snprintf(url, sizeof(url), "fd:%d,%d", ends[1], ends[1]);
    }
    assert_int_equal(jrpc_server_listen(to->server, to->service, url, NULL, NULL), 0);
    assert_int_equal(jrpc_server_start(to->server), 0);
    if (is_memory) {
        to->client = memory_connect(to->place);
        return;
    }
    close(ends[1]);
    to->fd = ends[0];
    to->in = fdopen(dup(to->fd), "r");
    assert_non_null(to->in);
}

static void close_wire(wire *to)
{
    if (to->client) {
        assert_true(memory_close(to->client));
    } else {
        fclose(to->in);
        close(to->fd);
    }
    jrpc_server_free(to->server);
    if (to->place)
        memory_place_free(to->place);
    jrpc_service_free(to->service);
}

static void try_all(bool is_memory)
{
    json_t *files = json_load_file(JRPC_SOURCE_DIR "/tests/data/jsontestsuite.json", 0, NULL);
    const char *name;
    json_t *file;
    wire to;

    assert_non_null(files);
    assert_true(json_object_size(files) >= FILES_MIN);
    open_wire(&to, is_memory);
    json_object_foreach(files, name, file) {
        size_t len;
        char *data = decode_base64(json_string_value(file), &len);
        try_message(&to, name, data, len);
        try_argument(&to, name, data, len);
        free(data);
    }
    close_wire(&to);
    json_decref(files);
}

static void every_file_is_answered_once_over_memory(void **state)
{
    (void)state;
    try_all(/* is_memory */ true);
}

static void every_file_is_answered_once_over_a_socket(void **state)
{
    (void)state;
    try_all(/* is_memory */ false);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_is_answered_once_over_memory),
        cmocka_unit_test(every_file_is_answered_once_over_a_socket),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * transport_suite_listen.c - the behaviour that every transport must show: what a listener serves
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "suite_codec.h"
#include "suite_place.h"

static int run_new(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_string(call, "new");
}

static void swapped_service_answers_from_then_on(void **state)
{
    static const jrpc_method rows[] = {JRPC_METHOD("hold", run_new, NULL, NULL), JRPC_METHOD_END};
    suite_place *site = open_site(state, NULL);
    jrpc_service *other = new_service(NULL, rows, NULL);

    connect_client(site, 0);
    send_text(site, 0, CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&site->desk);
    jrpc_service_free(site->at.service);
    site->at.service = NULL;
    on_loop(site, set_service, other);
    jrpc_service_free(other);
    send_text(site, 0, CALL("hold", "[]", "2"));
    expect(site, 0, RESULT("\"new\"", "2"));
    assert_int_equal(jrpc_reply_string(held, "old"), 0);
    jrpc_call_free(held);
    expect(site, 0, RESULT("\"old\"", "1"));
    close_site(site);
}

static const char *const wide[] = {"message_max", "100K", NULL};

/*
 * Codecs
 */

static void send_hex(suite_place *site, size_t index, const char *text)
{
    char *hex = hex_of(text, strlen(text));

    send_text(site, index, hex);
    free(hex);
}

static json_t *receive_hex(suite_place *site, size_t index)
{
    size_t len;
    char *hex = site->link->receive(site->clients[index], &len);
    char *text = hex ? hex_text(hex, len) : NULL;

    if (!text)
        fail_msg("received %s", hex ? hex : "nothing");
    json_t *value = value_of(text);
    free(text);
    free(hex);
    return value;
}

static void expect_hex_at(suite_place *site, size_t index, const char *expected, int line)
{
    json_t *value = receive_hex(site, index);

    check_json(value, expected, __FILE__, line);
    json_decref(value);
}

#define expect_hex(site, index, expected) expect_hex_at((site), (index), (expected), __LINE__)

static const jrpc_listen_options with_hex = {.size = sizeof(with_hex), .codec = &hex_codec};
static const jrpc_listen_options with_nothing = {.size = sizeof(with_nothing)};

/* The codec is the listener's or the service's. */
static suite_place *open_hex_site(void **state, bool is_services)
{
    suite_setup setup = {.options = wide};

    if (is_services)
        setup.codec = &hex_codec;
    else
        setup.listen[0] = setup.listen[1] = &with_hex;
    suite_place *site = open_site_with(state, &setup);
    skip_unless(site, is_services || site->at.n_listened);
    connect_client(site, 0);
    return site;
}

static void speak_at_once(suite_place *site)
{
    static const struct {
        const char *sent, *expected;
    } rows[] = {
        {CALL("echo", "[{\"a\":[1,null]}]", "1"), RESULT("{\"a\":[1,null]}", "1")},
        {"[" CALL("echo", "[1]", "1") "," NOTIFICATION("count", "[]") "," CALL("absent", "[]",
                                                                               "\"b\"") "]",
         "[" RESULT("1", "1") "," ERROR(-32601, "Method not found", "\"b\"") "]"},
        {NOTIFICATION("count", "[]"), NULL},
        {"[]", ERROR(-32600, "Invalid Request", "null")},
        {"{", ERROR(-32700, "Parse error", "null")},
        {"", ERROR(-32700, "Parse error", "null")},
        {CALL("big", "[3]", "1"), RESULT("\"xxx\"", "1")},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (rows[i].sent[0])
            send_hex(site, 0, rows[i].sent);
        else
            send_text(site, 0, "{}"); /* plain JSON */
        if (rows[i].expected)
            expect_hex(site, 0, rows[i].expected);
    }
    assert_int_equal(desk_read(&site->desk, &site->desk.n_counted), 2);
}

static void speak_later(suite_place *site)
{
    send_hex(site, 0, CALL("hold", "[]", "1"));
    send_hex(site, 0, "[" CALL("hold", "[]", "2") "," CALL("echo", "[3]", "3") "]");
    send_hex(site, 0, CALL("block", "[4]", "4"));
    desk_let_go(&site->desk, 1);
    expect_hex(site, 0, RESULT("4", "4"));
    send_hex(site, 0, CALL("hold_shortly", "[]", "5"));
    expect_hex(site, 0, TIMED_OUT("5"));
    answer(&site->desk, 1, 0);
    expect_hex(site, 0, RESULT("1", "1"));
    send_hex(site, 0, CANCEL("2"));
    expect_hex(site, 0, "[" CANCELLED("2") "," RESULT("3", "3") "]");
    jrpc_call_free(desk_take(&site->desk));
    jrpc_call_free(desk_take(&site->desk));
}

static void speak_to_refuse(suite_place *site)
{
    char *text = calloc(1, 200 * 1024 + 1);

    if (site->link->hangs_up_on_too_large) {
        free(text);
        return;
    }
    assert_non_null(text);
    memset(text, 'a', 200 * 1024);
    send_text(site, 0, text);
    free(text);
    expect_hex(site, 0, TOO_LARGE("null"));
}

static void codec_is_spoken_in_answers(void **state)
{
    for (int is_services = 0; is_services < 2; is_services++) {
        suite_place *site = open_hex_site(state, is_services);
        speak_at_once(site);
        speak_later(site);
        speak_to_refuse(site);
        close_site(site);
    }
}

static void codec_is_spoken_in_notifications(void **state)
{
    for (int is_services = 0; is_services < 2; is_services++) {
        suite_place *site = open_hex_site(state, is_services);
        jrpc_topic *topic = NULL;

        skip_unless(site, site->link->has_push);
        send_hex(site, 0, CALL("notify", "[]", "1"));
        json_t *first = receive_hex(site, 0), *second = receive_hex(site, 0);
        bool is_push_first = json_object_get(first, "method");
        assert_json_equal(is_push_first ? second : first, RESULT("0", "1"));
        assert_json_equal(is_push_first ? first : second,
                          "{\"jsonrpc\":\"2.0\",\"method\":\"hello\"}");
        json_decref(first);
        json_decref(second);
        assert_int_equal(jrpc_topic_new(site->at.server, &topic), 0);
        assert_int_equal(jrpc_topic_add(topic, site->peers[0]), 0);
        assert_int_equal(jrpc_topic_notify(topic, "x", json_pack("[i]", 1)), 1);
        expect_hex(site, 0, NOTIFICATION("x", "[1]"));
        jrpc_topic_free(topic);
        close_site(site);
    }
}

static void members_of_a_topic_hear_their_own_codec(void **state)
{
    suite_place *site = open_site_with(state, &(suite_setup){.listen = {&with_hex, &with_nothing}});
    jrpc_topic *topic = NULL;

    skip_unless_apart(site);
    skip_unless(site, site->link->has_push);
    connect_client(site, 0);
    send_hex(site, 0, CALL("echo", "[1]", "1"));
    expect_hex(site, 0, RESULT("1", "1"));
    connect_client(site, 1);
    expect_echo(site, 1, 1);
    assert_int_equal(jrpc_topic_new(site->at.server, &topic), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(jrpc_topic_add(topic, site->peers[i]), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(jrpc_topic_notify(topic, "x", json_pack("{s:s}", "a", "b")), 2);
        expect_hex(site, 0, NOTIFICATION("x", "{\"a\":\"b\"}"));
        expect(site, 1, NOTIFICATION("x", "{\"a\":\"b\"}"));
    }
    jrpc_topic_free(topic);
    close_site(site);
}

/*
 * Contexts and services
 */

static void listeners_hand_their_contexts_to_handlers(void **state)
{
    static const jrpc_listen_options named = {
        .size = sizeof(named), .context = (void *)(uintptr_t) "front", .has_context = true};
    static const jrpc_listen_options null = {.size = sizeof(null), .has_context = true};
    const struct {
        const jrpc_listen_options *options;
        const char *expected;
    } rows[] = {{&named, "\"front\""}, {&null, "null"}, {&with_nothing, "false"}, {NULL, "false"}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        suite_place *site = open_site_with(
            state, &(suite_setup){.listen = {rows[i].options, rows[(i + 1) % 4].options}});
        char text[256];

        skip_unless(site, site->at.n_listened);
        connect_client(site, 0);
        send_text(site, 0, CALL("context", "[]", "1"));
        send_text(site, 0, CALL("context_blocking", "[]", "1"));
        snprintf(text, sizeof(text), RESULT("%s", "1"), rows[i].expected);
        expect(site, 0, text);
        expect(site, 0, text);
        if (site->at.n_listened > 1) {
            connect_client(site, 1);
            send_text(site, 1, CALL("context", "[]", "1"));
            snprintf(text, sizeof(text), RESULT("%s", "1"), rows[(i + 1) % 4].expected);
            expect(site, 1, text);
        }
        close_site(site);
    }
}

static void listeners_serve_different_services(void **state)
{
    static const jrpc_method rows[] = {JRPC_METHOD("hold", run_new, NULL, NULL), JRPC_METHOD_END};
    suite_place *site =
        open_site_with(state, &(suite_setup){.others = {NULL, new_service(NULL, rows, NULL)}});

    skip_unless_apart(site);
    connect_client(site, 0);
    connect_client(site, 1);
    send_text(site, 0, CALL("hold", "[]", "1"));
    send_text(site, 1, CALL("hold", "[]", "1"));
    expect(site, 1, RESULT("\"new\"", "1"));
    send_text(site, 1, CALL("echo", "[1]", "2"));
    expect(site, 1, ERROR(-32601, "Method not found", "2"));
    answer(&site->desk, 5, 0);
    expect(site, 0, RESULT("5", "1"));
    close_site(site);
}

static jrpc_service *new_hex_service(void)
{
    jrpc_service *service = new_service(NULL, suite_methods, NULL);

    assert_int_equal(jrpc_service_set_codec(service, &hex_codec), 0);
    return service;
}

static void swapped_service_brings_its_codec_to_open_peers(void **state)
{
    suite_place *site = open_site(state, NULL);
    jrpc_service *other = new_hex_service();

    connect_client(site, 0);
    expect_echo(site, 0, 1);
    on_loop(site, set_service, other);
    jrpc_service_free(other);
    send_hex(site, 0, CALL("echo", "[1]", "1"));
    expect_hex(site, 0, RESULT("1", "1"));
    if (site->link->has_push) {
        assert_int_equal(jrpc_peer_notify(site->peers[0], "x", NULL), 0);
        expect_hex(site, 0, "{\"jsonrpc\":\"2.0\",\"method\":\"x\"}");
    }
    on_loop(site, set_service, site->at.service);
    expect_echo(site, 0, 2);
    close_site(site);
}

/* Unlike a listener's own, which stays. */
static void swapped_services_codec_yields_to_the_listeners(void **state)
{
    suite_place *site = open_site_with(state, &(suite_setup){.listen = {&with_hex, &with_hex}});

    skip_unless(site, site->at.n_listened);
    connect_client(site, 0);
    send_hex(site, 0, CALL("echo", "[1]", "1"));
    expect_hex(site, 0, RESULT("1", "1"));
    on_loop(site, set_service, site->at.service);
    send_hex(site, 0, CALL("echo", "[2]", "2"));
    expect_hex(site, 0, RESULT("2", "2"));
    close_site(site);
}

int run_listen_suite(const suite_link *link)
{
    const struct CMUnitTest tests[] = {
        CASE(swapped_service_answers_from_then_on),
        CASE(codec_is_spoken_in_answers),
        CASE(codec_is_spoken_in_notifications),
        CASE(members_of_a_topic_hear_their_own_codec),
        CASE(listeners_hand_their_contexts_to_handlers),
        CASE(listeners_serve_different_services),
        CASE(swapped_service_brings_its_codec_to_open_peers),
        CASE(swapped_services_codec_yields_to_the_listeners),
    };

    return RUN_CASES(tests);
}

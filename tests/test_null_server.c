/* SPDX-License-Identifier: MIT */
/*
 * test_null_server.c - what every public function of servers and transports does with NULL
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jrpc/jrpc.h>
#include <jrpc/transport.h>

#include "null_rows.h"

static void post_nothing(jrpc_server *server, void *user)
{
    (void)server, (void)user;
}

/* 1 for each function of servers that only has to survive. */
static bool free_no_server(void)
{
    jrpc_server_free(NULL);
    jrpc_topic_free(NULL);
    jrpc_peer_unref(NULL);
    jrpc_peer_close(NULL);
    jrpc_peer_set_user(NULL, NULL, NULL);
    jrpc_buf_free(NULL);
    jrpc_buf_advance(NULL, 1);
    jrpc_buf_truncate(NULL, 0);
    jrpc_buf_consume(NULL, 1);
    jrpc_transport_ended(NULL);
    jrpc_transport_writable(NULL, 0);
    jrpc_transport_buffered(NULL, 0);
    jrpc_transport_closed(NULL, 0);
    jrpc_listener_closed(NULL, 0);
    jrpc_listener_log(NULL, NULL, JRPC_LOG_INFO, "x");
    return true;
}

static void null_server_is_refused(void **state)
{
    const jrpc_peer_info info = JRPC_PEER_INFO_INIT;
    bool flag = true;
    const char *list = NULL, *text = NULL;
    json_t *stats = NULL;
    jrpc_topic *topic = NULL;
    jrpc_problem problem;
    int64_t integer = 0;
    unsigned mode = 0;
    int choice = 0;
    size_t len;
    void *peer = NULL;
    (void)state;

    const struct row rows[] = {
        {"jrpc_serve", jrpc_serve(NULL, NULL) == -EINVAL},
        {"jrpc_server_new", jrpc_server_new(NULL, NULL, NULL) == -EINVAL},
        {"jrpc_server_listen", jrpc_server_listen(NULL, NULL, "fd:0,1", NULL, NULL) == -EINVAL},
        {"jrpc_server_set_hooks", jrpc_server_set_hooks(NULL, NULL, NULL) == -EINVAL},
        {"jrpc_server_problem", !jrpc_server_problem(NULL)},
        {"jrpc_server_run", jrpc_server_run(NULL) == -EINVAL},
        {"jrpc_server_start", jrpc_server_start(NULL) == -EINVAL},
        {"jrpc_server_loop", !jrpc_server_loop(NULL)},
        {"jrpc_server_post", jrpc_server_post(NULL, post_nothing, NULL) == -EINVAL},
        {"jrpc_server_stop", jrpc_server_stop(NULL, NULL, NULL) == -EINVAL},
        {"jrpc_server_free", free_no_server()},
        {"jrpc_server_stats", jrpc_server_stats(NULL, &stats) == -EINVAL && !stats},
        {"jrpc_listener_address", !jrpc_listener_address(NULL)},
        {"jrpc_listener_close", jrpc_listener_close(NULL) == -EINVAL},
        {"jrpc_listener_set_service", jrpc_listener_set_service(NULL, NULL) == -EINVAL},
        {"jrpc_peer_ref", !jrpc_peer_ref(NULL)},
        {"jrpc_peer_unref", free_no_server()},
        {"jrpc_peer_id", !jrpc_peer_id(NULL)},
        {"jrpc_peer_is_open", !jrpc_peer_is_open(NULL)},
        {"jrpc_peer_transport", !jrpc_peer_transport(NULL)},
        {"jrpc_peer_address", !jrpc_peer_address(NULL)},
        {"jrpc_peer_identity", !jrpc_peer_identity(NULL)},
        {"jrpc_peer_header", !jrpc_peer_header(NULL, "Host")},
        {"jrpc_peer_listener", !jrpc_peer_listener(NULL)},
        {"jrpc_peer_has_push", !jrpc_peer_has_push(NULL)},
        {"jrpc_peer_set_user", free_no_server()},
        {"jrpc_peer_user", !jrpc_peer_user(NULL)},
        {"jrpc_peer_close", free_no_server()},
        {"jrpc_peer_notify", jrpc_peer_notify(NULL, "x", json_array()) == -EINVAL},
        {"jrpc_topic_new", jrpc_topic_new(NULL, &topic) == -EINVAL && !topic},
        {"jrpc_topic_add", jrpc_topic_add(NULL, NULL) == -EINVAL},
        {"jrpc_topic_remove", jrpc_topic_remove(NULL, NULL) == -EINVAL},
        {"jrpc_topic_notify", jrpc_topic_notify(NULL, "x", json_array()) == -EINVAL},
        {"jrpc_topic_free", free_no_server()},
        {"jrpc_url_option", !jrpc_url_option(NULL, "x")},
        {"jrpc_url_string", jrpc_url_string(NULL, "x", &text, &problem) == 0 && !text},
        {"jrpc_url_boolean", jrpc_url_boolean(NULL, "x", &flag, &problem) == 0 && flag},
        {"jrpc_url_integer",
         jrpc_url_integer(NULL, "x", (jrpc_url_range){0, 1}, &integer, &problem) == 0},
        {"jrpc_url_mode", jrpc_url_mode(NULL, "x", &mode, &problem) == 0},
        {"jrpc_url_choice", jrpc_url_choice(NULL, "x", "a|b", &choice, &problem) == 0},
        {"jrpc_url_list", jrpc_url_list(NULL, "x", &list, &problem) == 0},
        {"jrpc_url_list_next", !jrpc_url_list_next(NULL, &len)},
        {"jrpc_url_check", jrpc_url_check(NULL, NULL, &problem) == 0},
        {"jrpc_url_fault", jrpc_url_fault(NULL, 0, &problem, "x") == -EINVAL},
        {"jrpc_server_add_transport", jrpc_server_add_transport(NULL, NULL) == -EINVAL},
        {"jrpc_listener_limit", jrpc_listener_limit(NULL, "message_max") == -1},
        {"jrpc_listener_service", !jrpc_listener_service(NULL)},
        {"jrpc_listener_document", jrpc_listener_document(NULL, NULL, NULL) == -EINVAL},
        {"jrpc_listener_next", !jrpc_listener_next(NULL, NULL)},
        {"jrpc_listener_is_serving", !jrpc_listener_is_serving(NULL)},
        {"jrpc_listener_measure", jrpc_listener_measure(NULL) == -EINVAL},
        {"jrpc_listener_metrics", jrpc_listener_metrics(NULL, NULL) == -EINVAL},
        {"jrpc_listener_codec", !jrpc_listener_codec(NULL)},
        {"jrpc_listener_set_address", jrpc_listener_set_address(NULL, "x") == -EINVAL},
        {"jrpc_listener_log", free_no_server()},
        {"jrpc_transport_opened", jrpc_transport_opened(NULL, &info, &peer) == -EINVAL},
        {"jrpc_transport_is_needed", !jrpc_transport_is_needed(NULL)},
        {"jrpc_buf_detach", jrpc_buf_detach(NULL, NULL) == NULL},
        {"jrpc_transport_received", jrpc_transport_received(NULL, NULL, "x", 1) == -EINVAL},
        {"jrpc_transport_failed", jrpc_transport_failed(NULL, NULL, -EBADMSG, "x") == -EINVAL},
        {"jrpc_transport_ended", free_no_server()},
        {"jrpc_transport_writable", free_no_server()},
        {"jrpc_transport_buffered", free_no_server()},
        {"jrpc_transport_closed", free_no_server()},
        {"jrpc_listener_closed", free_no_server()},
        {"jrpc_buf_data", !jrpc_buf_data(NULL, NULL)},
        {"jrpc_buf_reserve", !jrpc_buf_reserve(NULL, 1)},
        {"jrpc_buf_advance", free_no_server()},
        {"jrpc_buf_truncate", free_no_server()},
        {"jrpc_buf_consume", free_no_server()},
        {"jrpc_buf_new", jrpc_buf_new(1, NULL) == -EINVAL},
        {"jrpc_buf_free", free_no_server()},
    };
    CHECK(rows);
    CHECK_NAMES("server.h", rows);
    CHECK_NAMES("transport.h", rows);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_server_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

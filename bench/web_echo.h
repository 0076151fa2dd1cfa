/* SPDX-License-Identifier: MIT */
/*
 * web_echo.h - servers of bare libwebsockets, to compare with
 *
 * They are for process_spawn(): they listen on a port of the loopback that the kernel chooses and
 * serve until they are ended. What they send is what they got.
 */
#ifndef WEB_ECHO_H
#define WEB_ECHO_H

#include <stdbool.h>

/**
 * struct web_echo_plan - how it is done
 * @is_http:       POST, else WebSocket
 * @is_uv:         on libuv, else on libwebsockets' own loop, which is poll()
 * @writes_at_once:  WebSocket: all messages there are, until the kernel takes no more, else one for
 *                 each time it may write; HTTP: head and body, else the head when it has the body
 *                 and the body when it may write
 */
typedef struct web_echo_plan {
    bool is_http, is_uv, writes_at_once;
} web_echo_plan;

void web_echo(const void *plan);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * web_row.h - rows of servers of HTTP or WebSocket, ours and others
 */
#ifndef WEB_ROW_H
#define WEB_ROW_H

#include <stdbool.h>
#include <stddef.h>

#include "bench.h"
#include "process.h"

/* A server to be measured. */
typedef struct web_side {
    const char *name;
    void (*serve)(const void *user);
    const void *user;
    bool is_echo; /* it answers what it was asked; else it spells its answer as it likes */
} web_side;

/**
 * struct web_plan - a row and how it is measured
 * @row:        but for its sides
 * @sides:      the last has no name
 * @is_post:    by HTTP and not WebSocket
 * @n_clients:  connections
 * @in_flight:  of each; 0: one after the other, on the servers' own processor
 */
typedef struct web_plan {
    bench_row row;
    web_side sides[BENCH_SIDES_MAX + 1];
    bool is_post;
    size_t n_clients, in_flight;
} web_plan;

#define WEB_PING "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":" WEB_NUMBER "}"
#define WEB_PONG "{\"jsonrpc\":\"2.0\",\"result\":\"pong\",\"id\":" WEB_NUMBER "}"

/* Ours at a URL, for process_spawn(). */
void web_serve(const void *url);

int web_port(const process *server);

/* One more side of a row. */
void web_add_side(web_plan *plan, web_side side);

void web_measure(bench_session *session, const web_plan *plan);

#endif

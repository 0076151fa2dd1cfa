/* SPDX-License-Identifier: MIT */
/*
 * bench_http.c - what a server on HTTP adds to libwebsockets
 *
 * Ours is the ordinary one: a listener on http with default limits and every check on. Beside it
 * stand servers of bare libwebsockets that give back the bodies they get. Clients are bare sockets,
 * the same for all, which keep their connections; and npm's jayson, if it is there. See bench_ws.c
 * for how they share processors.
 */
#include "bench.h"
#include "web_echo.h"
#include "web_npm.h"
#include "web_row.h"

static const web_echo_plan echo = {.is_http = true};
static const web_echo_plan echo_once = {.is_http = true, .writes_at_once = true};
static const web_echo_plan echo_uv = {.is_http = true, .writes_at_once = true, .is_uv = true};

int main(int argc, char **argv)
{
    bench_session session = {.clock = BENCH_WALL, .turn_ns = 20000000};
    web_plan plan = {
        .row = {.name = "lockstep",
                .title = "POST, one call at a time, all on one processor",
                .target = 0.95,
                .goal = 1.0},
        .sides = {{"jrpc", web_serve, "http://127.0.0.1:0", false},
                  {"lws echo", web_echo, &echo, true},
                  {"lws, one write", web_echo, &echo_once, true},
                  {"lws on libuv", web_echo, &echo_uv, true}},
        .is_post = true,
        .n_clients = 1,
    };

    bench_begin(&session, argc, argv,
                "What a server on HTTP adds to libwebsockets, against echoes of the bare library.");
    if (web_npm_has("jayson"))
        web_add_side(&plan, (web_side){"npm jayson", web_npm, "jayson", false});
    web_measure(&session, &plan);
    plan.row = (bench_row){.name = "peers", .title = "100 connections, one POST in flight each"};
    plan.n_clients = 100;
    plan.in_flight = 1;
    web_measure(&session, &plan);
    return bench_end(&session);
}

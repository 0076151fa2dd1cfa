/* SPDX-License-Identifier: MIT */
/*
 * bench_ws.c - what a server on WebSocket adds to libwebsockets, or spares it
 *
 * Ours is the ordinary one: a listener on ws with default limits and every check on. Beside it
 * stand servers of bare libwebsockets that give back the messages they get, and npm's
 * rpc-websockets, if it is there. Each is a process; the
 * clients are bare sockets, the same for all. For calls that follow each other all share one
 * processor, so that what is measured is work and not how a sleeping processor wakes; for calls in
 * flight the clients have one of their own.
 */
#include "bench.h"
#include "web_echo.h"
#include "web_idle.h"
#include "web_npm.h"
#include "web_row.h"

#define OURS "ws://127.0.0.1:0"

enum { N_IDLE = 1000, N_IDLE_MANY = 8000, N_BUSY = 100 };

static const web_echo_plan echo = {0};
static const web_echo_plan echo_all = {.writes_at_once = true};
static const web_echo_plan echo_uv = {.is_uv = true};

static void measure_calls(bench_session *session)
{
    web_plan plan = {
        .row = {.name = "lockstep",
                .title = "one call at a time, all on one processor",
                .target = 0.95,
                .goal = 1.0},
        .sides = {{"jrpc", web_serve, OURS, false},
                  {"lws echo", web_echo, &echo, true},
                  {"lws on libuv", web_echo, &echo_uv, true}},
        .n_clients = 1,
    };

    if (web_npm_has("rpc-websockets"))
        web_add_side(&plan, (web_side){"npm rpc-ws", web_npm, "rpc-websockets", false});
    web_measure(session, &plan);
    web_add_side(&plan, (web_side){"lws, all at once", web_echo, &echo_all, true});
    plan.row = (bench_row){.name = "in_flight",
                           .title = "one connection, 256 calls in flight",
                           .target = 6,
                           .goal = 12};
    plan.in_flight = 256;
    web_measure(session, &plan);
    plan.row = (bench_row){.name = "peers", .title = "100 connections, one call in flight each"};
    plan.n_clients = 100;
    plan.in_flight = 1;
    web_measure(session, &plan);
    plan.row = (bench_row){.name = "peers_in_flight",
                           .title = "100 connections, 16 calls in flight each",
                           .target = 4,
                           .goal = 7};
    plan.in_flight = 16;
    web_measure(session, &plan);
}

int main(int argc, char **argv)
{
    bench_session session = {.clock = BENCH_WALL, .turn_ns = 20000000};

    bench_begin(&session, argc, argv,
                "What a server on WebSocket adds to libwebsockets, or spares it, against echoes"
                " of the bare library.");
    measure_calls(&session);
    web_measure_idle(&session, "idle", N_IDLE);
    if (!session.is_quick)
        web_measure_idle(&session, "idle_many", N_IDLE_MANY);
    web_measure_beside(&session, N_BUSY, N_IDLE_MANY);
    return bench_end(&session);
}

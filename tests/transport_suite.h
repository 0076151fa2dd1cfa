/* SPDX-License-Identifier: MIT */
/*
 * transport_suite.h - the behaviour that every transport must show
 *
 * A test of a transport fills in a suite_link, how its clients connect, send and receive, and runs
 * the suite over it.
 */
#ifndef TEST_TRANSPORT_SUITE_H
#define TEST_TRANSPORT_SUITE_H

#include <stdbool.h>
#include <stddef.h>

#include <jrpc/transport.h>

enum {
    SUITE_PEERS = 2,          /* peers that a case may connect */
    SUITE_PATIENCE_MS = 30000 /* what has not happened by then never will: a failure */
};

/* Everything about a server under test that a link needs to know. */
typedef struct suite_site {
    jrpc_server *server;
    jrpc_service *service;
    jrpc_listener *listeners[SUITE_PEERS]; /* by peer; may be one for all */
    void *link_state;                      /* the link's own */
} suite_site;

/**
 * struct suite_link - how a client speaks to a server by some transport
 * @name:        of the transport and its variant
 * @has_push:    peers can be notified
 * @can_vanish:  a peer that closes while its calls are in flight is missed at once
 * @can_half_close: a peer can tell that it sends nothing more
 * @hears_hang_up:  a client notices that the server has closed its peer
 * @is_shared:   peers cannot be paused; calls beyond their limits are refused
 * @open:        the server does not run yet: listen, for SUITE_PEERS peers
 * @close_site:  the server has been freed
 * @connect:     a client of its own, new; index is 0 to SUITE_PEERS - 1, each once
 * @send:        one message; false: the server takes no more
 * @receive:     the next message, NUL-terminated, to be freed; NULL: the server hung up
 * @half_close:  nothing more is sent, but everything received; NULL if it cannot
 * @close:       the client is gone and freed
 */
typedef struct suite_link {
    const char *name;
    bool has_push, can_vanish, can_half_close, hears_hang_up, is_shared;
    void (*open)(const struct suite_link *link, suite_site *site);
    void (*close_site)(const struct suite_link *link, suite_site *site);
    void *(*connect)(const struct suite_link *link, suite_site *site, size_t index);
    bool (*send)(void *client, const char *data, size_t len);
    char *(*receive)(void *client, size_t *len);
    void (*half_close)(void *client);
    void (*close)(void *client);
} suite_link;

/* All cases; the number of those that failed. */
int run_transport_suite(const suite_link *link);

/* The part of it about limits, pushes and what the application does meanwhile. */
int run_limits_suite(const suite_link *link);

#endif

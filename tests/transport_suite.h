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

    /* For suite_listen(), by listener. */
    jrpc_service *others[SUITE_PEERS];               /* NULL: service */
    const jrpc_listen_options *options[SUITE_PEERS]; /* NULL: none */
    size_t n_listened;
} suite_site;

/* For open() of a link: listens with the service and the options of that peer, and sets the
 * listeners of this peer and of all behind it. So a link whose peers share a listener calls it
 * once, with 0, and one whose peers have one each calls it for each. */
void suite_listen(suite_site *site, size_t index, const char *url);

/**
 * struct suite_link - how a client speaks to a server by some transport
 * @name:        of the transport and its variant
 * @has_push:    peers can be notified
 * @can_vanish:  a peer that closes while its calls are in flight is missed at once
 * @can_half_close: a peer can tell that it sends nothing more
 * @hears_hang_up:  a client notices that the server has closed its peer
 * @is_shared:   peers cannot be paused; calls beyond their limits are refused
 * @can_be_refused: connect() succeeds also if the server wants no more peers; it hangs up then. An
 *               index may be connected again when its client is closed
 * @is_text:     messages that are no UTF-8 end their peer
 * @hangs_up_on_too_large: a message over message_max ends its peer
 * @has_metrics: its endpoints ask for the numbers of methods themselves
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
    bool has_push, can_vanish, can_half_close, hears_hang_up, is_shared, can_be_refused;
    bool is_text, hangs_up_on_too_large, has_metrics;
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

/* Its parts. */
int run_limits_suite(const suite_link *link);
int run_push_suite(const suite_link *link);
int run_cancel_suite(const suite_link *link);
int run_listen_suite(const suite_link *link);
int run_apart_suite(const suite_link *link);
int run_end_suite(const suite_link *link);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * zmq_zap.c - the handler of authentications: one thread for each context
 *
 * A thread, because looking into a folder may block and the loop must not. The list of handlers is
 * the one thing here that all servers of a process share, as they share libzmq's address for it.
 */
#define _GNU_SOURCE
#include "zmq_zap.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>
#include <zmq.h>

#define ZAP_ADDRESS "inproc://zeromq.zap.01"
#define ZAP_VERSION "1.0"

enum { KEY_BYTES = 32, ADDRESS_SIZE = 64 };

/* A question's frames. */
enum { VERSION, REQUEST_ID, DOMAIN_NAME, ADDRESS, ROUTING_ID, MECHANISM, CREDENTIALS, N_FRAMES };

typedef struct zap_handler {
    struct zap_handler *next;
    void *context, *socket, *control; /* the thread's, but for the start */
    void *stop;                       /* a message there ends the thread */
    uv_thread_t thread;
    uv_mutex_t lock; /* of domains, held while one is asked */
    jri_zmq_zap *domains;
} zap_handler;

struct jri_zmq_zap {
    jri_zmq_zap *next;
    zap_handler *handler;
    jri_zmq_clients *clients;
    char domain[JRI_ZMQ_DOMAIN_SIZE];
};

typedef struct verdict {
    const char *status, *text;
    char user[JRI_ZMQ_NAME_SIZE];
} verdict;

static pthread_mutex_t handlers_lock = PTHREAD_MUTEX_INITIALIZER; /* of all that follows */
static zap_handler *handlers;
static uint64_t n_domains, n_handlers; /* so far: no name comes twice */

/*
 * The thread
 */

static bool is_text(zmq_msg_t *frame, const char *text)
{
    return zmq_msg_size(frame) == strlen(text) && !memcmp(zmq_msg_data(frame), text, strlen(text));
}

static jri_zmq_zap *find_domain(const zap_handler *handler, zmq_msg_t *name)
{
    jri_zmq_zap *at = handler->domains;

    while (at && !is_text(name, at->domain))
        at = at->next;
    return at;
}

static void judge(zap_handler *handler, zmq_msg_t *frames, verdict *out)
{
    char key[JRI_ZMQ_KEY_SIZE], address[ADDRESS_SIZE];

    out->status = "400";
    out->text = "Not known here";
    if (!is_text(&frames[VERSION], ZAP_VERSION) || !is_text(&frames[MECHANISM], "CURVE") ||
        zmq_msg_size(&frames[CREDENTIALS]) != KEY_BYTES)
        return;
    zmq_z85_encode(key, zmq_msg_data(&frames[CREDENTIALS]), KEY_BYTES);
    snprintf(address, sizeof(address), "%.*s", (int)zmq_msg_size(&frames[ADDRESS]),
             (const char *)zmq_msg_data(&frames[ADDRESS]));

    uv_mutex_lock(&handler->lock);
    const jri_zmq_zap *zap = find_domain(handler, &frames[DOMAIN_NAME]);
    int status = zap ? jri_zmq_clients_find(zap->clients, key, address, out->user) : -EACCES;
    uv_mutex_unlock(&handler->lock);

    if (!status) {
        out->status = "200";
        out->text = "OK";
    } else if (status != -EACCES) {
        /* "Temporary": the client may come again. */
        out->status = "300";
        out->text = "Try again later";
    }
}

/* A message, if there is one; what is more than the frames of a question is thrown away. */
static bool receive(void *socket, zmq_msg_t frames[N_FRAMES])
{
    zmq_msg_t rest;
    int n = 0;
    bool has_more = true;

    zmq_msg_init(&rest);
    while (has_more) {
        zmq_msg_t *frame = n < N_FRAMES ? &frames[n] : &rest;
        if (zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) < 0)
            break;
        n++;
        has_more = zmq_msg_more(frame);
    }
    zmq_msg_close(&rest);
    return n > 0;
}

static void send_text(void *socket, const char *text, int more)
{
    zmq_send(socket, text, strlen(text), ZMQ_DONTWAIT | more);
}

/* Always, also to what is no question: nothing else is received before. */
static void answer(zap_handler *handler)
{
    zmq_msg_t frames[N_FRAMES];
    verdict reached = {0};

    for (int i = 0; i < N_FRAMES; i++)
        zmq_msg_init(&frames[i]);
    if (receive(handler->socket, frames)) {
        judge(handler, frames, &reached);
        send_text(handler->socket, ZAP_VERSION, ZMQ_SNDMORE);
        zmq_msg_send(&frames[REQUEST_ID], handler->socket, ZMQ_DONTWAIT | ZMQ_SNDMORE);
        send_text(handler->socket, reached.status, ZMQ_SNDMORE);
        send_text(handler->socket, reached.text, ZMQ_SNDMORE);
        send_text(handler->socket, reached.user, ZMQ_SNDMORE);
        send_text(handler->socket, /* metadata */ "", 0);
    }
    for (int i = 0; i < N_FRAMES; i++)
        zmq_msg_close(&frames[i]);
}

/* Until it is told to end, or the context is terminated. */
static void run(void *user)
{
    zap_handler *handler = user;
    zmq_pollitem_t items[] = {{handler->control, 0, ZMQ_POLLIN, 0},
                              {handler->socket, 0, ZMQ_POLLIN, 0}};

    while (!items[0].revents) {
        if (zmq_poll(items, 2, -1) < 0 && errno != EINTR)
            break;
        if (items[1].revents)
            answer(handler);
    }
    /* At once, not when libzmq gets to it: the next handler wants the address. */
    zmq_unbind(handler->socket, ZAP_ADDRESS);
    zmq_close(handler->socket);
    zmq_close(handler->control);
}

/*
 * Its beginning and end
 */

static void close_sockets(zap_handler *handler)
{
    if (handler->socket)
        zmq_close(handler->socket);
    if (handler->control)
        zmq_close(handler->control);
    if (handler->stop)
        zmq_close(handler->stop);
}

static int open_sockets(zap_handler *handler)
{
    char address[64];
    const int no = 0;

    handler->socket = zmq_socket(handler->context, ZMQ_REP);
    handler->control = zmq_socket(handler->context, ZMQ_PAIR);
    handler->stop = zmq_socket(handler->context, ZMQ_PAIR);
    if (!handler->socket || !handler->control || !handler->stop)
        return -errno;
    zmq_setsockopt(handler->socket, ZMQ_LINGER, &no, sizeof(no));
    zmq_setsockopt(handler->stop, ZMQ_LINGER, &no, sizeof(no));
    snprintf(address, sizeof(address), "inproc://jrpc-zap-stop-%" PRIu64, n_handlers++);
    if (zmq_bind(handler->control, address) || zmq_connect(handler->stop, address) ||
        zmq_bind(handler->socket, ZAP_ADDRESS))
        return -errno;
    return 0;
}

/* Signals are for the program's threads. */
static int start_thread(zap_handler *handler)
{
    sigset_t all, old;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int status = uv_thread_create(&handler->thread, run, handler);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return status;
}

static int start_handler(void *context, zap_handler **out)
{
    zap_handler *handler = calloc(1, sizeof(*handler));

    if (!handler)
        return -ENOMEM;
    handler->context = context;
    int status = uv_mutex_init(&handler->lock);
    if (status) {
        free(handler);
        return status;
    }
    status = open_sockets(handler);
    if (!status)
        status = start_thread(handler);
    if (status) {
        close_sockets(handler);
        uv_mutex_destroy(&handler->lock);
        free(handler);
        return status;
    }
    handler->next = handlers;
    handlers = handler;
    *out = handler;
    return 0;
}

static void end_handler(zap_handler *handler)
{
    zap_handler **at = &handlers;

    while (*at != handler)
        at = &(*at)->next;
    *at = handler->next;
    /* If that fails, the context was terminated, and the thread has ended by itself. */
    zmq_send(handler->stop, "", 0, ZMQ_DONTWAIT);
    uv_thread_join(&handler->thread);
    zmq_close(handler->stop);
    uv_mutex_destroy(&handler->lock);
    free(handler);
}

static int find_handler(void *context, zap_handler **out)
{
    zap_handler *at = handlers;

    while (at && at->context != context)
        at = at->next;
    if (!at)
        return start_handler(context, out);
    *out = at;
    return 0;
}

int jri_zmq_zap_add(void *context, jri_zmq_clients *clients, jri_zmq_zap **out)
{
    zap_handler *handler = NULL;
    jri_zmq_zap *zap = calloc(1, sizeof(*zap));

    if (!zap)
        return -ENOMEM;
    zap->clients = clients;
    pthread_mutex_lock(&handlers_lock);
    int status = find_handler(context, &handler);
    if (!status) {
        snprintf(zap->domain, sizeof(zap->domain), "jrpc-%" PRIu64, n_domains++);
        zap->handler = handler;
        uv_mutex_lock(&handler->lock);
        zap->next = handler->domains;
        handler->domains = zap;
        uv_mutex_unlock(&handler->lock);
    }
    pthread_mutex_unlock(&handlers_lock);
    if (status)
        free(zap);
    else
        *out = zap;
    return status;
}

const char *jri_zmq_zap_domain(const jri_zmq_zap *zap)
{
    return zap->domain;
}

void jri_zmq_zap_remove(jri_zmq_zap *zap)
{
    if (!zap)
        return;
    zap_handler *handler = zap->handler;
    pthread_mutex_lock(&handlers_lock);
    uv_mutex_lock(&handler->lock);
    jri_zmq_zap **at = &handler->domains;
    while (*at != zap)
        at = &(*at)->next;
    *at = zap->next;
    bool is_last = !handler->domains;
    uv_mutex_unlock(&handler->lock);
    if (is_last)
        end_handler(handler);
    pthread_mutex_unlock(&handlers_lock);
    free(zap);
}

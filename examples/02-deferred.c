/* SPDX-License-Identifier: MIT */
/*
 * 02-deferred.c - answer later, from another thread
 *
 * Each call gets a thread, which waits for its turn. The last goes first in this batch: run one
 * after the other its members would wait for ever. They run at the same time, end in the order of
 * their turns, and are answered in the order of the requests.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jrpc/jrpc.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    int64_t turn;
};

/* The thread: works, answers, and ends the call. */
static void *run(void *user)
{
    jrpc_call *held = user;
    struct queue *queue = jrpc_call_context(held);
    int64_t turn = jrpc_arg_integer(held, 0);

    pthread_mutex_lock(&queue->lock);
    while (queue->turn < turn)
        pthread_cond_wait(&queue->moved, &queue->lock);
    printf("turn %" PRId64 " ends\n", queue->turn++);
    pthread_cond_broadcast(&queue->moved);
    pthread_mutex_unlock(&queue->lock);

    jrpc_reply_integer(held, turn);
    jrpc_call_free(held);
    return NULL;
}

/* The handler: keeps the call and returns at once. */
static int wait_turn(jrpc_call *call, void *user)
{
    pthread_t thread;
    jrpc_call *held = NULL;

    (void)user;
    int status = jrpc_call_defer(call, &held);
    if (status)
        return status;
    if (pthread_create(&thread, /* attributes */ NULL, run, held))
        jrpc_call_free(held); /* unanswered: an Internal error */
    else
        pthread_detach(thread);
    return 0;
}

static const jrpc_method wait_turn_row =
    JRPC_METHOD("wait_turn", wait_turn, "turn: integer -> integer", "Returns when it is its turn.");

static const char batch[] =
    "[{\"jsonrpc\": \"2.0\", \"method\": \"wait_turn\", \"params\": [3], \"id\": \"a\"},"
    " {\"jsonrpc\": \"2.0\", \"method\": \"wait_turn\", \"params\": [1], \"id\": \"b\"},"
    " {\"jsonrpc\": \"2.0\", \"method\": \"wait_turn\", \"params\": [2], \"id\": \"c\"}]";

int main(void)
{
    struct queue queue = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, .turn = 1};
    jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;
    jrpc_service *service = NULL;
    jrpc_response *response = NULL;

    options.context = &queue;
    int status = jrpc_service_new(/* options */ NULL, &service);
    if (!status)
        status = jrpc_service_add(service, &wait_turn_row, /* user */ NULL);
    if (!status)
        status = jrpc_dispatch(service, batch, strlen(batch), &options, &response); /* waits */
    if (!status)
        puts(jrpc_response_text(response, /* len */ NULL));
    jrpc_response_free(response);
    jrpc_service_free(service);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
/*
 * 10-push.c - tell peers what they did not ask for just now
 *
 * A topic is a list of peers. Who calls `subscribe` gets a notification `news` for each `publish`,
 * whoever calls that; who leaves is forgotten by itself.
 */
#include <stdio.h>
#include <stdlib.h>

#include <jrpc/jrpc.h>

static int subscribe(jrpc_call *call, void *user)
{
    jrpc_topic *topic = user;

    int status = jrpc_topic_add(topic, jrpc_call_peer(call));
    return status ? status : jrpc_reply_boolean(call, true);
}

static int unsubscribe(jrpc_call *call, void *user)
{
    jrpc_topic *topic = user;

    return jrpc_reply_boolean(call, !jrpc_topic_remove(topic, jrpc_call_peer(call)));
}

/* Answers how many it went to. */
static int publish(jrpc_call *call, void *user)
{
    jrpc_topic *topic = user;

    int n_sent =
        jrpc_topic_notify(topic, "news", json_pack("{s:O}", "text", jrpc_arg_json(call, 0)));
    return n_sent < 0 ? n_sent : jrpc_reply_integer(call, n_sent);
}

static const jrpc_method methods[] = {
    JRPC_METHOD("subscribe", subscribe, "-> boolean", "From now on you get the news."),
    JRPC_METHOD("unsubscribe", unsubscribe, "-> boolean", "No more news; false: you had none."),
    JRPC_METHOD("publish", publish, "text: string -> integer", "Tells all who subscribed."),
    JRPC_METHOD_END,
};

int main(void)
{
    jrpc_service *service = NULL;
    jrpc_server *server = NULL;
    jrpc_topic *topic = NULL;

    int status = jrpc_service_new(/* options */ NULL, &service);
    if (!status)
        status = jrpc_server_new(/* options */ NULL, /* loop */ NULL, &server);
    if (!status)
        status = jrpc_topic_new(server, &topic);
    if (!status)
        status = jrpc_service_add_table(service, methods, topic);
    if (!status)
        status = jrpc_server_listen(server, service, "stdio:", /* options */ NULL, /* out */ NULL);
    if (!status)
        status = jrpc_server_run(server);
    if (status)
        fprintf(stderr, "10-push: error %d\n", status);
    jrpc_topic_free(topic);
    jrpc_server_free(server);
    jrpc_service_free(service);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
/*
 * web_client.h - clients of HTTP and WebSocket on bare sockets, the same for all servers
 *
 * They have to be cheaper than any server: messages are made once and sent from where they lie, as
 * many as there is room for by one call. Every answer is compared with what is due, byte by byte
 * and in order. One that is lost, late, wrong or in the wrong place ends the program.
 */
#ifndef WEB_CLIENT_H
#define WEB_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stands in messages and answers for their number, which is not that of their neighbours. */
#define WEB_NUMBER "####"

/**
 * struct web_text - messages of the same length, without end
 * @text:      new; the messages, then the first bytes of them again, so that as many stand behind
 *             every place
 * @item_len:  bytes of a message
 * @len:       of all messages, before they begin anew
 */
typedef struct web_text {
    char *text;
    size_t item_len, len;
} web_text;

/**
 * struct web_client - a connection
 * @n_sent:   messages
 * @come:     bytes of answers
 * @sent_ns:  when the last was sent
 */
typedef struct web_client {
    int fd;
    uint64_t n_sent, come, sent_ns;
} web_client;

/**
 * struct web_crowd - connections to one server
 * @is_post:    by HTTP and not WebSocket
 * @port:       of the loopback
 * @in_flight:  messages that each may have unanswered
 *
 * Up to there it is the caller's to set.
 */
typedef struct web_crowd {
    bool is_post;
    int port;
    size_t n_clients, in_flight;
    web_client *clients; /* new */
    int epoll;
    web_text requests, answers;
    double *samples; /* of web_crowd_time() */
    size_t n_samples, samples_max;
} web_crowd;

/**
 * web_learn() - how a server answers
 * @request:  with WEB_NUMBER
 *
 * Return: new; its answer to one call by a connection of its own, with WEB_NUMBER where the number
 * of the request stands.
 */
char *web_learn(bool is_post, int port, const char *request);

/**
 * web_crowd_open() - connect all, and make one call by each
 * @answer:  NULL: the request
 *
 * What stands before the body of the first answer by HTTP has to stand before all others, too.
 */
void web_crowd_open(web_crowd *it, const char *request, const char *answer);

void web_crowd_close(web_crowd *it);

/* One call by the first of them. */
void web_crowd_call(web_crowd *it);

/* n calls by all together: whoever has an answer sends anew. */
void web_crowd_stream(web_crowd *it, size_t n);

/* From now on it is noted how many nanoseconds each call of a stream takes, of samples_max calls;
 * with one in flight. */
void web_crowd_time(web_crowd *it, size_t samples_max);

/* What servers want to know of connections that do nothing for long: waits so long for pings. On
 * any thread, if no other does anything with the crowd. */
void web_crowd_answer_pings(web_crowd *it, int patience_ms);

#endif

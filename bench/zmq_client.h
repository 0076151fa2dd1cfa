/* SPDX-License-Identifier: MIT */
/*
 * zmq_client.h - what the benchmark sends through ZeroMQ, and what has to come back
 *
 * Every answer is compared with what is due, byte by byte and in order. One that is lost, late,
 * wrong or in the wrong place ends the program.
 */
#ifndef ZMQ_CLIENT_H
#define ZMQ_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stands in messages and answers for their number, which is another one in every message. */
#define CLIENT_NUMBER "#######"

/**
 * struct client - a socket, connected to one server
 * @has_delimiter:    it puts the empty frame in front itself
 * @request, @answer: new; texts with a place for the number
 * @n_sent, @n_come:  the numbers that are next
 */
typedef struct client {
    void *socket;
    bool has_delimiter;
    char *request, *answer;
    size_t request_len, answer_len;
    char *request_number, *answer_number;
    uint64_t n_sent, n_come;
} client;

/**
 * client_open() - connect
 * @context:  libzmq's
 * @type:     ZMQ_REQ; or ZMQ_DEALER, which puts the empty frame in front as REQ does
 */
void client_open(client *it, void *context, int type, const char *url);

/* What it says and hears from now on. @answer NULL: what it said. */
void client_set_texts(client *it, const char *request, const char *answer);

void client_close(client *it);

void client_send(client *it);
void client_receive(client *it);

/* n messages, with up to so many of them unanswered. */
void client_stream(client *it, size_t n, size_t in_flight);

#endif

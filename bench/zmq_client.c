/* SPDX-License-Identifier: MIT */
/*
 * zmq_client.c - what the benchmark sends through ZeroMQ, and what has to come back
 */
#include "zmq_client.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "bench.h"

/* Longer than anything is under valgrind; an answer that is not there then is lost. */
enum { PATIENCE_MS = 30000 };

void client_open(client *it, void *context, int type, const char *url)
{
    const int patience = PATIENCE_MS, linger = 0;

    *it = (client){.socket = zmq_socket(context, type), .has_delimiter = type == ZMQ_DEALER};
    if (!it->socket || zmq_setsockopt(it->socket, ZMQ_RCVTIMEO, &patience, sizeof(patience)) ||
        zmq_setsockopt(it->socket, ZMQ_LINGER, &linger, sizeof(linger)) ||
        zmq_connect(it->socket, url))
        bench_fail("%s: %s", url, zmq_strerror(zmq_errno()));
}

/* A copy, and where the number goes. */
static char *copy_text(const char *text, size_t *len, char **number)
{
    char *copy = strdup(text);

    *number = copy ? strstr(copy, CLIENT_NUMBER) : NULL;
    *len = strlen(text);
    if (!*number)
        bench_fail("no message '%.100s'", text);
    return copy;
}

void client_set_texts(client *it, const char *request, const char *answer)
{
    free(it->request);
    free(it->answer);
    it->request = copy_text(request, &it->request_len, &it->request_number);
    it->answer = copy_text(answer ? answer : request, &it->answer_len, &it->answer_number);
}

void client_close(client *it)
{
    zmq_close(it->socket);
    free(it->request);
    free(it->answer);
}

static void write_number(char *to, uint64_t number)
{
    size_t n_digits = strlen(CLIENT_NUMBER);

    while (n_digits--) {
        to[n_digits] = (char)('0' + number % 10);
        number /= 10;
    }
    if (*to == '0') /* JSON has no leading zeros */
        *to = '1';
}

void client_send(client *it)
{
    write_number(it->request_number, it->n_sent++);
    if ((it->has_delimiter && zmq_send(it->socket, "", 0, ZMQ_SNDMORE) < 0) ||
        zmq_send(it->socket, it->request, it->request_len, 0) < 0)
        bench_fail("sending: %s", zmq_strerror(zmq_errno()));
}

/* The next frame, which has to be this one. */
static void receive_frame(client *it, const char *expected, size_t len, bool has_more)
{
    zmq_msg_t frame;

    zmq_msg_init(&frame);
    if (zmq_msg_recv(&frame, it->socket, 0) < 0)
        bench_fail("no answer to %.100s: %s", it->request, zmq_strerror(zmq_errno()));
    const char *data = zmq_msg_data(&frame);
    size_t n = zmq_msg_size(&frame);
    if (n != len || memcmp(data, expected, len) != 0 || zmq_msg_more(&frame) != has_more)
        bench_fail("answered %.*s instead of %.100s", n < 100 ? (int)n : 100, data, expected);
    zmq_msg_close(&frame);
}

void client_receive(client *it)
{
    write_number(it->answer_number, it->n_come++);
    if (it->has_delimiter)
        receive_frame(it, "", 0, /* has_more */ true);
    receive_frame(it, it->answer, it->answer_len, /* has_more */ false);
}

void client_stream(client *it, size_t n, size_t in_flight)
{
    uint64_t end = it->n_sent + n;

    while (it->n_come < end) {
        while (it->n_sent < end && it->n_sent - it->n_come < in_flight)
            client_send(it);
        client_receive(it);
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * web_client.c - clients of HTTP and WebSocket on bare sockets, the same for all servers
 */
#define _GNU_SOURCE
#include "web_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

enum {
    N_ITEMS = 1024,
    FIRST_NUMBER = 1000,
    CHUNK = 65536, /* bytes read at once, and most that is sent at once */
    HEAD_MAX = 1024,
    CONTROL_MAX = 127, /* bytes of a control frame */
    EVENTS_MAX = 128,
    OPENED_AT_ONCE = 64,
    PATIENCE_S = 60, /* longer than anything is under valgrind; what is not there then is lost */
};

/*
 * Messages
 */

static web_text text_new(size_t item_len)
{
    web_text made = {.item_len = item_len, .len = item_len * N_ITEMS};

    made.text = malloc(made.len + CHUNK);
    if (!made.text)
        bench_fail("out of memory");
    return made;
}

static void text_close(web_text *it)
{
    for (size_t i = 0; i < CHUNK; i++)
        it->text[it->len + i] = it->text[i % it->len];
}

/* The head, then the text with its number; masked as a client has to, or not. */
static web_text make_text(const char *head, size_t head_len, const char *text, const char *mask)
{
    size_t len = strlen(text);
    const char *number = strstr(text, WEB_NUMBER);
    web_text made = text_new(head_len + len);

    if (!number)
        bench_fail("no message '%.100s'", text);
    for (unsigned i = 0; i < N_ITEMS; i++) {
        char *to = made.text + i * made.item_len, digits[16];
        snprintf(digits, sizeof(digits), "%d", FIRST_NUMBER + i);
        memcpy(to, head, head_len);
        memcpy(to + head_len, text, len);
        memcpy(to + head_len + (number - text), digits, strlen(WEB_NUMBER));
        for (size_t j = 0; mask && j < len; j++)
            to[head_len + j] ^= mask[j % 4];
    }
    text_close(&made);
    return made;
}

/* One frame; texts are short. */
static web_text make_frames(const char *text, bool is_masked)
{
    static const char mask[4] = {0x1f, 0x2e, 0x3d, 0x4c};
    char head[2 + sizeof(mask)] = {(char)0x81, (char)strlen(text)};

    if (strlen(text) > 125)
        bench_fail("'%.100s...' is too long", text);
    if (!is_masked)
        return make_text(head, 2, text, /* mask */ NULL);
    head[1] |= (char)0x80;
    memcpy(head + 2, mask, sizeof(mask));
    return make_text(head, sizeof(head), text, mask);
}

static web_text make_posts(const char *text, int port)
{
    char head[HEAD_MAX];

    int len = snprintf(head, sizeof(head),
                       "POST / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                       "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                       port, strlen(text));
    return make_text(head, (size_t)len, text, /* mask */ NULL);
}

/*
 * A connection
 */

static void open_socket(web_client *it, int port)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;

    *it = (web_client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (it->fd < 0 || connect(it->fd, (const struct sockaddr *)&to, sizeof(to)) ||
        setsockopt(it->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
        setsockopt(it->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) ||
        setsockopt(it->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
        bench_fail("connecting to port %d: %s", port, strerror(errno));
}

static void send_all(const web_client *it, const char *data, size_t len)
{
    ssize_t n = send(it->fd, data, len, MSG_NOSIGNAL);

    if (n != (ssize_t)len)
        bench_fail("sending: %s", n < 0 ? strerror(errno) : "not all was taken");
}

/* What the server says when nothing follows until it is asked, with a NUL behind. */
static size_t receive_until(const web_client *it, const char *end, char out[HEAD_MAX])
{
    size_t len = 0;

    do {
        ssize_t n = recv(it->fd, out + len, HEAD_MAX - 1 - len, 0);
        if (n <= 0)
            bench_fail("no answer: %s", n ? strerror(errno) : "unexpected end");
        len += (size_t)n;
        out[len] = '\0';
    } while (!strstr(out, end));
    return len;
}

static void ask_for_upgrade(const web_client *it, int port)
{
    char text[HEAD_MAX];

    int len = snprintf(text, sizeof(text),
                       "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                       "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                       port);
    send_all(it, text, (size_t)len);
}

static void await_upgrade(const web_client *it)
{
    char text[HEAD_MAX];

    receive_until(it, "\r\n\r\n", text);
    if (strncmp(text, "HTTP/1.1 101 ", 13) != 0 ||
        !strcasestr(text, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
        bench_fail("no WebSocket: %s", text);
}

static void send_next(const web_crowd *crowd, web_client *it, size_t n)
{
    const web_text *requests = &crowd->requests;

    send_all(it, requests->text + it->n_sent % N_ITEMS * requests->item_len,
             n * requests->item_len);
    it->n_sent += n;
}

static void send_pong(const web_client *it, const char *payload, size_t len)
{
    char frame[6 + CONTROL_MAX] = {(char)0x8a, (char)(0x80 | len)}; /* masked by zeros */

    memcpy(frame + 6, payload, len);
    send_all(it, frame, 6 + len);
}

/* A row may take longer than a server is content without a sign of life. Return: bytes left. */
static size_t answer_pings(const web_crowd *crowd, web_client *it, char *buffer, size_t n)
{
    size_t item_len = crowd->answers.item_len;
    size_t at = (item_len - it->come % item_len) % item_len; /* where the next frame begins */

    while (at < n && !crowd->is_post) {
        if ((unsigned char)buffer[at] != 0x89) {
            at += item_len;
            continue;
        }
        size_t len = 2;
        while (n - at < len || n - at < (len = 2 + (size_t)buffer[at + 1])) {
            if (len > CONTROL_MAX || recv(it->fd, buffer + n, 1, 0) != 1)
                bench_fail("a ping has no end");
            n++;
        }
        send_pong(it, buffer + at + 2, len - 2);
        memmove(buffer + at, buffer + at + len, n - at - len);
        n -= len;
    }
    return n;
}

/* Whatever is there, which has to be what is due. */
static size_t receive_some(const web_crowd *crowd, web_client *it, int flags)
{
    static _Thread_local char buffer[CHUNK + CONTROL_MAX];
    const web_text *answers = &crowd->answers;
    const char *due = answers->text + it->come % answers->len;

    ssize_t got = recv(it->fd, buffer, CHUNK, flags);
    if (got < 0 && errno == EAGAIN && flags)
        return 0;
    if (got <= 0)
        bench_fail("no answer: %s", got ? strerror(errno) : "unexpected end");
    size_t n = (size_t)got;
    if (memcmp(buffer, due, n) != 0)
        n = answer_pings(crowd, it, buffer, n);
    if (memcmp(buffer, due, n) != 0)
        bench_fail("answered %.*s instead of %.200s", n < 200 ? (int)n : 200, buffer, due);
    it->come += n;
    return n;
}

/* The first frame, or the first body: how long what stands before it is. */
static size_t head_len_of(bool is_post, const char *text, size_t len)
{
    if (!is_post && len > 2 && (unsigned char)text[0] == 0x81 && text[1] == (char)(len - 2))
        return 2;
    const char *end = is_post ? strstr(text, "\r\n\r\n") : NULL;
    const char *length = is_post ? strcasestr(text, "\r\nContent-Length:") : NULL;
    if (!end || !length || strtoul(length + 17, NULL, 10) != len - (size_t)(end + 4 - text))
        bench_fail("answered %s", text);
    return (size_t)(end + 4 - text);
}

char *web_learn(bool is_post, int port, const char *request)
{
    web_crowd crowd = {.is_post = is_post};
    char text[HEAD_MAX], digits[16];
    web_client client;

    crowd.requests = is_post ? make_posts(request, port) : make_frames(request, true);
    open_socket(&client, port);
    if (!is_post) {
        ask_for_upgrade(&client, port);
        await_upgrade(&client);
    }
    send_next(&crowd, &client, 1);
    size_t len = receive_until(&client, "}", text);
    char *answer = strdup(text + head_len_of(is_post, text, len));
    snprintf(digits, sizeof(digits), "%d", FIRST_NUMBER);
    char *number = answer ? strstr(answer, digits) : NULL;
    if (!number)
        bench_fail("answered %s", text);
    memcpy(number, WEB_NUMBER, strlen(WEB_NUMBER));
    close(client.fd);
    free(crowd.requests.text);
    return answer;
}

static void await_answer(const web_crowd *crowd, web_client *it)
{
    while (it->come < it->n_sent * crowd->answers.item_len)
        receive_some(crowd, it, /* flags */ 0);
}

/*
 * All of them
 */

/* The first POST shows what head the server's answers have. */
static void learn(web_crowd *crowd, web_client *it, const char *answer)
{
    char text[HEAD_MAX], body[HEAD_MAX];
    char *number;

    snprintf(body, sizeof(body), "%s", answer);
    number = strstr(body, WEB_NUMBER);
    if (number) {
        char digits[16];
        snprintf(digits, sizeof(digits), "%d", FIRST_NUMBER);
        memcpy(number, digits, strlen(WEB_NUMBER));
    }
    send_next(crowd, it, 1);
    size_t len = receive_until(it, body, text), body_len = strlen(body);
    if (strncmp(text, "HTTP/1.1 200 ", 13) != 0 || strcmp(text + len - body_len, body) != 0)
        bench_fail("answered %s", text);
    crowd->answers = make_text(text, len - body_len, answer, /* mask */ NULL);
    it->come = len;
}

/* n of them from the given one on. Whoever opens thousands does not wait for each. */
static void open_some(web_crowd *it, size_t first, size_t n, const char *answer)
{
    web_client *begin = it->clients + first, *end = begin + n;

    for (web_client *client = begin; client < end; client++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        open_socket(client, it->port);
        if (epoll_ctl(it->epoll, EPOLL_CTL_ADD, client->fd, &event))
            bench_fail("epoll_ctl: %s", strerror(errno));
        if (!it->is_post)
            ask_for_upgrade(client, it->port);
    }
    for (web_client *client = begin; client < end && !it->is_post; client++)
        await_upgrade(client);
    if (it->is_post && !first)
        learn(it, begin++, answer);
    for (web_client *client = begin; client < end; client++)
        send_next(it, client, 1);
    for (web_client *client = begin; client < end; client++)
        await_answer(it, client);
}

void web_crowd_open(web_crowd *it, const char *request, const char *answer)
{
    if (!answer)
        answer = request;
    it->clients = calloc(it->n_clients, sizeof(*it->clients));
    it->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!it->clients || it->epoll < 0)
        bench_fail("no clients: %s", strerror(errno));
    if (it->is_post) {
        it->requests = make_posts(request, it->port);
    } else {
        it->requests = make_frames(request, /* is_masked */ true);
        it->answers = make_frames(answer, /* is_masked */ false);
    }
    if (it->in_flight * it->requests.item_len > CHUNK)
        bench_fail("%zu in flight are too many", it->in_flight);
    for (size_t i = 0; i < it->n_clients; i += OPENED_AT_ONCE)
        open_some(it, i, it->n_clients - i < OPENED_AT_ONCE ? it->n_clients - i : OPENED_AT_ONCE,
                  answer);
}

void web_crowd_close(web_crowd *it)
{
    for (size_t i = 0; i < it->n_clients; i++)
        close(it->clients[i].fd);
    close(it->epoll);
    free(it->clients);
    free(it->requests.text);
    free(it->answers.text);
    free(it->samples);
}

void web_crowd_call(web_crowd *it)
{
    send_next(it, it->clients, 1);
    await_answer(it, it->clients);
}

static void fill(const web_crowd *crowd, web_client *it, size_t *to_send)
{
    size_t room = crowd->in_flight - (size_t)(it->n_sent - it->come / crowd->answers.item_len);
    size_t n = room < *to_send ? room : *to_send;

    if (!n)
        return;
    if (crowd->samples)
        it->sent_ns = bench_wall_ns();
    send_next(crowd, it, n);
    *to_send -= n;
}

/* The answer is there. */
static void take_time(web_crowd *crowd, const web_client *it)
{
    if (crowd->n_samples < crowd->samples_max)
        crowd->samples[crowd->n_samples++] = (double)(bench_wall_ns() - it->sent_ns);
}

void web_crowd_stream(web_crowd *it, size_t n)
{
    struct epoll_event events[EVENTS_MAX];
    uint64_t to_come = (uint64_t)n * it->answers.item_len;

    for (size_t i = 0; i < it->n_clients; i++)
        fill(it, &it->clients[i], &n);
    while (to_come) {
        int n_events = epoll_wait(it->epoll, events, EVENTS_MAX, PATIENCE_S * 1000);
        if (n_events <= 0)
            bench_fail("no answers: %s", n_events ? strerror(errno) : "they are lost");
        for (int i = 0; i < n_events; i++) {
            web_client *client = events[i].data.ptr;
            size_t come = receive_some(it, client, MSG_DONTWAIT);
            to_come -= come;
            if (it->samples && come)
                take_time(it, client);
            fill(it, client, &n);
        }
    }
}

void web_crowd_time(web_crowd *it, size_t samples_max)
{
    it->samples = calloc(samples_max, sizeof(*it->samples));
    if (!it->samples)
        bench_fail("out of memory");
    it->samples_max = samples_max;
}

void web_crowd_answer_pings(web_crowd *it, int patience_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int n = epoll_wait(it->epoll, events, EVENTS_MAX, patience_ms);

    for (int i = 0; i < n; i++)
        receive_some(it, events[i].data.ptr, MSG_DONTWAIT);
}

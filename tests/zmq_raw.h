/* SPDX-License-Identifier: MIT */
/*
 * zmq_raw.h - clients of a ZeroMQ endpoint that speak ZMTP by themselves, well or badly
 *
 * Include after zmq_place.h.
 */
#ifndef TEST_ZMQ_RAW_H
#define TEST_ZMQ_RAW_H

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "zmq_place.h"

enum { RAW_MORE = 1, RAW_COMMAND = 4 }; /* flags of a frame */

static inline int connect_raw(const zmq_place *place)
{
    struct sockaddr_in host = {.sin_family = AF_INET};
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    const char *at = strstr(place->endpoint, "://") + 3;
    bool is_ipc = !strncmp(place->endpoint, "ipc", 3);
    int fd = socket(is_ipc ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    host.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (is_ipc)
        snprintf(path.sun_path, sizeof(path.sun_path), "%s", at);
    else
        host.sin_port = htons((uint16_t)atoi(strchr(at, ':') + 1));
    assert_int_equal(is_ipc ? connect(fd, (struct sockaddr *)&path, sizeof(path))
                            : connect(fd, (struct sockaddr *)&host, sizeof(host)),
                     0);
    return fd;
}

static inline bool try_write(int fd, const void *data, size_t len)
{
    for (size_t n = 0; n < len;) {
        ssize_t sent = send(fd, (const char *)data + n, len - n, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
            return false;
        assert_true(sent > 0);
        n += (size_t)sent;
    }
    return true;
}

static inline bool try_frame(int fd, int flags, const char *data, size_t len)
{
    unsigned char frame[2 + 255] = {(unsigned char)flags, (unsigned char)len};

    assert_true(len <= 255);
    memcpy(frame + 2, data, len);
    return try_write(fd, frame, 2 + len);
}

static inline void send_frame(int fd, int flags, const char *data, size_t len)
{
    assert_true(try_frame(fd, flags, data, len));
}

static inline void read_bytes(int fd, void *to, size_t len)
{
    assert_int_equal(recv(fd, to, len, MSG_WAITALL), len);
}

/* A frame, NUL-terminated; its flags. */
static inline int read_frame(int fd, char text[256])
{
    unsigned char head[2];

    read_bytes(fd, head, sizeof(head));
    if (head[1])
        read_bytes(fd, text, head[1]);
    text[head[1]] = '\0';
    return head[0];
}

/* The next message; commands are passed over. */
static inline void expect_answer(int fd, const char *expected)
{
    char text[256];
    int flags;

    do
        flags = read_frame(fd, text);
    while (flags & RAW_COMMAND);
    assert_int_equal(flags, RAW_MORE);
    assert_string_equal(text, "");
    assert_int_equal(read_frame(fd, text), 0);
    assert_string_equal(text, expected);
}

static inline void expect_raw_pong(int fd)
{
    send_frame(fd, RAW_MORE, "", 0);
    send_frame(fd, 0, PING, strlen(PING));
    expect_answer(fd, PONG);
}

/* A DEALER that is known to the server. */
static inline int open_raw(const zmq_place *place)
{
    static const unsigned char greeting[64] = {0xff, 0,    0, 0, 0,   0,   0,   0,
                                               0,    0x7f, 3, 0, 'N', 'U', 'L', 'L'};
    static const char ready[] = "\5READY\13Socket-Type\0\0\0\6DEALER";
    char theirs[64], text[256];
    int fd = connect_raw(place);

    assert_true(try_write(fd, greeting, sizeof(greeting)));
    send_frame(fd, RAW_COMMAND, ready, sizeof(ready) - 1);
    read_bytes(fd, theirs, sizeof(theirs));
    assert_int_equal(read_frame(fd, text), RAW_COMMAND);
    expect_raw_pong(fd);
    return fd;
}

#endif

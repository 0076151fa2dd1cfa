/* SPDX-License-Identifier: MIT */
/*
 * stream_place.h - a folder for sockets, and connections to what a listener says it listens on
 *
 * Include after cmocka.h.
 */
#ifndef TEST_STREAM_PLACE_H
#define TEST_STREAM_PLACE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FOLDER_SIZE = 32 };

static inline void make_folder(char folder[FOLDER_SIZE])
{
    snprintf(folder, FOLDER_SIZE, "/tmp/jrpc-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

/* Nothing may be left in it. */
static inline void remove_folder(const char *folder)
{
    assert_int_equal(rmdir(folder), 0);
}

/* unix:/path, unix:@name, tcp://127.0.0.1:PORT or tcp://[::1]:PORT; -1: nobody listens. */
static inline int connect_to(const char *url)
{
    union {
        struct sockaddr any;
        struct sockaddr_un path;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } to = {.any.sa_family = AF_UNIX};
    socklen_t len = sizeof(to.path);
    unsigned port = 0;

    if (sscanf(url, "tcp://127.0.0.1:%u", &port) == 1) {
        to.v4 = (struct sockaddr_in){.sin_family = AF_INET,
                                     .sin_port = htons((uint16_t)port),
                                     .sin_addr = {htonl(INADDR_LOOPBACK)}};
        len = sizeof(to.v4);
    } else if (sscanf(url, "tcp://[::1]:%u", &port) == 1) {
        to.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
                                      .sin6_port = htons((uint16_t)port),
                                      .sin6_addr = IN6ADDR_LOOPBACK_INIT};
        len = sizeof(to.v6);
    } else {
        const char *path = url + strlen("unix:");
        size_t n = strcspn(path, "?");
        memcpy(to.path.sun_path, path, n);
        if (*path == '@') {
            to.path.sun_path[0] = '\0';
            len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
        }
    }
    int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, &to.any, len) == 0)
        return fd;
    close(fd);
    return -1;
}

#endif

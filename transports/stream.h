/* SPDX-License-Identifier: MIT */
/*
 * stream.h - what a listener of unix: and tcp: listens on
 */
#ifndef JRI_STREAM_H
#define JRI_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <jrpc/transport.h>

enum {
    JRI_STREAM_PATH_MAX = 107,     /* bytes of a Unix socket's path, of the kernel's 108 */
    JRI_STREAM_ADDRESS_SIZE = 128, /* of a peer's address in text, with its NUL */
};

/**
 * struct jri_stream_place - where a listener listens
 * @is_unix:    at a path, else at a host and port
 * @fd:         the listening socket; -1: none
 * @backlog:    connections that wait to be accepted
 * @mode:       permissions of the socket's file
 * @keepalive:  seconds without a byte after which a TCP peer is asked whether it is there; 0: never
 * @path:       of a Unix socket; an abstract one begins with "@"
 * @host:       as in the URL
 * @device, @inode: of the socket's file, to know it again; 0: there is none to be removed
 */
typedef struct jri_stream_place {
    bool is_unix;
    int fd;
    int64_t backlog, keepalive;
    unsigned mode;
    char path[JRI_STREAM_PATH_MAX + 1];
    char host[256];
    uint16_t port;
    dev_t device;
    ino_t inode;
} jri_stream_place;

/* Reads the URL but for framing=. 0, or -EINVAL with the reason in problem. */
int jri_stream_place_read(jri_stream_place *place, const jrpc_url *url, jrpc_problem *problem);

/**
 * jri_stream_listen() - bind and listen
 * @port:  the real one, of TCP
 * @why:   of a failure: static text, or NULL if the code says it all
 *
 * A host's name is looked up here, which may take a while.
 * Return: 0, or negative errno: then nothing is left behind.
 */
int jri_stream_listen(jri_stream_place *place, uint16_t *port, const char **why);

/* Closes the socket and removes its file, if it is still ours. May be called again. */
void jri_stream_unlisten(jri_stream_place *place);

/* A new peer's socket: sets it up and says where it comes from and who it is. identity is empty if
 * that is not known. */
void jri_stream_welcome(const jri_stream_place *place, int fd, char address[],
                        char identity[JRI_STREAM_ADDRESS_SIZE]);

/* Bytes that the other end of a TCP socket has got, modulo 2^32; 0: the kernel does not tell. */
uint32_t jri_stream_acknowledged(int fd);

#endif

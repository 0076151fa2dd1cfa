/* SPDX-License-Identifier: MIT */
/*
 * duplex.h - framed messages on a pair of descriptors: a peer of stdio: and fd:, unix: and tcp:
 *
 * Descriptors that can be polled are, in non-blocking reads and writes; regular files and /dev/null
 * cannot, and are read and written piece by piece, a piece a turn of the loop. The peer's state is
 * a jri_duplex; the transport's functions for peers are those here.
 */
#ifndef JRI_DUPLEX_H
#define JRI_DUPLEX_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include <jrpc/transport.h>

#include "framing.h"

enum {
    JRI_DUPLEX_CHUNK = 65536,    /* bytes read at once: a pipe's capacity */
    JRI_DUPLEX_LINGER_MS = 5000, /* a socket that is hung up on and reads nothing for so long */
};

typedef struct jri_duplex {
    jrpc_listener *owner;
    uv_poll_t in_poll, out_poll;
    uv_idle_t idle;   /* reads a file */
    uv_timer_t timer; /* runs while it lingers */
    int in, out;      /* descriptors */
    bool is_single;   /* they are the same one, polled by in_poll alone */
    bool is_socket, in_is_file, out_is_file, is_idling, has_timer;
    int in_events, out_events; /* that are polled for */
    int n_handles;             /* not closed yet */
    jri_framing framing;
    char *chunk;            /* shared with others */
    const char *fresh;      /* n_fresh bytes of it that are being delivered; NULL: input is */
    size_t n_fresh, n_read; /* n_read: by the last read */
    jrpc_buf *input;        /* what was read and not consumed */
    jrpc_buf *output;
    size_t n_buffered; /* of input: bytes that the server was told of */
    size_t sent;       /* of output: bytes written */
    size_t ready;      /* of output: bytes of whole answers */
    bool is_paused, is_delivering, is_closing, is_broken;
    bool is_blocked;   /* what is ready could not be written */
    bool has_eof;      /* nothing can be read any more */
    bool is_at_end;    /* nothing is to be read any more */
    bool has_ended;    /* the server was told so */
    bool is_lingering; /* all is written, and what the peer still sends is thrown away */
    bool is_deaf;      /* there is urgent data: hang-ups cannot be watched for */
    int reason;
    void (*closed)(struct jri_duplex *duplex); /* all handles are closed: close the descriptors */
} jri_duplex;

/**
 * struct jri_duplex_options - what a duplex is made of
 * @in, @out:  open until `closed`; the same one twice for a socket
 * @chunk:     JRI_DUPLEX_CHUNK bytes, which all peers of a loop may share; valid until `closed`
 */
typedef struct jri_duplex_options {
    jrpc_listener *owner;
    uv_loop_t *loop;
    int in, out;
    jri_framing_mode mode;
    char *chunk;
    void (*closed)(jri_duplex *duplex);
} jri_duplex_options;

/* 0, or negative errno: then nothing is to be undone. Reading begins with the loop. */
int jri_duplex_start(jri_duplex *duplex, const jri_duplex_options *options);

/* Frees the buffers; in `closed`. */
void jri_duplex_fini(jri_duplex *duplex);

jrpc_buf *jri_duplex_answer_begin(void *peer, void *exchange);
int jri_duplex_answer_end(void *peer, void *exchange, jrpc_buf *buf, size_t start, int http_status);
void jri_duplex_flush(void *peer);
void jri_duplex_pause(void *peer, bool is_paused);
void jri_duplex_drop(void *peer, int reason);

#endif

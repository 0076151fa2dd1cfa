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

typedef struct jri_duplex {
    jrpc_listener *owner;
    uv_poll_t in_poll, out_poll;
    uv_idle_t idle; /* reads a file */
    int in, out;    /* descriptors; the same twice for a socket */
    bool is_socket, in_is_file, out_is_file, is_reading, is_polling_out;
    int n_handles; /* not closed yet */
    jri_framing framing;
    jrpc_buf *input, *output;
    size_t done;  /* of input: bytes consumed */
    size_t sent;  /* of output: bytes written */
    size_t ready; /* of output: bytes of whole answers */
    bool is_paused, is_at_end, is_delivering, is_closing, is_broken;
    bool has_ended; /* the server was told */
    int reason;
    void (*closed)(struct jri_duplex *duplex); /* all handles are closed: close the descriptors */
} jri_duplex;

typedef struct jri_duplex_options {
    jrpc_listener *owner;
    uv_loop_t *loop;
    int in, out;
    jri_framing_mode mode;
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

/* SPDX-License-Identifier: MIT */
/*
 * web_frame.h - WebSocket frames made by us, and HTTP bodies in chunks: pure functions
 */
#ifndef JRI_WEB_FRAME_H
#define JRI_WEB_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JRI_FRAME_HEADER_MAX = 10 };

/* The header of an unmasked frame that is a whole message (RFC 6455, section 5.2): its length. */
size_t jri_web_frame_header(bool is_binary, size_t len, unsigned char to[JRI_FRAME_HEADER_MAX]);

/* Of frames made so, len bytes of whole ones: the bytes of the first that have least together. */
size_t jri_web_frames_end(const unsigned char *frames, size_t len, size_t least);

/* A body in chunks (RFC 9112, section 7.1). All zeros before the first byte. */
typedef struct jri_web_chunks {
    uint64_t left; /* of the chunk */
    uint8_t state;
    uint8_t n_digits;
    uint16_t n_line; /* bytes of a line that is skipped */
} jri_web_chunks;

/**
 * jri_web_chunks_next() - the next piece of the body
 * @at:     moved behind what was read
 * @piece, @piece_len: in the input
 *
 * Return: 1 a piece; 0 all is read and more is needed; 2 the body has ended; -EBADMSG.
 */
int jri_web_chunks_next(jri_web_chunks *chunks, const char **at, const char *end,
                        const char **piece, size_t *piece_len);

/* Bytes of the chunk that are still to come; 0 while its size is. */
uint64_t jri_web_chunks_due(const jri_web_chunks *chunks);

#endif

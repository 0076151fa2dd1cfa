/* SPDX-License-Identifier: MIT */
/*
 * codec.h - the pluggable serializer and deserializer
 *
 * Without a codec a service speaks JSON through the library's own reader and writer, the fast
 * way. With one, every message is deserialized into a jansson value first and every answer,
 * errors too, is built as a value and serialized by the codec: MessagePack, CBOR or a JSON
 * library of your own.
 */
#ifndef JRPC_CODEC_H
#define JRPC_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include <jrpc/error.h>
#include <jrpc/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** typedef jrpc_buf - a growable run of bytes with a limit; the library makes them */
typedef struct jrpc_buf jrpc_buf;

/**
 * jrpc_buf_append() - add bytes at the end
 * @buf:   where to; NULL is -EINVAL
 * @data:  borrowed; may be NULL if @len is 0
 * @len:   bytes
 *
 * All or nothing: on failure the buffer is as it was.
 *
 * Threads: the one that was handed the buffer. Blocks: never.
 * Return: 0; -EMSGSIZE if the buffer's limit would be passed (for an answer: reply_max);
 * -ENOMEM; -EINVAL.
 */
JRPC_API int jrpc_buf_append(jrpc_buf *buf, const void *data, size_t len);

/**
 * struct jrpc_codec - a pair of function pointers and what they speak
 * @size:          sizeof(jrpc_codec)
 * @name:          for logs, for example "msgpack"
 * @content_type:  the MIME type over HTTP, for example "application/msgpack"
 * @is_binary:     messages may hold any byte: not for line framing, binary frames on WebSocket
 * @user:          handed to both functions
 * @deserialize:   one whole message into one value. 0 and a *new* value in @out, or negative
 *                 errno with, if it wants, a text in @problem (never NULL; sent to the peer as
 *                 `data` in debug). Any failure answers -32700, but -ENOMEM -32603.
 * @serialize:     appends @value, an object or an array, to @to by jrpc_buf_append(). 0 or
 *                 negative errno: the answer becomes -32603 (-32003 for -EMSGSIZE), in a batch
 *                 only the member that cannot be serialized.
 *
 * Both functions are called on the thread that dispatches or gives the last answer, and must be
 * safe to call from several threads at once if the service is used so. JSON-RPC's own members
 * are text strings for the codec: "jsonrpc", "method", "params", "id", "result", "error".
 */
typedef struct jrpc_codec {
    size_t size;
    const char *name, *content_type;
    bool is_binary;
    void *user;
    int (*deserialize)(const char *data, size_t len, void *user, json_t **out,
                       jrpc_problem *problem);
    int (*serialize)(const json_t *value, jrpc_buf *to, void *user);
} jrpc_codec;

#define JRPC_CODEC_INIT                                                                            \
    {                                                                                              \
        sizeof(jrpc_codec), NULL, NULL, false, NULL, NULL, NULL                                    \
    }

/**
 * jrpc_codec_jansson() - JSON read and written by jansson itself: the reference codec
 *
 * Slower than no codec at all; useful to wrap, to compare with, and to read before writing one.
 *
 * Threads: any. Return: static storage, never NULL.
 */
JRPC_API const jrpc_codec *jrpc_codec_jansson(void);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/*
 * msgpack_codec.c - MessagePack as a jrpc_codec, on libmsgpack
 *
 * libmsgpack believes what a message says about itself: five bytes that announce an array of 2^28
 * elements make it ask for 6 GiB. So a walk over the bytes comes first, which needs no memory and
 * proves that everything announced is there. After it, the library can only run out of memory.
 */
#include "msgpack_codec.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <msgpack.h>

enum {
    READ_DEPTH = 32,        /* of libmsgpack, whose stack does not grow */
    WRITE_DEPTH = 2048 + 2, /* the deepest result, in an answer, in a batch */
};

static int refuse(jrpc_problem *problem, const char *text)
{
    problem->code = -EBADMSG;
    snprintf(problem->text, sizeof(problem->text), "%s", text);
    return -EBADMSG;
}

/* RFC 3629: nothing overlong, no surrogates, nothing beyond U+10FFFF. */
static bool is_utf8(const char *text, size_t len)
{
    const uint8_t *at = (const uint8_t *)text, *end = at + len;

    while (at < end) {
        uint8_t first = *at++;
        uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80; /* of the next byte */
        uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
        int n_more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;

        if (n_more > end - at || (first >= 0x80 && first < 0xc2) || first > 0xf4)
            return false;
        for (; n_more; n_more--, low = 0x80, high = 0xbf, at++)
            if (*at < low || *at > high)
                return false;
    }
    return true;
}

/*
 * The walk
 */

enum kind { VALUE, STRING, ARRAY, MAP, BINARY, UNUSED };

/* What a value's first byte says. */
struct head {
    enum kind kind;
    int n_bytes; /* behind it: of a VALUE itself, else of its length or number of elements */
    uint64_t n;  /* which is this if n_bytes is 0 */
};

static struct head head_of(uint8_t byte)
{
    if (byte < 0x80) /* a small integer */
        return (struct head){VALUE, 0, 0};
    if (byte < 0x90)
        return (struct head){MAP, 0, byte - 0x80u};
    if (byte < 0xa0)
        return (struct head){ARRAY, 0, byte - 0x90u};
    if (byte < 0xc0)
        return (struct head){STRING, 0, byte - 0xa0u};
    if (byte < 0xc4) /* nil, false, true */
        return (struct head){byte == 0xc1 ? UNUSED : VALUE, 0, 0};
    if (byte < 0xca)
        return (struct head){BINARY, 0, 0};
    if (byte < 0xcc) /* float */
        return (struct head){VALUE, 4 << (byte - 0xca), 0};
    if (byte < 0xd4) /* uint, int */
        return (struct head){VALUE, 1 << (byte & 3), 0};
    if (byte < 0xd9)
        return (struct head){BINARY, 0, 0};
    if (byte < 0xdc)
        return (struct head){STRING, 1 << (byte - 0xd9), 0};
    if (byte < 0xde)
        return (struct head){ARRAY, 2 << (byte - 0xdc), 0};
    if (byte < 0xe0)
        return (struct head){MAP, 2 << (byte - 0xde), 0};
    return (struct head){VALUE, 0, 0}; /* a small negative integer */
}

struct walk {
    const uint8_t *start, *at, *end;
    uint64_t n_left[READ_DEPTH + 1]; /* values still to come, level by level */
    int depth;
    jrpc_problem *problem;
};

static int fault(const struct walk *walk, const uint8_t *at, const char *text)
{
    walk->problem->code = -EBADMSG;
    snprintf(walk->problem->text, sizeof(walk->problem->text), "byte %zu: %s",
             (size_t)(at - walk->start) + 1, text);
    return -EBADMSG;
}

static bool is_short_of(const struct walk *walk, uint64_t n)
{
    return n > (uint64_t)(walk->end - walk->at);
}

/* One value; of an array or a map only its beginning. */
static int step(struct walk *walk)
{
    const uint8_t *start = walk->at;

    if (is_short_of(walk, 1))
        return fault(walk, start, "the message ends here, a value is missing");
    struct head head = head_of(*walk->at++);
    if (head.kind == BINARY)
        return fault(walk, start, "binary and extension types have no counterpart in JSON");
    if (head.kind == UNUSED)
        return fault(walk, start, "0xc1 is no MessagePack");
    if (is_short_of(walk, head.n_bytes))
        return fault(walk, start, "the message ends inside this value");
    uint64_t n = head.n;
    for (int i = 0; i < head.n_bytes; i++)
        n = n << 8 | *walk->at++;
    if (head.kind == VALUE)
        return 0;

    if (head.kind == MAP)
        n *= 2;
    if (is_short_of(walk, n)) /* a value takes a byte at least */
        return fault(walk, start, "announces more than the message holds");
    if (head.kind == STRING) {
        walk->at += n;
        return 0;
    }
    if (walk->depth == READ_DEPTH)
        return fault(walk, start, "nested deeper than 32");
    walk->n_left[++walk->depth] = n;
    return 0;
}

static int check(const char *data, size_t len, jrpc_problem *problem)
{
    const uint8_t *start = (const uint8_t *)data;
    struct walk walk = {start, start, start + len, {1}, 0, problem};

    while (walk.depth || walk.n_left[0]) {
        if (!walk.n_left[walk.depth]) {
            walk.depth--;
            continue;
        }
        walk.n_left[walk.depth]--;
        int status = step(&walk);
        if (status)
            return status;
    }
    return walk.at < walk.end ? fault(&walk, walk.at, "bytes behind the message") : 0;
}

/*
 * MessagePack to value
 */

static int to_json(const msgpack_object *from, json_t **out, jrpc_problem *problem);

static int to_integer(uint64_t from, json_t **out, jrpc_problem *problem)
{
    if (from > INT64_MAX)
        return refuse(problem, "an integer beyond int64");
    *out = json_integer((json_int_t)from);
    return *out ? 0 : -ENOMEM;
}

static int to_real(double from, json_t **out, jrpc_problem *problem)
{
    if (!isfinite(from))
        return refuse(problem, "NaN or infinity");
    *out = json_real(from);
    return *out ? 0 : -ENOMEM;
}

static int to_string(const msgpack_object_str *from, json_t **out, jrpc_problem *problem)
{
    const char *text = from->size ? from->ptr : ""; /* its empty string has no pointer */

    if (!is_utf8(text, from->size))
        return refuse(problem, "a string that is not UTF-8");
    *out = json_stringn_nocheck(text, from->size);
    return *out ? 0 : -ENOMEM;
}

static int to_array(const msgpack_object_array *from, json_t **out, jrpc_problem *problem)
{
    json_t *array = json_array(), *value;
    int status = array ? 0 : -ENOMEM;

    for (uint32_t i = 0; !status && i < from->size; i++) {
        status = to_json(&from->ptr[i], &value, problem);
        if (!status && json_array_append_new(array, value))
            status = -ENOMEM;
    }
    if (status)
        json_decref(array);
    else
        *out = array;
    return status;
}

static int add_member(json_t *object, const msgpack_object_kv *member, jrpc_problem *problem)
{
    json_t *key = NULL, *value;

    if (member->key.type != MSGPACK_OBJECT_STR)
        return refuse(problem, "a map's key that is no string");
    int status = to_string(&member->key.via.str, &key, problem);
    if (status)
        return status;

    const char *name = json_string_value(key);
    if (strlen(name) < json_string_length(key))
        status = refuse(problem, "a map's key with U+0000 in it");
    else if (json_object_get(object, name))
        status = refuse(problem, "a map's key twice");
    else
        status = to_json(&member->val, &value, problem);
    if (!status && json_object_set_new_nocheck(object, name, value))
        status = -ENOMEM;
    json_decref(key);
    return status;
}

static int to_object(const msgpack_object_map *from, json_t **out, jrpc_problem *problem)
{
    json_t *object = json_object();
    int status = object ? 0 : -ENOMEM;

    for (uint32_t i = 0; !status && i < from->size; i++)
        status = add_member(object, &from->ptr[i], problem);
    if (status)
        json_decref(object);
    else
        *out = object;
    return status;
}

/* Recursion is bounded by READ_DEPTH: check() has seen to it. */
static int to_json(const msgpack_object *from, json_t **out, jrpc_problem *problem)
{
    switch (from->type) {
    case MSGPACK_OBJECT_NIL:
        *out = json_null();
        return 0;
    case MSGPACK_OBJECT_BOOLEAN:
        *out = json_boolean(from->via.boolean);
        return 0;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        return to_integer(from->via.u64, out, problem);
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        *out = json_integer(from->via.i64);
        return *out ? 0 : -ENOMEM;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return to_real(from->via.f64, out, problem);
    case MSGPACK_OBJECT_STR:
        return to_string(&from->via.str, out, problem);
    case MSGPACK_OBJECT_ARRAY:
        return to_array(&from->via.array, out, problem);
    case MSGPACK_OBJECT_MAP:
        return to_object(&from->via.map, out, problem);
    default:
        return refuse(problem, "a type that JSON lacks");
    }
}

static int deserialize(const char *data, size_t len, void *user, json_t **out,
                       jrpc_problem *problem)
{
    msgpack_unpacked unpacked;

    (void)user;
    int status = len ? check(data, len, problem) : refuse(problem, "an empty message");
    if (status)
        return status;

    msgpack_unpacked_init(&unpacked);
    if (msgpack_unpack_next(&unpacked, data, len, /* off */ NULL) == MSGPACK_UNPACK_SUCCESS)
        status = to_json(&unpacked.data, out, problem);
    else
        status = -ENOMEM;
    msgpack_unpacked_destroy(&unpacked);
    return status;
}

/*
 * Value to MessagePack
 */

/* What jrpc_buf_append() returns, every msgpack_pack function passes on. */
static int append(void *buf, const char *data, size_t len)
{
    return jrpc_buf_append(buf, data, len);
}

static int pack_string(msgpack_packer *to, const char *text, size_t len)
{
    return is_utf8(text, len) ? msgpack_pack_str_with_body(to, text, len) : -EILSEQ;
}

static int pack(msgpack_packer *to, const json_t *value, int depth);

static int pack_array(msgpack_packer *to, const json_t *array, int depth)
{
    int status = msgpack_pack_array(to, json_array_size(array));

    for (size_t i = 0; !status && i < json_array_size(array); i++)
        status = pack(to, json_array_get(array, i), depth);
    return status;
}

static int pack_object(msgpack_packer *to, json_t *object, int depth)
{
    int status = msgpack_pack_map(to, json_object_size(object));

    for (void *at = json_object_iter(object); at && !status;
         at = json_object_iter_next(object, at)) {
        const char *name = json_object_iter_key(at);
        status = pack_string(to, name, strlen(name));
        if (!status)
            status = pack(to, json_object_iter_value(at), depth);
    }
    return status;
}

static int pack(msgpack_packer *to, const json_t *value, int depth)
{
    switch (json_typeof(value)) {
    case JSON_NULL:
        return msgpack_pack_nil(to);
    case JSON_TRUE:
        return msgpack_pack_true(to);
    case JSON_FALSE:
        return msgpack_pack_false(to);
    case JSON_INTEGER:
        return msgpack_pack_int64(to, json_integer_value(value));
    case JSON_REAL:
        return msgpack_pack_double(to, json_real_value(value));
    case JSON_STRING:
        return pack_string(to, json_string_value(value), json_string_length(value));
    case JSON_ARRAY:
        return depth ? pack_array(to, value, depth - 1) : -E2BIG;
    default: /* jansson walks objects through a pointer that is not const */
        return depth ? pack_object(to, (json_t *)(uintptr_t)value, depth - 1) : -E2BIG;
    }
}

static int serialize(const json_t *value, jrpc_buf *to, void *user)
{
    msgpack_packer packer;

    (void)user;
    msgpack_packer_init(&packer, to, append);
    return pack(&packer, value, WRITE_DEPTH);
}

const jrpc_codec *msgpack_codec(void)
{
    static const jrpc_codec codec = {
        .size = sizeof(jrpc_codec),
        .name = "msgpack",
        .content_type = "application/msgpack",
        .is_binary = true,
        .deserialize = deserialize,
        .serialize = serialize,
    };

    return &codec;
}

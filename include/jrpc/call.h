/* SPDX-License-Identifier: MIT */
/*
 * call.h - what a handler may do with the request in its hand
 *
 * A handler is handed a call, reads its arguments, answers it once, and returns 0; or it defers
 * the call and answers later, from any thread.
 *
 * The return value of a handler: 0, or negative errno.
 *   unanswered and negative   the peer gets -32603 Internal error
 *   unanswered and 0          the result is null
 *   deferred                  the call handed in is dead; 0 means nothing, negative answers the
 *                             held call with -32603 if it is still unanswered
 *
 * A reply or failure that returns an error other than -EALREADY, -ECANCELED, -EPIPE and the
 * -EINVAL for a NULL call has answered the call itself, with -32603 (-32003 if the answer passed
 * reply_max): `return jrpc_reply_json(call, …);` is always right.
 *
 * Threads, unless said otherwise: the one that owns the call: the handler's until it returns,
 * for a held call one at a time. Nothing here blocks. A NULL call gives -EINVAL, NULL, 0, false
 * or JRPC_ABSENT.
 */
#ifndef JRPC_CALL_H
#define JRPC_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <jrpc/error.h>
#include <jrpc/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** typedef jrpc_call - one request being served */
typedef struct jrpc_call jrpc_call;

/** typedef jrpc_peer - one remote party; see server.h */
typedef struct jrpc_peer jrpc_peer;

/**
 * enum jrpc_type - what an argument is
 *
 * JRPC_INTEGER is a number that is integral and within int64 (1.0 and 1e3 count), JRPC_NUMBER any
 * other number. JRPC_ABSENT: a declared parameter that was not given and has no default, or no
 * such position.
 */
typedef enum {
    JRPC_ABSENT,
    JRPC_NULL,
    JRPC_BOOLEAN,
    JRPC_INTEGER,
    JRPC_NUMBER,
    JRPC_STRING,
    JRPC_ARRAY,
    JRPC_OBJECT
} jrpc_type;

/*
 * Arguments
 *
 * Declared parameters occupy positions 0 to n-1 in the order of the signature, given or not, in
 * whatever style they were passed; the values of *rest and **fields follow. Without a signature
 * (NULL) positions are as sent. What they return lives until the handler returns, or until
 * jrpc_call_free() if the call was deferred; slices given by the `_raw` functions before
 * jrpc_call_defer() only until the handler returns: take them anew from the held call.
 */

/** jrpc_arg_count() - number of positions, given or not */
JRPC_API size_t jrpc_arg_count(const jrpc_call *call);

/** jrpc_arg_type() - the type of the argument or its default */
JRPC_API jrpc_type jrpc_arg_type(const jrpc_call *call, size_t i);

/** jrpc_arg_is_given() - the peer sent it: false for defaults and absent ones */
JRPC_API bool jrpc_arg_is_given(const jrpc_call *call, size_t i);

/** jrpc_arg_integer() - 0 if it is not a JRPC_INTEGER */
JRPC_API int64_t jrpc_arg_integer(jrpc_call *call, size_t i);

/** jrpc_arg_number() - the nearest double; 0 if it is no number or none that a double can hold */
JRPC_API double jrpc_arg_number(jrpc_call *call, size_t i);

/** jrpc_arg_boolean() - false if it is no boolean */
JRPC_API bool jrpc_arg_boolean(jrpc_call *call, size_t i);

/**
 * jrpc_arg_string() - a string argument in UTF-8, NUL-terminated
 * @len:  bytes without the NUL; may be NULL
 *
 * Declared `string`, it holds no U+0000; declared `any` or not at all it may: use @len.
 *
 * Return: borrowed; NULL if it is no string; for a parameter not declared as string also when
 * out of memory.
 */
JRPC_API const char *jrpc_arg_string(jrpc_call *call, size_t i, size_t *len);

/**
 * jrpc_arg_raw() - the argument's JSON text exactly as it was sent
 * @len:  bytes; not NULL, for the text is not NUL-terminated
 *
 * With a codec, or where convert_camel_case changed a name inside, it is written anew.
 *
 * Return: borrowed; NULL if absent or out of memory.
 */
JRPC_API const char *jrpc_arg_raw(jrpc_call *call, size_t i, size_t *len);

/**
 * jrpc_arg_json() - the argument as a jansson value
 *
 * Built at the first use and private to the call: it may be changed, and with json_incref()
 * kept. Integers beyond int64 become reals; of equal names inside the last counts.
 *
 * Return: borrowed; NULL if absent, out of memory, or if jansson cannot hold it (a number
 * beyond double, U+0000 in a member's name).
 */
JRPC_API json_t *jrpc_arg_json(jrpc_call *call, size_t i);

/** jrpc_arg_name() - the parameter's name, NUL-terminated; @len may be NULL. NULL: an undeclared
 * positional argument, or out of memory */
JRPC_API const char *jrpc_arg_name(const jrpc_call *call, size_t i, size_t *len);

/** jrpc_arg_find() - the position of the parameter or field of that name; -ENOENT, -EINVAL */
JRPC_API int jrpc_arg_find(const jrpc_call *call, const char *name);

/**
 * struct jrpc_field - one member of a C struct to be filled from an argument
 * @name:    the argument's
 * @type:    JRPC_BOOLEAN: bool; JRPC_INTEGER: any integer type, range-checked; JRPC_NUMBER:
 *           double or float; JRPC_STRING: const char *; JRPC_ARRAY, JRPC_OBJECT: json_t *,
 *           borrowed; JRPC_NULL: json_t * of any type, borrowed
 * @offset:  of the member
 * @size:    of the member
 * @is_signed: of an integer member
 *
 * Write rows with JRPC_FIELD(struct, member, type), ended by JRPC_FIELD_END.
 */
typedef struct jrpc_field {
    const char *name;
    jrpc_type type;
    size_t offset, size;
    bool is_signed;
} jrpc_field;

#define JRPC_FIELD(struct_type, member, type)                                                      \
    JRPC_FIELD_ROW_(#member, struct_type, member, type, true)

/** JRPC_FIELD_NAMED() - for a member with another name than the argument */
#define JRPC_FIELD_NAMED(name, struct_type, member, type)                                          \
    JRPC_FIELD_ROW_(name, struct_type, member, type, true)

/** JRPC_FIELD_UNSIGNED() - for a member of an unsigned integer type */
#define JRPC_FIELD_UNSIGNED(struct_type, member)                                                   \
    JRPC_FIELD_ROW_(#member, struct_type, member, JRPC_INTEGER, false)

#define JRPC_FIELD_ROW_(name, struct_type, member, type, is_signed)                                \
    {                                                                                              \
        name, type, offsetof(struct_type, member), sizeof(((struct_type *)0)->member), is_signed   \
    }
#define JRPC_FIELD_END                                                                             \
    {                                                                                              \
        NULL, JRPC_ABSENT, 0, 0, false                                                             \
    }

/**
 * jrpc_args_read() - arguments by name into a struct
 * @fields:  rows ended by JRPC_FIELD_END
 * @out:     the struct; members whose argument is absent or null are left as they are
 *
 * A wrong type or an integer out of the member's range answers the call with -32602 and says in
 * debug which argument it was.
 *
 * Return: 0; -EINVAL: answered, `return 0;` from the handler (or the code: both are right);
 * -ENOMEM likewise; -EALREADY, -ECANCELED and -EPIPE as for a reply.
 */
JRPC_API int jrpc_args_read(jrpc_call *call, const jrpc_field fields[], void *out);

/* The call */

/** jrpc_call_params() - all params as one jansson array or object, new for each call and private
 * to it; empty array if there are none. Borrowed; NULL: as for jrpc_arg_json() */
JRPC_API json_t *jrpc_call_params(jrpc_call *call);

/** jrpc_call_params_raw() - the text of all params as it was sent, written anew as by
 * jrpc_arg_raw(), with @len as there; NULL if there are none, or out of memory */
JRPC_API const char *jrpc_call_params_raw(jrpc_call *call, size_t *len);

/** jrpc_call_is_named() - params were an object */
JRPC_API bool jrpc_call_is_named(const jrpc_call *call);

/** jrpc_call_method() - the method's name as looked up, NUL-terminated; @len may be NULL. NULL: no
 * request, or out of memory where it was found by a prefix or not yet looked up */
JRPC_API const char *jrpc_call_method(const jrpc_call *call, size_t *len);

/** jrpc_call_id() - the id's JSON text, not NUL-terminated: @len is not NULL; NULL for a
 * notification, and with a codec when out of memory */
JRPC_API const char *jrpc_call_id(const jrpc_call *call, size_t *len);

/** jrpc_call_is_notification() - nobody waits for an answer; replies are dropped */
JRPC_API bool jrpc_call_is_notification(const jrpc_call *call);

/** jrpc_call_has_context() - a context was given, be it NULL */
JRPC_API bool jrpc_call_has_context(const jrpc_call *call);

/** jrpc_call_context() - the pointer given to the dispatch or the listener */
JRPC_API void *jrpc_call_context(const jrpc_call *call);

/** jrpc_call_peer() - who called; borrowed; NULL without a server */
JRPC_API jrpc_peer *jrpc_call_peer(const jrpc_call *call);

/** jrpc_call_alloc() - memory that lives as long as the call, not cleared; NULL: no memory */
JRPC_API void *jrpc_call_alloc(jrpc_call *call, size_t size);

/*
 * Answers: a result
 *
 * Return of all: 0, also for a notification, where the answer is dropped; -EALREADY answered
 * before; of a held call -ECANCELED (timed out, cancelled or drained) or -EPIPE (the peer is
 * gone); or the call was answered with an error instead:
 * -ENOMEM; -EMSGSIZE the answer is larger than reply_max (the peer gets -32003).
 */

JRPC_API int jrpc_reply_null(jrpc_call *call);
JRPC_API int jrpc_reply_boolean(jrpc_call *call, bool value);
JRPC_API int jrpc_reply_integer(jrpc_call *call, int64_t value);

/** jrpc_reply_number() - the shortest spelling that reads back the same; integral values up to
 * 2^53 without a fraction. NaN and infinity: -EINVAL */
JRPC_API int jrpc_reply_number(jrpc_call *call, double value);

/** jrpc_reply_string() - NUL-terminated UTF-8; -EILSEQ if it is not, -EINVAL if NULL */
JRPC_API int jrpc_reply_string(jrpc_call *call, const char *text);

/** jrpc_reply_stringn() - the same with a length; may hold U+0000 */
JRPC_API int jrpc_reply_stringn(jrpc_call *call, const char *text, size_t len);

/**
 * jrpc_reply_json() - answer with a jansson value
 * @result:  stolen, also on failure; NULL means its maker ran out of memory: -ENOMEM
 *
 * Serialized before the call returns: it may be changed or freed afterwards. Return also:
 * -E2BIG nested deeper than 2,048 or circular.
 */
JRPC_API int jrpc_reply_json(jrpc_call *call, json_t *result);

/** jrpc_reply_pack() - answer with json_pack(format, …); -ENOMEM: no memory, bad UTF-8 or a bad
 * format */
JRPC_API int jrpc_reply_pack(jrpc_call *call, const char *format, ...);

/**
 * jrpc_reply_raw() - answer with JSON text as it is
 * @text:  borrowed until it returns; scanned unless it lies inside this call's own request
 *
 * Return also: -EBADMSG if it is not one JSON value; -EINVAL if NULL.
 */
JRPC_API int jrpc_reply_raw(jrpc_call *call, const char *text, size_t len);

/*
 * Answers: an error
 *
 * For the five standard codes the message stays the specification's and the text goes out as
 * `data` in debug; for every other code the text is the message. Data given explicitly always
 * goes out. Bytes in a text that are not UTF-8 become U+FFFD. Return as above; code 0 is -EINVAL.
 */

/**
 * jrpc_fail() - answer with an error
 * @code:  an application's own, or one of enum jrpc_code
 * @text:  for a person; NULL: the code's standard message, "Application error" if it has none
 */
JRPC_API int jrpc_fail(jrpc_call *call, int code, const char *text);

/** jrpc_fail_format() - the same, printf-like; a verb of its own so that a peer's string is never
 * a format */
JRPC_API int jrpc_fail_format(jrpc_call *call, int code, const char *format, ...) JRPC_PRINTF(3, 4);

/**
 * jrpc_fail_data() - the same with data
 * @data:  any JSON value, stolen, also on failure; sent with and without debug; NULL means its
 *         maker ran out of memory: -ENOMEM
 */
JRPC_API int jrpc_fail_data(jrpc_call *call, int code, const char *text, json_t *data);

/* Later */

/**
 * jrpc_call_defer() - keep the call and answer it later, from any thread
 * @call:  the handler's; dead afterwards
 * @held:  the call to answer; end it with exactly one jrpc_call_free()
 *
 * A held call has its own copy of the request and keeps its service alive. It times out after
 * the method's timeout_ms (call_timeout_ms if 0) where somebody watches the time: a server's loop
 * or a waiting jrpc_dispatch().
 *
 * Return: 0; -EALREADY answered or deferred before; -EOPNOTSUPP inside call_received();
 * -ENOMEM; -EINVAL. On failure the call is as it was.
 */
JRPC_API int jrpc_call_defer(jrpc_call *call, jrpc_call **held);

/**
 * jrpc_call_free() - end a held call
 * @held:  unanswered, it is answered now: -32603, -32800 if cancelled; NULL is fine
 *
 * If another thread is inside its on_cancelled function, waits until that has returned.
 *
 * Threads: any, once.
 */
JRPC_API void jrpc_call_free(jrpc_call *held);

/** jrpc_call_is_cancelled() - nobody waits for the answer any more. Threads: any, also inside
 * blocking handlers */
JRPC_API bool jrpc_call_is_cancelled(const jrpc_call *call);

/**
 * jrpc_call_on_cancelled() - be told when a held call is cancelled, timed out or its peer gone
 * @fn:  called at most once, on the thread that cancels (a server's: the loop), at once if it is
 *       already so; may call jrpc_call_free()
 *
 * Return: 0; -EINVAL if @held is not a held call or @fn is NULL; -EALREADY if one is set.
 */
JRPC_API int jrpc_call_on_cancelled(jrpc_call *held, void (*fn)(jrpc_call *held, void *user),
                                    void *user);

#ifdef __cplusplus
}
#endif

#endif

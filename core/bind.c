/* SPDX-License-Identifier: MIT */
/*
 * bind.c - params to argument positions
 *
 * First every argument is put into its place, then what stands there is checked, then the gaps
 * are filled. Arguments that stand in their places already, as nearly all do, are not moved.
 * A failure leaves request->args complete, so that whoever ends the call frees all they own.
 */
#include "bind.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hash.h"
#include "number.h"
#include "short.h"

enum {
    NAMES_FEW = 8, /* so many names are compared one by one */
};

struct binding {
    const jri_signature *signature;
    jri_request *request;
    jri_arena *arena;
    uint64_t seed;
    char *reason; /* NULL: nobody asks, so nothing is written */
};

/* The names of the first n_args of args. */
struct names {
    const jri_arg *args;
    uint32_t n_args;
    uint32_t *slots; /* index + 1 by hash, 0 empty; NULL: few names */
    uint32_t mask;
    uint64_t seed;
};

/*
 * Reasons
 */

static int refuse(const struct binding *binding, const char *format, ...) JRPC_PRINTF(2, 3);

static int refuse(const struct binding *binding, const char *format, ...)
{
    va_list args;

    if (binding->reason) {
        va_start(args, format);
        vsnprintf(binding->reason, JRI_REASON_MAX, format, args);
        va_end(args);
    }
    return -EINVAL;
}

static int refuse_name(const struct binding *binding, const char *before, const char *name,
                       size_t len, const char *behind)
{
    char text[JRI_NAME_TEXT];

    if (!binding->reason)
        return -EINVAL;
    jri_name_text(name, len, text);
    return refuse(binding, "%s %s%s", before, text, behind);
}

/* More by position than there are places. */
static int refuse_count(const struct binding *binding)
{
    const jri_signature *signature = binding->signature;
    uint32_t n_sent = binding->request->n_args, n = signature->n_positional;
    const char *were = n_sent == 1 ? "was" : "were";
    char hint[JRI_NAME_TEXT + 32] = "", name[JRI_NAME_TEXT];

    if (!binding->reason)
        return -EINVAL;
    if (!n && !signature->n_params && !signature->has_fields)
        return refuse(binding, "takes no arguments but %u %s given", n_sent, were);
    if (!n)
        return refuse(binding, "takes named arguments only but %u %s given by position", n_sent,
                      were);
    if (n < signature->n_params) {
        jri_name_text(signature->params[n].name, signature->params[n].name_len, name);
        snprintf(hint, sizeof(hint), "; %s is given by name only", name);
    }
    return refuse(binding, "takes %s%u positional argument%s but %u %s given%s",
                  signature->params[n - 1].is_required ? "" : "at most ", n, n == 1 ? "" : "s",
                  n_sent, were, hint);
}

static bool is_integer_beyond_int64(const jri_value *value)
{
    int64_t integer;

    if (value->json)
        return value->type == JRPC_NUMBER && fabs(json_real_value(value->json)) >= 0x1p63;
    return jri_number_to_int64(value->text, value->len, &integer) == -ERANGE;
}

/* The argument is none of the types. */
static int refuse_value(const struct binding *binding, const jri_arg *arg, jri_types types)
{
    static const char *const kinds[] = {
        [JRPC_NULL] = "null",       [JRPC_BOOLEAN] = "a boolean", [JRPC_INTEGER] = "an integer",
        [JRPC_NUMBER] = "a number", [JRPC_STRING] = "a string",   [JRPC_ARRAY] = "an array",
        [JRPC_OBJECT] = "an object"};
    const jri_signature *signature = binding->signature;
    char name[JRI_NAME_TEXT], expected[JRI_TYPES_TEXT];

    if (!binding->reason)
        return -EINVAL;
    if (arg->name)
        jri_name_text(arg->name, arg->name_len, name);
    else /* one of *rest has none: its number as sent, without the named-only ones before it */
        snprintf(name, sizeof(name), "%td",
                 arg - binding->request->args - signature->n_params + signature->n_positional + 1);

    jrpc_type type = jri_value_type(&arg->value);
    if (type == JRPC_NUMBER && types >> JRPC_NUMBER & 1)
        return refuse(binding, "argument %s is beyond what a double can hold", name);
    if (type == JRPC_NUMBER && types >> JRPC_INTEGER & 1 && is_integer_beyond_int64(&arg->value))
        return refuse(binding, "argument %s is beyond the 64-bit integers", name);
    if (type == JRPC_STRING && types >> JRPC_STRING & 1)
        return refuse(binding, "argument %s holds U+0000", name);
    jri_types_text(types, expected);
    return refuse(binding, "argument %s is %s, expected %s", name, kinds[type], expected);
}

/*
 * Names
 */

static inline bool is_same_name(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return a_len == b_len && jri_short_is_same(a, b, a_len);
}

static uint32_t *find_slot(const struct names *names, const char *name, uint32_t len)
{
    uint64_t hash = jri_hash(name, len, names->seed);

    for (;; hash++) {
        uint32_t *slot = &names->slots[hash & names->mask];
        if (!*slot)
            return slot;
        const jri_arg *arg = &names->args[*slot - 1];
        if (is_same_name(arg->name, arg->name_len, name, len))
            return slot;
    }
}

/* The next of args joins; its name is new. */
static void add_name(struct names *names)
{
    const jri_arg *arg = &names->args[names->n_args++];

    if (names->slots)
        *find_slot(names, arg->name, arg->name_len) = names->n_args;
}

/* The index of that name, most likely the one expected; n_args: there is none. */
static uint32_t find_name(const struct names *names, const char *name, uint32_t len,
                          uint32_t expected)
{
    const jri_arg *args = names->args;

    if (expected < names->n_args &&
        is_same_name(args[expected].name, args[expected].name_len, name, len))
        return expected;
    if (names->slots) {
        uint32_t slot = *find_slot(names, name, len);
        return slot ? slot - 1 : names->n_args;
    }
    uint32_t i = 0;
    while (i < names->n_args && !is_same_name(args[i].name, args[i].name_len, name, len))
        i++;
    return i;
}

/* Room for n_max names, of which the first n_args are there. */
static int init_names(const struct binding *binding, const jri_arg *args, uint32_t n_args,
                      uint32_t n_max, struct names *names)
{
    size_t n_slots = NAMES_FEW;

    *names = (struct names){.args = args, .seed = binding->seed};
    if (n_max > NAMES_FEW) {
        while (n_slots < 2 * (size_t)n_max)
            n_slots *= 2;
        names->slots = jri_arena_alloc(binding->arena, n_slots * sizeof(*names->slots));
        if (!names->slots)
            return -ENOMEM;
        memset(names->slots, 0, n_slots * sizeof(*names->slots));
        names->mask = (uint32_t)(n_slots - 1);
    }
    while (names->n_args < n_args)
        add_name(names);
    return 0;
}

/*
 * Places
 */

/* Without declared parameters the arguments stay as sent. */
static int refuse_doubles(const struct binding *binding)
{
    const jri_request *request = binding->request;
    struct names names;
    int status = init_names(binding, request->args, 0, request->n_args, &names);

    for (uint32_t i = 0; !status && i < request->n_args; i++) {
        const jri_arg *arg = &request->args[i];
        if (find_name(&names, arg->name, arg->name_len, i) < i)
            return refuse_name(binding, "argument", arg->name, arg->name_len, " given twice");
        add_name(&names);
    }
    return status;
}

static inline bool is_of(const jri_arg *arg, const jri_param *param)
{
    return is_same_name(arg->name, arg->name_len, param->name, param->name_len);
}

/* Arguments, one for each parameter, in order; few are put into order where they stand. False: they
 * are not so, and in whatever order. */
static bool sort_in_place(const jri_signature *signature, jri_request *request)
{
    uint32_t n = request->n_args;
    jri_arg *args = request->args;

    if (n != signature->n_params)
        return false;
    for (uint32_t place = 0; place < n; place++) {
        uint32_t i = place, end = n <= NAMES_FEW ? n : place + 1;
        while (i < end && !is_of(&args[i], &signature->params[place]))
            i++;
        if (i == end)
            return false;
        if (i != place) {
            jri_arg arg = args[place];
            args[place] = args[i];
            args[i] = arg;
        }
    }
    return true;
}

/* Empty places for the declared parameters and room for n_others behind them. */
static jri_arg *new_places(const struct binding *binding, uint32_t n_others)
{
    const jri_signature *signature = binding->signature;
    size_t n = (size_t)signature->n_params + n_others;
    jri_arg *places = jri_arena_alloc(binding->arena, n * sizeof(*places));

    for (uint32_t i = 0; places && i < signature->n_params; i++)
        places[i] =
            (jri_arg){.name = signature->params[i].name, .name_len = signature->params[i].name_len};
    return places;
}

static int place_by_name(const struct binding *binding)
{
    const jri_signature *signature = binding->signature;
    jri_request *request = binding->request;
    uint32_t n_sent = request->n_args;
    struct names names;

    if (sort_in_place(signature, request))
        return 0;
    if (!signature->n_params && signature->has_fields)
        return refuse_doubles(binding);

    jri_arg *places = new_places(binding, signature->has_fields ? n_sent : 0);
    if (!places || init_names(binding, places, signature->n_params,
                              signature->n_params + (signature->has_fields ? n_sent : 0), &names))
        return -ENOMEM;
    for (uint32_t i = 0; i < n_sent; i++) {
        const jri_arg *arg = &request->args[i];
        uint32_t place = find_name(&names, arg->name, arg->name_len, i);
        bool is_new = place == names.n_args;
        if (is_new && !signature->has_fields)
            return refuse_name(binding, "unexpected argument", arg->name, arg->name_len, "");
        if (!is_new && places[place].value.type != JRPC_ABSENT)
            return refuse_name(binding, "argument", arg->name, arg->name_len, " given twice");
        places[place] = *arg;
        if (is_new)
            add_name(&names);
    }
    request->args = places;
    request->n_args = names.n_args;
    return 0;
}

static int place_by_position(const struct binding *binding)
{
    const jri_signature *signature = binding->signature;
    jri_request *request = binding->request;
    uint32_t n_sent = request->n_args, n_first = signature->n_positional;

    if (n_sent > n_first && !signature->has_rest)
        return refuse_count(binding);
    if (n_sent < n_first)
        n_first = n_sent;
    if (n_first == signature->n_params)
        return 0;

    uint32_t n_rest = n_sent - n_first;
    jri_arg *places = new_places(binding, n_rest);
    if (!places)
        return -ENOMEM;
    if (n_first)
        memcpy(places, request->args, n_first * sizeof(*places));
    if (n_rest)
        memcpy(places + signature->n_params, request->args + n_first, n_rest * sizeof(*places));
    request->args = places;
    request->n_args = signature->n_params + n_rest;
    return 0;
}

/*
 * Checks
 */

int jri_arg_decode(jri_arg *arg, jri_arena *arena)
{
    const jri_value *value = &arg->value;

    if (arg->string || value->type != JRPC_STRING)
        return 0;
    if (value->json) {
        arg->string = json_string_value(value->json);
        arg->string_len = (uint32_t)json_string_length(value->json);
        return 0;
    }
    char *to = jri_arena_alloc(arena, value->len);
    if (!to)
        return -ENOMEM;
    arg->string_len = (uint32_t)jri_string_decode(value, to);
    to[arg->string_len] = '\0';
    arg->string = to;
    return 0;
}

/* The value alone says that it fits. */
static inline bool fits_surely(const jri_value *value, jri_types types)
{
    return value->type == JRPC_INTEGER && value->len <= JRI_INTEGER_SURE &&
           types & (1 << JRPC_INTEGER | 1 << JRPC_NUMBER);
}

/* An argument that was given is one of the types. */
static int check(const struct binding *binding, jri_arg *arg, jri_types types)
{
    if (types == JRI_TYPES_ANY || fits_surely(&arg->value, types))
        return 0;
    if (!jri_value_fits(&arg->value, types) || arg->value.flags & JRI_HAS_NUL)
        return refuse_value(binding, arg, types);
    return jri_arg_decode(arg, binding->arena);
}

static int fill_gap(const struct binding *binding, jri_arg *arg, const jri_param *param)
{
    const jri_signature *signature = binding->signature;
    const jri_request *request = binding->request;

    if (param->is_required) {
        bool is_out_of_reach = !request->is_named && request->n_args &&
                               param >= signature->params + signature->n_positional;
        return refuse_name(binding, "missing argument", param->name, param->name_len,
                           is_out_of_reach ? ", which is given by name only" : "");
    }
    if (param->has_default) {
        arg->value = param->value;
        arg->string = param->string;
        arg->string_len = param->string_len;
    }
    return 0;
}

static inline void set_name(jri_arg *arg, const jri_param *param)
{
    arg->name = param->name;
    arg->name_len = param->name_len;
    arg->has_c_name = true;
}

static int check_declared(const struct binding *binding)
{
    const jri_param *param = binding->signature->params;
    const jri_param *end = param + binding->signature->n_params;
    int status = 0;

    for (jri_arg *arg = binding->request->args; param < end && !status; param++, arg++) {
        set_name(arg, param);
        if (fits_surely(&arg->value, param->types))
            continue;
        status = arg->value.type == JRPC_ABSENT ? fill_gap(binding, arg, param)
                                                : check(binding, arg, param->types);
    }
    return status;
}

/* The values of *rest or **fields. */
static int check_others(const struct binding *binding, jri_types types)
{
    const jri_request *request = binding->request;
    int status = 0;

    for (uint32_t i = binding->signature->n_params; i < request->n_args && !status; i++)
        status = check(binding, &request->args[i], types);
    return status;
}

/* Apart, so that its registers and stack are not the usual call's cost. */
static __attribute__((noinline)) int bind(const jri_signature *signature, jri_request *request,
                                          jri_arena *arena, uint64_t seed, char *reason)
{
    const struct binding binding = {signature, request, arena, seed, reason};
    bool is_named = request->is_named && request->n_args;
    int status;

    if (!signature)
        return is_named ? refuse_doubles(&binding) : 0;
    status = is_named ? place_by_name(&binding) : place_by_position(&binding);
    if (!status)
        status = check_declared(&binding);
    if (!status)
        status = check_others(&binding, is_named ? signature->fields_types : signature->rest_types);
    return status;
}

/* The usual call: as many whole numbers by position as there are parameters, or nothing at all.
 * False: look closer. */
static inline bool bind_plain(const jri_signature *signature, jri_request *request)
{
    const jri_param *param = signature->params;
    uint32_t n = signature->n_params;
    jri_arg *arg = request->args;

    if (request->n_args != n || (n && (request->is_named || signature->n_positional != n)))
        return false;
    for (; n && fits_surely(&arg->value, param->types); n--, arg++, param++)
        set_name(arg, param);
    return !n;
}

int jri_bind(const jri_signature *signature, jri_request *request, jri_arena *arena, uint64_t seed,
             char *reason)
{
    if (signature && bind_plain(signature, request))
        return 0;
    return bind(signature, request, arena, seed, reason);
}

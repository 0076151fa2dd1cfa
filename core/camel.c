/* SPDX-License-Identifier: MIT */
/*
 * camel.c - camelCase to snake_case
 *
 * Looks before it leaps: a first walk over an argument only counts, and where no name holds a
 * capital nothing is made. Text is rewritten as text, so that numbers and strings stay exactly as
 * they were sent, and without recursion.
 */
#include "camel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hash.h"
#include "signature.h"

/* A name as it was and as it became, and the object it belongs to. */
struct entry {
    const char *name, *original;
    size_t len, original_len;
    uint32_t object;
};

/* The names seen in all objects of one argument; room for all was made before. */
struct names {
    struct entry *entries;
    uint32_t n_entries;
    uint32_t *slots; /* index + 1 by hash, 0 empty */
    uint32_t mask;
};

struct conversion {
    jri_arena *arena;
    uint64_t seed;
    char *reason;
    struct names names;
    uint32_t n_objects; /* met so far: numbers them */
};

/* What is to come. */
struct survey {
    uint32_t n_names;
    uint32_t depth;    /* objects inside each other, at most */
    size_t n_changing; /* bytes of names that change */
};

static bool is_capital(unsigned char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(unsigned char c)
{
    return c >= 'a' && c <= 'z';
}

/* The ASCII character spelled at `at`, 0 for any other; *len bytes spell it. */
static unsigned char read_character(const char *at, bool is_escaped, size_t *len)
{
    unsigned value = 0;

    *len = 1;
    if (!is_escaped || *at != '\\')
        return (unsigned char)*at < 0x80 ? (unsigned char)*at : 0;
    *len = at[1] == 'u' ? 6 : 2;
    if (at[1] != 'u')
        return 0; /* a control character or punctuation */
    for (size_t i = 2; i < 6; i++)
        value = value * 16 + ((unsigned char)at[i] & 15u) + (at[i] > '9' ? 9 : 0);
    return value < 0x80 ? (unsigned char)value : 0;
}

static bool holds_capital(const char *name, size_t len, bool is_escaped)
{
    const char *end = name + len;
    size_t n;

    for (; name < end; name += n)
        if (is_capital(read_character(name, is_escaped, &n)))
            return true;
    return false;
}

/* Writes at most 2 * len bytes; returns how many. Escapes of others than capitals stay. */
static size_t convert(const char *name, size_t len, bool is_escaped, char *to)
{
    const char *end = name + len, *start = to;
    unsigned char before = 0;
    size_t n, n_next;

    for (const char *at = name; at < end; at += n) {
        unsigned char c = read_character(at, is_escaped, &n);
        if (is_capital(c)) {
            bool is_inside = is_lower(before) || (before >= '0' && before <= '9');
            bool is_first = at == name;
            bool starts_run = at + n < end && is_lower(read_character(at + n, is_escaped, &n_next));
            if (is_inside || (starts_run && !is_first))
                *to++ = '_';
            *to++ = (char)(c - 'A' + 'a');
        } else {
            memcpy(to, at, n);
            to += n;
        }
        before = c;
    }
    return (size_t)(to - start);
}

const char *jri_camel_name(const char *name, size_t *len, jri_arena *arena)
{
    if (!holds_capital(name, *len, false))
        return name;
    char *to = jri_arena_alloc(arena, 2 * *len);
    if (to)
        *len = convert(name, *len, false, to);
    return to;
}

/*
 * Collisions
 */

static int init_names(struct conversion *conversion, uint32_t n_max)
{
    struct names *names = &conversion->names;
    size_t n_slots = 8;

    while (n_slots < 2 * (size_t)n_max)
        n_slots *= 2;
    names->entries = jri_arena_alloc(conversion->arena, n_max * sizeof(*names->entries));
    names->slots = jri_arena_alloc(conversion->arena, n_slots * sizeof(*names->slots));
    if (!names->entries || !names->slots)
        return -ENOMEM;
    memset(names->slots, 0, n_slots * sizeof(*names->slots));
    names->n_entries = 0;
    names->mask = (uint32_t)(n_slots - 1);
    return 0;
}

static bool is_same(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return a_len == b_len && memcmp(a, b, a_len) == 0;
}

static int refuse(const struct conversion *conversion, const struct entry *a, const struct entry *b)
{
    char one[JRI_NAME_TEXT], other[JRI_NAME_TEXT];

    if (conversion->reason) {
        jri_name_text(a->original, a->original_len, one);
        jri_name_text(b->original, b->original_len, other);
        snprintf(conversion->reason, JRI_REASON_MAX, "names %s and %s are the same in snake case",
                 one, other);
    }
    return -EINVAL;
}

/* Where that name of that object is, or the empty slot where it would go. */
static uint32_t *find_slot(const struct conversion *conversion, const struct entry *entry)
{
    const struct names *names = &conversion->names;
    uint64_t hash = jri_hash(entry->name, entry->len, conversion->seed + entry->object);

    for (;; hash++) {
        uint32_t *slot = &names->slots[hash & names->mask];
        if (!*slot)
            return slot;
        const struct entry *known = &names->entries[*slot - 1];
        if (known->object == entry->object &&
            is_same(known->name, known->len, entry->name, entry->len))
            return slot;
    }
}

/* Converts entry->original, a name of entry->object. The same name again is left to others: a
 * name of an argument is found twice when binding, inside of a value the last one counts. */
static int convert_name(struct conversion *conversion, struct entry *entry)
{
    struct names *names = &conversion->names;

    entry->len = entry->original_len;
    entry->name = jri_camel_name(entry->original, &entry->len, conversion->arena);
    if (!entry->name)
        return -ENOMEM;

    uint32_t *slot = find_slot(conversion, entry);
    if (!*slot) {
        names->entries[names->n_entries] = *entry;
        *slot = ++names->n_entries;
        return 0;
    }
    const struct entry *known = &names->entries[*slot - 1];
    if (is_same(known->original, known->original_len, entry->original, entry->original_len))
        return 0;
    return refuse(conversion, known, entry);
}

/*
 * Text
 */

enum event { AT_END, AT_OPEN, AT_CLOSE, AT_NAME };

/* To behind the next brace or name, from *at on. */
static enum event next_event(const char **at, const char *end, jri_value *name)
{
    while (*at < end) {
        const char *start = (*at)++, *p = *at;
        if (*start == '{' || *start == '}')
            return *start == '{' ? AT_OPEN : AT_CLOSE;
        if (*start != '"')
            continue;

        uint8_t flags = 0;
        while (*(p = jri_text_plain(p, end)) != '"') {
            flags |= *p == '\\' ? JRI_ESCAPED : 0;
            p += *p == '\\' ? 2 : 1;
        }
        *at = ++p;
        p = jri_read_space(p, end);
        if (p == end || *p != ':')
            continue;
        *name = (jri_value){.text = start, .type = JRPC_STRING, .flags = flags};
        name->len = (uint32_t)(*at - start);
        return AT_NAME;
    }
    return AT_END;
}

static struct survey survey_text(const jri_value *value)
{
    const char *at = value->text, *end = at + value->len;
    struct survey survey = {0};
    uint32_t depth = 0;
    enum event event;
    jri_value name;

    while ((event = next_event(&at, end, &name)) != AT_END) {
        if (event == AT_OPEN && ++depth > survey.depth)
            survey.depth = depth;
        if (event == AT_CLOSE)
            depth--;
        if (event != AT_NAME)
            continue;
        survey.n_names++;
        if (holds_capital(name.text + 1, name.len - 2, name.flags & JRI_ESCAPED))
            survey.n_changing += name.len;
    }
    return survey;
}

/* Writes the text before the name and the name, if it changes. from: what is not copied yet. */
static int rewrite_name(struct conversion *conversion, const jri_value *name, uint32_t object,
                        const char **from, char **to)
{
    struct entry entry = {.original = name->text + 1, .original_len = name->len - 2};
    bool is_escaped = name->flags & JRI_ESCAPED;

    if (is_escaped) {
        char *decoded = jri_arena_alloc(conversion->arena, name->len);
        if (!decoded)
            return -ENOMEM;
        entry.original = decoded;
        entry.original_len = jri_string_decode(name, decoded);
    }
    entry.object = object;
    int status = convert_name(conversion, &entry);
    if (status || entry.name == entry.original)
        return status;

    size_t n = (size_t)(name->text + 1 - *from);
    memcpy(*to, *from, n);
    *to += n;
    *to += convert(name->text + 1, name->len - 2, is_escaped, *to);
    *from = name->text + name->len - 1;
    return 0;
}

static int rewrite_text(struct conversion *conversion, const struct survey *survey,
                        jri_value *value)
{
    const char *at = value->text, *end = at + value->len, *from = at;
    uint32_t *objects =
        jri_arena_alloc(conversion->arena, survey->depth * sizeof(*objects)); /* the open ones */
    char *text = jri_arena_alloc(conversion->arena, value->len + survey->n_changing), *to = text;
    uint32_t depth = 0;
    enum event event;
    jri_value name;

    if (!objects || !text)
        return -ENOMEM;
    while ((event = next_event(&at, end, &name)) != AT_END) {
        int status = 0;
        if (event == AT_OPEN)
            objects[depth++] = ++conversion->n_objects;
        else if (event == AT_CLOSE)
            depth--;
        else
            status = rewrite_name(conversion, &name, objects[depth - 1], &from, &to);
        if (status)
            return status;
    }
    memcpy(to, from, (size_t)(end - from));
    to += end - from;
    value->text = text;
    value->len = (uint32_t)(to - text);
    return 0;
}

/*
 * Values
 */

static void survey_json(json_t *json, uint32_t depth, struct survey *survey)
{
    const char *name;
    size_t i, len;
    json_t *member;

    if (depth == JRI_READ_DEPTH) /* no message nested deeper passes the envelope */
        return;
    if (json_is_array(json)) {
        for (i = 0; i < json_array_size(json); i++)
            survey_json(json_array_get(json, i), depth + 1, survey);
    } else if (json_is_object(json)) {
        json_object_keylen_foreach(json, name, len, member) {
            survey->n_names++;
            survey->n_changing += holds_capital(name, len, false) ? len : 0;
            survey_json(member, depth + 1, survey);
        }
    }
}

static int copy_json(struct conversion *conversion, json_t *json, uint32_t depth, json_t **out);

/* Adds copies of all members to copy, which is new. */
static int copy_members(struct conversion *conversion, json_t *json, uint32_t depth, json_t *copy)
{
    uint32_t object = ++conversion->n_objects;
    const char *name;
    size_t i, len;
    json_t *member, *value;
    int status = 0;

    json_array_foreach(json, i, member) {
        status = copy_json(conversion, member, depth + 1, &value);
        if (status || json_array_append_new(copy, value))
            return status ? status : -ENOMEM;
    }
    json_object_keylen_foreach(json, name, len, member) {
        struct entry entry = {.original = name, .original_len = len, .object = object};
        status = convert_name(conversion, &entry);
        if (!status)
            status = copy_json(conversion, member, depth + 1, &value);
        if (status || json_object_setn_new_nocheck(copy, entry.name, entry.len, value))
            return status ? status : -ENOMEM;
    }
    return 0;
}

/* Containers are made anew, everything else is shared: no name of it changes. */
static int copy_json(struct conversion *conversion, json_t *json, uint32_t depth, json_t **out)
{
    bool is_container = json_is_array(json) || json_is_object(json);

    if (!is_container || depth == JRI_READ_DEPTH) {
        *out = json_incref(json);
        return 0;
    }
    json_t *copy = json_is_array(json) ? json_array() : json_object();
    int status = copy ? copy_members(conversion, json, depth, copy) : -ENOMEM;
    if (status)
        json_decref(copy);
    else
        *out = copy;
    return status;
}

/*
 * Requests
 */

static int convert_arg(struct conversion *conversion, jri_request *request, jri_arg *arg)
{
    struct survey survey = {0};

    if (arg->value.type != JRPC_ARRAY && arg->value.type != JRPC_OBJECT)
        return 0;
    if (arg->value.json)
        survey_json(arg->value.json, 0, &survey);
    else
        survey = survey_text(&arg->value);
    if (!survey.n_changing)
        return 0;

    int status = init_names(conversion, survey.n_names);
    if (status)
        return status;
    request->is_converted = true;
    if (!arg->value.json)
        return rewrite_text(conversion, &survey, &arg->value);
    status = copy_json(conversion, arg->value.json, 0, &arg->built);
    if (!status)
        arg->value.json = arg->built;
    return status;
}

static int convert_arg_names(struct conversion *conversion, jri_request *request)
{
    uint32_t i = 0;

    while (i < request->n_args &&
           !holds_capital(request->args[i].name, request->args[i].name_len, false))
        i++;
    if (i == request->n_args)
        return 0;

    int status = init_names(conversion, request->n_args);
    request->is_converted = true;
    for (i = 0; !status && i < request->n_args; i++) {
        jri_arg *arg = &request->args[i];
        struct entry entry = {.original = arg->name, .original_len = arg->name_len};
        status = convert_name(conversion, &entry);
        if (status || entry.name == arg->name)
            continue;
        arg->name = entry.name;
        arg->name_len = (uint32_t)entry.len;
        arg->has_c_name = false;
    }
    return status;
}

int jri_camel_request(jri_request *request, jri_arena *arena, uint64_t seed, char *reason)
{
    struct conversion conversion = {.arena = arena, .seed = seed, .reason = reason};
    const char *method = jri_camel_name(request->method, &request->method_len, arena);
    int status = method ? 0 : -ENOMEM;

    if (method)
        request->method = method;
    if (!status && request->is_named)
        status = convert_arg_names(&conversion, request);
    for (uint32_t i = 0; !status && i < request->n_args; i++)
        status = convert_arg(&conversion, request, &request->args[i]);
    return status;
}

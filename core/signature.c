/* SPDX-License-Identifier: MIT */
/*
 * signature.c - "a: number, *rest" as a table
 *
 * A declaration comes from the program, not from a peer: the parser is strict and says where and
 * why. Everything it yields lives in one piece of memory. Here too is what a type means and how
 * names and types are written in messages.
 */
#include "signature.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "number.h"

enum {
    REAL_SURE = 300,      /* bytes of a number without exponent that surely is finite */
    NAME_CHARACTERS = 40, /* of a name in a message */
};

/* In the order they are written in messages, null last. */
static const struct {
    const char *name;
    jri_types types;
} type_names[] = {
    {"boolean", 1 << JRPC_BOOLEAN}, {"integer", 1 << JRPC_INTEGER}, {"number", 1 << JRPC_NUMBER},
    {"string", 1 << JRPC_STRING},   {"array", 1 << JRPC_ARRAY},     {"object", 1 << JRPC_OBJECT},
    {"null", 1 << JRPC_NULL},       {"any", JRI_TYPES_ANY},
};

enum { N_TYPES = sizeof(type_names) / sizeof(*type_names) };

struct parser {
    const char *start, *at, *end;
    jri_signature *to;
    char *strings;    /* room for names and default strings */
    const char *star; /* the bare one, or *rest's; NULL: none so far */
    bool has_optional;
    const char *expected; /* what may stand here besides another piece of this item */
    jrpc_problem *problem;
};

static int fault(struct parser *parser, const char *at, const char *format, ...) JRPC_PRINTF(3, 4);

static int fault(struct parser *parser, const char *at, const char *format, ...)
{
    jrpc_problem *problem = parser->problem;
    va_list args;

    if (!problem)
        return -EINVAL;
    *problem = (jrpc_problem){.code = -EINVAL, .column = (int)(at - parser->start) + 1};
    va_start(args, format);
    vsnprintf(problem->text, sizeof(problem->text), format, args);
    va_end(args);
    return -EINVAL;
}

/* Something else should be here. */
static int fault_at(struct parser *parser, const char *expected)
{
    /* Most likely the rest of a name in another language. */
    if ((unsigned char)*parser->at >= 0x80)
        expected = "a name that is no identifier is written as a JSON string";
    return fault(parser, parser->at, "%s", expected);
}

static void skip_space(struct parser *parser)
{
    while (parser->at < parser->end && strchr(" \t\r\n", *parser->at))
        parser->at++;
}

/* Takes the mark if it is next. */
static bool take(struct parser *parser, const char *mark)
{
    size_t len = strlen(mark);

    skip_space(parser);
    if ((size_t)(parser->end - parser->at) < len || memcmp(parser->at, mark, len) != 0)
        return false;
    parser->at += len;
    return true;
}

static bool is_at(struct parser *parser, const char *mark)
{
    const char *at = parser->at;
    bool is_it = take(parser, mark);

    parser->at = at;
    return is_it;
}

static size_t word_len(const struct parser *parser)
{
    const char *at = parser->at;

    while (at < parser->end && (*at == '_' || (*at >= 'a' && *at <= 'z') ||
                                (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9')))
        at++;
    if (at > parser->at && *parser->at >= '0' && *parser->at <= '9')
        return 0;
    return (size_t)(at - parser->at);
}

/* A JSON value, up to wherever it ends. */
static int read_json(struct parser *parser, jri_value *out)
{
    jri_reader reader;

    jri_read_begin(&reader, parser->start, (size_t)(parser->end - parser->start),
                   JRI_SIGNATURE_DEPTH, UINT32_MAX);
    reader.at = parser->at;
    if (jri_read_value(&reader, out))
        return fault(parser, reader.at, "%s", reader.reason);
    parser->at = reader.at;
    return 0;
}

/* A string's value, NUL-terminated. What is behind it in the declaration makes room for the NUL. */
static const char *keep_string(struct parser *parser, const jri_value *string, uint32_t *len)
{
    char *to = parser->strings;

    *len = (uint32_t)jri_string_decode(string, to);
    to[*len] = '\0';
    parser->strings += *len + 1;
    return to;
}

static bool is_name(const char *known, const char *name, size_t len)
{
    return known && strlen(known) == len && memcmp(known, name, len) == 0;
}

static bool is_taken(const jri_signature *signature, const char *name, size_t len)
{
    for (uint32_t i = 0; i < signature->n_params; i++)
        if (is_name(signature->params[i].name, name, len))
            return true;
    return is_name(signature->rest_name, name, len) || is_name(signature->fields_name, name, len);
}

static int parse_name(struct parser *parser, const char **out, uint32_t *out_len)
{
    skip_space(parser);
    const char *at = parser->at, *name = parser->strings;
    size_t n_word = word_len(parser);
    uint32_t len = (uint32_t)n_word;
    char text[JRI_NAME_TEXT];
    jri_value string;

    if (n_word) {
        memcpy(parser->strings, at, n_word);
        parser->strings[n_word] = '\0';
        parser->strings += n_word + 1;
        parser->at += n_word;
    } else if (at < parser->end && *at == '"') {
        int status = read_json(parser, &string);
        if (status)
            return status;
        if (string.flags & JRI_HAS_NUL)
            return fault(parser, at, "a name with U+0000 in it");
        name = keep_string(parser, &string, &len);
    } else {
        return fault_at(parser, "expected a parameter's name");
    }
    if (is_taken(parser->to, name, len)) {
        jri_name_text(name, len, text);
        return fault(parser, at, "name %s twice", text);
    }
    *out = name;
    *out_len = len;
    return 0;
}

/* The type that was meant: the one that begins most like the word. NULL: no idea. */
static const char *suggest_type(const char *word, size_t len)
{
    const char *suggestion = NULL;
    size_t n_most = 1;

    for (size_t i = 0; i < N_TYPES; i++) {
        size_t n = 0;
        while (n < len && (word[n] | 0x20) == type_names[i].name[n])
            n++;
        if (n > n_most) {
            n_most = n;
            suggestion = type_names[i].name;
        }
    }
    return suggestion;
}

static int fault_type(struct parser *parser, size_t len)
{
    const char *suggestion = suggest_type(parser->at, len);
    char text[JRI_NAME_TEXT];

    if (!len)
        return fault(parser, parser->at, "expected a type");
    jri_name_text(parser->at, len, text);
    return fault(parser, parser->at, "unknown type %s%s%s%s", text,
                 suggestion ? "; did you mean " : "", suggestion ? suggestion : "",
                 suggestion ? "?" : "");
}

static int parse_types(struct parser *parser, jri_types *out)
{
    jri_types types = 0;

    do {
        skip_space(parser);
        size_t len = word_len(parser), i = 0;
        while (i < N_TYPES && !is_name(type_names[i].name, parser->at, len))
            i++;
        if (i == N_TYPES)
            return fault_type(parser, len);

        jri_types type = type_names[i].types;
        if (types & type && types != JRI_TYPES_ANY && type != JRI_TYPES_ANY)
            return fault(parser, parser->at, "type '%s' twice", type_names[i].name);
        if (types && (types == JRI_TYPES_ANY || type == JRI_TYPES_ANY))
            return fault(parser, parser->at, "'any' stands alone");
        types |= type;
        parser->at += len;
    } while (take(parser, "|"));

    *out = types;
    return 0;
}

static int parse_default(struct parser *parser, jri_param *param)
{
    char text[JRI_TYPES_TEXT];

    skip_space(parser);
    const char *at = parser->at;
    int status = read_json(parser, &param->value);
    if (status)
        return status;

    /* To the copy, which lives as long as the table. */
    param->value.text = parser->to->text + (param->value.text - parser->start);
    param->has_default = true;
    if (!jri_value_fits(&param->value, param->types)) {
        jri_types_text(param->types, text);
        return fault(parser, at, "default does not fit type %s", text);
    }
    if (param->value.type != JRPC_STRING)
        return 0;
    if (param->value.flags & JRI_HAS_NUL && param->types != JRI_TYPES_ANY)
        return fault(parser, at, "default with U+0000 in it does not fit type string");
    param->string = keep_string(parser, &param->value, &param->string_len);
    return 0;
}

static int parse_param(struct parser *parser)
{
    jri_signature *to = parser->to;
    jri_param *param = &to->params[to->n_params];
    const char *start = parser->at;
    int status;

    if (to->n_params == JRI_PARAMS_MAX)
        return fault(parser, start, "more than %d parameters", JRI_PARAMS_MAX);
    *param = (jri_param){.types = JRI_TYPES_ANY};
    status = parse_name(parser, &param->name, &param->name_len);
    if (status)
        return status;

    parser->expected = "expected ':', ',' or '->'";
    bool is_optional = take(parser, "?");
    if (take(parser, ":")) {
        parser->expected = "expected ',' or '->'";
        status = parse_types(parser, &param->types);
        if (status)
            return status;
    }
    if (is_optional && is_at(parser, "="))
        return fault(parser, parser->at, "'?' and a default exclude each other");
    if (take(parser, "=")) {
        parser->expected = "expected ',' or '->'";
        status = parse_default(parser, param);
        if (status)
            return status;
    }
    param->is_required = !is_optional && !param->has_default;
    if (!parser->star && param->is_required && parser->has_optional)
        return fault(parser, start, "a required parameter after an optional one");
    parser->has_optional |= !param->is_required;
    to->n_required += param->is_required;
    to->n_params++;
    return 0;
}

/* "*rest" or "**fields", from its name on. */
static int parse_others(struct parser *parser, const char **name, jri_types *types)
{
    uint32_t len;
    int status = parse_name(parser, name, &len);
    if (status)
        return status;

    *types = JRI_TYPES_ANY;
    parser->expected = "expected ':', ',' or '->'";
    if (!take(parser, ":"))
        return 0;
    parser->expected = "expected ',' or '->'";
    return parse_types(parser, types);
}

static int parse_item(struct parser *parser)
{
    jri_signature *to = parser->to;

    skip_space(parser);
    const char *start = parser->at;
    if (to->has_fields)
        return fault(parser, start, "nothing may follow **fields");
    if (take(parser, "**")) {
        to->has_fields = true;
        return parse_others(parser, &to->fields_name, &to->fields_types);
    }
    if (!take(parser, "*"))
        return parse_param(parser);

    if (to->has_rest)
        return fault(parser, start, "only named-only parameters and **fields may follow *rest");
    if (parser->star)
        return fault(parser, start, "at most one '*'");
    parser->star = start;
    to->n_positional = to->n_params;
    skip_space(parser);
    if (parser->at == parser->end || *parser->at == ',' || is_at(parser, "->"))
        return 0;
    to->has_rest = true;
    return parse_others(parser, &to->rest_name, &to->rest_types);
}

static int parse_items(struct parser *parser)
{
    skip_space(parser);
    if (parser->at == parser->end || is_at(parser, "->"))
        return 0;

    do {
        int status = parse_item(parser);
        if (status)
            return status;
    } while (take(parser, ","));
    return 0;
}

static int parse(struct parser *parser)
{
    jri_signature *to = parser->to;
    int status;

    parser->expected = "expected a parameter or '->'";
    status = parse_items(parser);
    if (status)
        return status;
    if (!parser->star)
        to->n_positional = to->n_params;
    else if (!to->has_rest && to->n_positional == to->n_params)
        return fault(parser, parser->star, "a named-only parameter must follow '*'");

    to->result_types = JRI_TYPES_ANY;
    if (take(parser, "->")) {
        parser->expected = "nothing may follow the result's type";
        status = parse_types(parser, &to->result_types);
        if (status)
            return status;
    }
    skip_space(parser);
    return parser->at < parser->end ? fault_at(parser, parser->expected) : 0;
}

int jri_signature_parse(const char *text, jri_signature **out, jrpc_problem *problem)
{
    size_t len = strlen(text), n_params = 1;
    struct parser parser = {.start = text, .at = text, .end = text + len, .problem = problem};

    if (len > JRI_SIGNATURE_MAX)
        return fault(&parser, text + JRI_SIGNATURE_MAX, "longer than %d bytes", JRI_SIGNATURE_MAX);
    for (const char *at = text; n_params < JRI_PARAMS_MAX && (at = strchr(at, ',')); at++)
        n_params++;

    /* The table, the copy, and the strings: each of these is shorter than its spelling and what
     * must stand behind it, but for the last one's NUL. */
    size_t n_table = n_params * sizeof(jri_param);
    jri_signature *signature = calloc(1, sizeof(*signature) + n_table + (len + 1) + (len + 1));
    if (!signature) {
        if (problem)
            *problem = (jrpc_problem){.code = -ENOMEM, .text = "out of memory"};
        return -ENOMEM;
    }
    signature->params = (jri_param *)(signature + 1);
    signature->text = (char *)signature->params + n_table;
    memcpy(signature->text, text, len + 1);

    parser.to = signature;
    parser.strings = signature->text + len + 1;
    int status = parse(&parser);
    if (status) {
        jri_signature_free(signature);
        return status;
    }
    *out = signature;
    return 0;
}

void jri_signature_free(jri_signature *signature)
{
    free(signature);
}

jrpc_type jri_value_type(const jri_value *value)
{
    int64_t integer;

    if (value->type != JRPC_INTEGER && value->type != JRPC_NUMBER)
        return value->type;
    if (value->json) {
        double real = json_real_value(value->json);
        bool is_integer = value->type == JRPC_INTEGER ||
                          (real >= -0x1p63 && real < 0x1p63 && real == trunc(real));
        return is_integer ? JRPC_INTEGER : JRPC_NUMBER;
    }
    if (value->type == JRPC_INTEGER && value->len <= JRI_INTEGER_SURE)
        return JRPC_INTEGER;
    return jri_number_to_int64(value->text, value->len, &integer) ? JRPC_NUMBER : JRPC_INTEGER;
}

static bool is_finite(const jri_value *value)
{
    uint32_t n = 0;
    double real;

    if (value->json)
        return true; /* jansson has no others */
    while (n < value->len && (value->text[n] | 0x20) != 'e')
        n++;
    if (n == value->len && n <= REAL_SURE)
        return true;
    return jri_number_to_double(value->text, value->len, &real) == 0;
}

bool jri_value_fits(const jri_value *value, jri_types types)
{
    if (types == JRI_TYPES_ANY)
        return true;
    if (value->type != JRPC_INTEGER && value->type != JRPC_NUMBER)
        return types >> value->type & 1;
    if (types >> JRPC_NUMBER & 1)
        return is_finite(value);
    return types >> JRPC_INTEGER & 1 && jri_value_type(value) == JRPC_INTEGER;
}

void jri_types_text(jri_types types, char to[JRI_TYPES_TEXT])
{
    size_t len = 0;

    to[0] = '\0';
    for (size_t i = 0; i < N_TYPES; i++) {
        bool is_any = type_names[i].types == JRI_TYPES_ANY;
        if (is_any != (types == JRI_TYPES_ANY) || (types & type_names[i].types) == 0)
            continue;
        len += (size_t)snprintf(to + len, JRI_TYPES_TEXT - len, "%s%s", len ? "|" : "",
                                type_names[i].name);
    }
}

void jri_name_text(const char *name, size_t len, char to[JRI_NAME_TEXT])
{
    const size_t size = JRI_NAME_TEXT - sizeof("'...'") + 1;
    size_t n = 0;

    for (size_t i = 0; i < NAME_CHARACTERS && n < len; i++) {
        size_t step = jri_utf8_step(name + n, name + len);
        n += step ? step : 1;
    }
    size_t need = jri_escape(to + 1, size, name, n);
    to[0] = '\'';
    strcat(to, n < len || need >= size ? "...'" : "'");
}

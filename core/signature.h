/* SPDX-License-Identifier: MIT */
/*
 * signature.h - "a: number, *rest" as a table
 *
 * signature  = [ item { "," item } ] [ "->" types ]
 * item       = name [ "?" ] [ ":" types ] [ "=" value ]   a parameter; "?" optional, no default
 *            | "*"                                         what follows is named-only
 *            | "*" name [ ":" types ]                      the other positional arguments
 *            | "**" name [ ":" types ]                     the other named arguments; last
 * name       = [A-Za-z_] { [A-Za-z0-9_] } | a JSON string
 * types      = type { "|" type }
 * type       = any null boolean integer number string array object
 * value      = any JSON value of one of the types
 *
 * White space between any two of these. After "*rest" only named-only parameters and "**fields";
 * a bare "*" is followed by a named-only parameter; no required positional parameter after an
 * optional one; no name and no type twice; "any" stands alone; at most one "*", counting "*rest".
 */
#ifndef JRI_SIGNATURE_H
#define JRI_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jrpc/call.h>
#include <jrpc/error.h>

#include "json_read.h"

/* A set of types: bit 1 << jrpc_type. An integer value fits JRPC_NUMBER too. */
typedef uint16_t jri_types;

enum {
    JRI_TYPES_ANY = 1 << JRPC_NULL | 1 << JRPC_BOOLEAN | 1 << JRPC_INTEGER | 1 << JRPC_NUMBER |
                    1 << JRPC_STRING | 1 << JRPC_ARRAY | 1 << JRPC_OBJECT
};

enum {
    JRI_SIGNATURE_MAX = 65535, /* bytes of a declaration */
    JRI_PARAMS_MAX = 1000,     /* declared parameters */
    JRI_SIGNATURE_DEPTH = 128, /* nesting of a default */
};

typedef struct jri_param {
    const char *name; /* NUL-terminated, unescaped, without U+0000 */
    uint32_t name_len;
    jri_types types;
    bool is_required; /* neither "?" nor a default */
    bool has_default;
    jri_value value;    /* the default: text inside the signature's own copy */
    const char *string; /* a default string decoded, NUL-terminated; else NULL */
    uint32_t string_len;
} jri_param;

typedef struct jri_signature {
    jri_param *params;
    uint32_t n_params;     /* declared, without *rest and **fields: argument positions */
    uint32_t n_positional; /* the first of them may be passed by position */
    uint32_t n_required;   /* number of required ones among all */
    bool has_rest, has_fields;
    jri_types rest_types, fields_types, result_types;
    const char *rest_name, *fields_name; /* NULL if there are none */
    char *text;                          /* the declaration, NUL-terminated, owned */
} jri_signature;

/**
 * jri_signature_parse() - parse a declaration
 * @text:     NUL-terminated UTF-8
 * @out:      new; end with jri_signature_free()
 * @problem:  on failure: the column of the fault and why, its source empty; may be NULL
 *
 * Return: 0; -EINVAL; -ENOMEM.
 */
int jri_signature_parse(const char *text, jri_signature **out, jrpc_problem *problem);

void jri_signature_free(jri_signature *signature);

/* Bytes of a spelled integer that is surely within int64. */
enum { JRI_INTEGER_SURE = 18 };

/* The value's type as call.h promises it: JRPC_INTEGER if integral and within int64. */
jrpc_type jri_value_type(const jri_value *value);

/* The value is one of the types: an integer is a number too; a number has a finite double. */
bool jri_value_fits(const jri_value *value, jri_types types);

/*
 * For messages
 */

/* Bytes of "what does not fit", with the NUL. */
enum { JRI_REASON_MAX = 256 };

/* "integer|null" of a set, also for descriptions. to has room for JRI_TYPES_TEXT. */
enum { JRI_TYPES_TEXT = 64 };
void jri_types_text(jri_types types, char to[JRI_TYPES_TEXT]);

/* 'name' in quotes, escaped as by jri_escape(), cut after 40 characters at most; always UTF-8. Two
 * of them fit a reason. */
enum { JRI_NAME_TEXT = 104 };
void jri_name_text(const char *name, size_t len, char to[JRI_NAME_TEXT]);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * discover.c - the service described as OpenRPC
 *
 * The document (OpenRPC 1.3.2, JSON Schema draft 7) promises only calls that binding accepts, with
 * the meaning shown; it need not promise all of them. What stands in a signature decides:
 *
 *     positional parameters only, or none         either
 *     *rest, too                                  by-position, *rest last
 *     named-only parameters or **fields, too      by-name
 *     *rest and optional named-only or **fields   by-position; the latter are in x-named-only
 *     *rest and a required named-only one         by-name; no call can reach *rest: left out
 *
 * OpenRPC has no word for *rest and **fields. Each becomes an optional parameter with "x-rest" or
 * "x-fields" true and the schema of one value, not of an array or an object: whoever does not know
 * the mark gives one argument, or one field of that name, and is understood.
 *
 * The specification wants required parameters first in every list. By position they stand so
 * already; by name the order means nothing, and they are moved. Without a signature, or with an
 * empty name in it, which OpenRPC forbids, nothing is promised: "x-any-params" is true.
 */
#include "discover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jrpc/service.h>

#include "json_read.h"
#include "service.h"
#include "signature.h"

/*
 * Values: NULL says that there was no memory, and stays NULL whatever is put into it.
 */

/* value is stolen. */
static void put(json_t **object, const char *key, json_t *value)
{
    if (!json_object_set_new(*object, key, value))
        return;
    json_decref(*object);
    *object = NULL;
}

/* value is stolen. */
static void append(json_t **array, json_t *value)
{
    if (!json_array_append_new(*array, value))
        return;
    json_decref(*array);
    *array = NULL;
}

/*
 * Parameters
 */

/* "integer", or ["integer", "null"]: JSON Schema has our names. */
static json_t *new_type(jri_types types)
{
    char text[JRI_TYPES_TEXT], *next = text;

    jri_types_text(types, text);
    if (!strchr(text, '|'))
        return json_string(text);

    json_t *names = json_array();
    for (const char *name; (name = strsep(&next, "|"));)
        append(&names, json_string(name));
    return names;
}

static json_t *new_schema(jri_types types)
{
    json_t *schema = json_object();

    if (types != JRI_TYPES_ANY)
        put(&schema, "type", new_type(types));
    return schema;
}

/* schema is stolen. */
static json_t *new_descriptor(const char *name, bool is_required, json_t *schema)
{
    json_t *descriptor = json_object();

    put(&descriptor, "name", json_string(name));
    put(&descriptor, "required", json_boolean(is_required));
    put(&descriptor, "schema", schema);
    return descriptor;
}

static json_t *new_param(const jri_param *param)
{
    json_t *schema = new_schema(param->types), *value = NULL;

    /* A few values have no jansson value, as 1e999 and U+0000 in a name: they stay unsaid. */
    if (param->has_default) {
        int status = jri_json_build(param->value.text, param->value.len, &value);
        if (!status || status == -ENOMEM)
            put(&schema, "default", value);
    }
    return new_descriptor(param->name, param->is_required, schema);
}

/* The declared parameters from first to before end, required ones first. */
static void append_params(json_t **list, const jri_signature *signature, uint32_t first,
                          uint32_t end)
{
    for (uint32_t i = first; i < end; i++)
        if (signature->params[i].is_required)
            append(list, new_param(&signature->params[i]));
    for (uint32_t i = first; i < end; i++)
        if (!signature->params[i].is_required)
            append(list, new_param(&signature->params[i]));
}

/* *rest or **fields. */
static void append_others(json_t **list, const char *name, jri_types types, const char *mark)
{
    json_t *descriptor = new_descriptor(name, false, new_schema(types));

    put(&descriptor, mark, json_true());
    append(list, descriptor);
}

static void append_fields(json_t **list, const jri_signature *signature)
{
    if (signature->has_fields)
        append_others(list, signature->fields_name, signature->fields_types, "x-fields");
}

/* No call by position can be complete. */
static bool is_name_required(const jri_signature *signature)
{
    for (uint32_t i = signature->n_positional; i < signature->n_params; i++)
        if (signature->params[i].is_required)
            return true;
    return false;
}

/* OpenRPC knows no parameter without a name. */
static bool is_describable(const jri_signature *signature)
{
    if (!signature || (signature->has_rest && !*signature->rest_name) ||
        (signature->has_fields && !*signature->fields_name))
        return false;
    for (uint32_t i = 0; i < signature->n_params; i++)
        if (!signature->params[i].name_len)
            return false;
    return true;
}

/*
 * Methods
 */

/* Named-only parameters and **fields of a method that is called by position. */
static json_t *new_named_only(const jri_signature *signature)
{
    json_t *list = json_array();

    append_params(&list, signature, signature->n_positional, signature->n_params);
    append_fields(&list, signature);
    return list;
}

static void put_params(json_t **method, const jri_signature *signature)
{
    bool has_names = signature->n_positional < signature->n_params || signature->has_fields;
    bool is_by_position = signature->has_rest && !is_name_required(signature);
    json_t *list = json_array();

    if (is_by_position) {
        append_params(&list, signature, 0, signature->n_positional);
        append_others(&list, signature->rest_name, signature->rest_types, "x-rest");
    } else {
        append_params(&list, signature, 0, signature->n_params);
        append_fields(&list, signature);
    }

    const char *structure = is_by_position ? "by-position" : has_names ? "by-name" : "either";
    put(method, "paramStructure", json_string(structure));
    put(method, "params", list);
    if (is_by_position && has_names)
        put(method, "x-named-only", new_named_only(signature));
}

static json_t *new_result(jri_types types)
{
    json_t *result = json_object();

    put(&result, "name", json_string("result"));
    put(&result, "schema", new_schema(types));
    return result;
}

static json_t *new_method(const jri_row *row)
{
    const jri_signature *signature = row->signature;
    json_t *method = json_object();

    put(&method, "name", json_string(row->name));
    if (row->summary)
        put(&method, "summary", json_string(row->summary));
    if (is_describable(signature)) {
        put_params(&method, signature);
    } else {
        put(&method, "paramStructure", json_string("either"));
        put(&method, "params", json_array());
        put(&method, "x-any-params", json_true());
    }
    put(&method, "result", new_result(signature ? signature->result_types : JRI_TYPES_ANY));
    return method;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(const jri_row *const *)a)->name, (*(const jri_row *const *)b)->name);
}

/* A program's own rpc.discover and rpc.methods describe; they are not described. */
static bool is_described(const jri_row *row)
{
    return row && !(row->flags & JRPC_HIDDEN) &&
           !jri_registry_is_reserved(row->name, row->name_len);
}

/* What `describe` makes of each method, sorted by name. */
static json_t *new_list(const jri_registry *registry, json_t *(*describe)(const jri_row *row))
{
    const jri_row **rows = calloc(registry->n_rows + 1, sizeof(*rows));
    size_t n_rows = 0;
    if (!rows)
        return NULL;

    for (size_t i = 0; i < registry->n_slots; i++)
        if (is_described(registry->slots[i]))
            rows[n_rows++] = registry->slots[i];
    qsort(rows, n_rows, sizeof(*rows), compare_names);

    json_t *list = json_array();
    for (size_t i = 0; list && i < n_rows; i++)
        append(&list, describe(rows[i]));
    free(rows);
    return list;
}

static json_t *new_name(const jri_row *row)
{
    return json_string(row->name);
}

json_t *jri_discover_names(const jri_registry *registry)
{
    return new_list(registry, new_name);
}

/* OpenRPC requires a title and a version. */
static json_t *new_info(const jrpc_service *service)
{
    json_t *info = json_object();

    put(&info, "title", json_string(service->title ? service->title : "jrpc service"));
    put(&info, "version", json_string(service->version ? service->version : "0.0.0"));
    if (service->description)
        put(&info, "description", json_string(service->description));
    return info;
}

int jrpc_service_describe(jrpc_service *service, json_t **out)
{
    if (!service || !out)
        return -EINVAL;

    json_t *document = json_object();
    put(&document, "openrpc", json_string("1.3.2"));
    put(&document, "info", new_info(service));
    put(&document, "methods", new_list(&service->registry, new_method));
    if (!document)
        return -ENOMEM;
    *out = document;
    return 0;
}

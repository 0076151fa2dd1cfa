/* SPDX-License-Identifier: MIT */
/*
 * naive_cjson.c - JSON-RPC 2.0 as one writes it in an afternoon with cJSON, to compare with
 *
 * Built where cJSON is installed. Simpler than naive_jansson.c: single requests only.
 */
#include "naive_cjson.h"

#include <string.h>

#include <cjson/cJSON.h>

static cJSON *subtract(const cJSON *params)
{
    const cJSON *a, *b;

    if (cJSON_IsArray(params)) {
        a = cJSON_GetArrayItem(params, 0);
        b = cJSON_GetArrayItem(params, 1);
    } else {
        a = cJSON_GetObjectItemCaseSensitive(params, "minuend");
        b = cJSON_GetObjectItemCaseSensitive(params, "subtrahend");
    }
    if (!cJSON_IsNumber(a) || !cJSON_IsNumber(b))
        return NULL;
    return cJSON_CreateNumber(a->valuedouble - b->valuedouble);
}

static cJSON *call(const char *name, cJSON *request, int *code)
{
    cJSON *params = cJSON_GetObjectItemCaseSensitive(request, "params");

    *code = -32602;
    if (!strcmp(name, "ping"))
        return cJSON_CreateString("pong");
    if (!strcmp(name, "subtract"))
        return subtract(params);
    if (!strcmp(name, "echo"))
        return cJSON_DetachItemViaPointer(request, params);
    if (!strcmp(name, "echo_json") || !strcmp(name, "echo_raw"))
        return cJSON_DetachItemFromArray(params, 0);
    *code = -32601;
    return NULL;
}

static const char *message_of(int code)
{
    switch (code) {
    case -32700:
        return "Parse error";
    case -32600:
        return "Invalid Request";
    case -32601:
        return "Method not found";
    default:
        return "Invalid params";
    }
}

/* result and id are stolen; NULL result: an error. */
static cJSON *make_answer(cJSON *result, int code, cJSON *id)
{
    cJSON *answer = cJSON_CreateObject();

    cJSON_AddItemToObject(answer, "jsonrpc", cJSON_CreateString("2.0"));
    if (result) {
        cJSON_AddItemToObject(answer, "result", result);
    } else {
        cJSON *error = cJSON_AddObjectToObject(answer, "error");
        cJSON_AddNumberToObject(error, "code", code);
        cJSON_AddStringToObject(error, "message", message_of(code));
    }
    cJSON_AddItemToObject(answer, "id", id ? id : cJSON_CreateNull());
    return answer;
}

/* NULL: a notification. */
static cJSON *answer_one(cJSON *request)
{
    const char *version, *name;
    int code;

    version = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(request, "jsonrpc"));
    name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(request, "method"));
    if (!version || strcmp(version, "2.0") || !name)
        return make_answer(NULL, -32600, NULL);

    cJSON *id = cJSON_DetachItemFromObjectCaseSensitive(request, "id");
    cJSON *result = call(name, request, &code);
    if (!id) {
        cJSON_Delete(result);
        return NULL;
    }
    return make_answer(result, code, id);
}

size_t naive_cjson(const char *text, size_t len, char *out, size_t size)
{
    cJSON *message = cJSON_ParseWithLength(text, len);
    cJSON *answer = message ? answer_one(message) : make_answer(NULL, -32700, NULL);
    size_t n = 0;

    if (answer && cJSON_PrintPreallocated(answer, out, (int)size, /* format */ 0))
        n = strlen(out);
    cJSON_Delete(answer);
    cJSON_Delete(message);
    return n;
}

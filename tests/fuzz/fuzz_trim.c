/* SPDX-License-Identifier: MIT */
/*
 * fuzz_trim.c - a message of any bytes on its way to the log: trimmed, escaped
 *
 * Trimming accepts what the reader accepts, gives JSON that is no longer and does not change when
 * trimmed again; where jansson can read the text, it is compared with the rule said plainly on
 * jansson's values. Escaped text is valid UTF-8 without a control character.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/buf.h"
#include "core/escape.h"
#include "core/json_read.h"
#include "core/json_write.h"
#include "core/trim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

static bool is_json(const char *text, size_t len)
{
    jri_reader reader;
    jri_value value;

    jri_read_begin(&reader, text, len, JRI_READ_DEPTH, UINT32_MAX);
    return jri_read_value(&reader, &value) == 0 && jri_read_end(&reader) == 0;
}

/* Where character i of a string begins. */
static const char *find_character(const char *text, size_t i)
{
    for (; i; i--)
        for (text++; (*text & 0xC0) == 0x80;)
            text++;
    return text;
}

static json_t *trim_string(const json_t *string)
{
    const char *text = json_string_value(string);
    size_t len = json_string_length(string), n = 0;
    char *joined = malloc(len + 4);

    for (size_t i = 0; i < len; i++)
        n += (text[i] & 0xC0) != 0x80;
    require(joined != NULL);
    memcpy(joined, text, len);
    if (n > 30) {
        size_t head = (size_t)(find_character(text, 10) - text);
        size_t tail = (size_t)(find_character(text, n - 10) - text);
        memcpy(joined + head, "...", 3);
        memcpy(joined + head + 3, text + tail, len - tail);
        len = head + 3 + len - tail;
    }
    json_t *trimmed = json_stringn(joined, len);
    free(joined);
    return trimmed;
}

static json_t *trim_value(json_t *value)
{
    size_t n = json_array_size(value);

    if (json_is_array(value)) {
        json_t *array = json_array();
        for (size_t i = 0; i < n; i++) {
            if (n > 30 && i == 10) {
                json_array_append_new(array, json_string("..."));
                i = n - 10;
            }
            json_array_append_new(array, trim_value(json_array_get(value, i)));
        }
        return array;
    }
    if (json_is_object(value)) {
        json_t *object = json_object(), *member = NULL;
        const char *name = NULL;
        json_object_foreach(value, name, member) {
            json_object_set_new(object, name, trim_value(member));
        }
        return object;
    }
    return json_is_string(value) ? trim_string(value) : json_incref(value);
}

/* jansson knows neither numbers of every size nor names twice: then there is no comparison. */
static void compare(const char *text, size_t len, const jrpc_buf *trimmed)
{
    size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES;
    json_t *whole = json_loadb(text, len, flags, NULL);

    if (!whole)
        return;
    json_t *expect = trim_value(whole);
    json_t *actual = json_loadb(trimmed->data, trimmed->len, flags, NULL);
    require(actual && json_equal(actual, expect));
    json_decref(actual);
    json_decref(expect);
    json_decref(whole);
}

static void check_trim(const char *text, size_t len)
{
    jrpc_buf once, twice;

    jri_buf_init(&once, len);
    jri_buf_init(&twice, len);
    int status = jri_trim_json(&once, text, len);
    require(status == (is_json(text, len) ? 0 : -EBADMSG));
    if (!status) {
        require(once.len <= len && is_json(once.data, once.len));
        require(jri_trim_json(&twice, once.data, once.len) == 0);
        require(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
        compare(text, len, &once);
    } else {
        require(once.len == 0);
    }
    jri_buf_fini(&once);
    jri_buf_fini(&twice);
}

static void check_escape(const char *text, size_t len)
{
    size_t need = jri_escape(NULL, 0, text, len);
    char *whole = malloc(need + 1), *part = malloc(need / 2 + 1);

    require(whole && part && need >= len); /* nothing gets shorter */
    require(jri_escape(whole, need + 1, text, len) == need && strlen(whole) == need);
    require(jri_utf8_check(whole, need) == need);
    for (size_t i = 0; i < need; i++)
        require((unsigned char)whole[i] >= 0x20 && whole[i] != 0x7F);

    require(jri_escape(part, need / 2 + 1, text, len) == need);
    require(strlen(part) <= need / 2 && memcmp(part, whole, strlen(part)) == 0);
    free(whole);
    free(part);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_trim((const char *)data, size);
    check_escape((const char *)data, size);
    return 0;
}

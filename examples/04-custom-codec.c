/* SPDX-License-Identifier: MIT */
/*
 * 04-custom-codec.c - a codec is a pair of functions
 *
 * Each message is eight hexadecimal digits and JSON text: the digits are the text's checksum.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jrpc/jrpc.h>

enum { DIGITS = 8 };

/* FNV-1a, of 32 bits */
static void write_checksum(const char *text, size_t len, char to[DIGITS + 1])
{
    uint32_t sum = 2166136261u;

    for (size_t i = 0; i < len; i++)
        sum = (sum ^ (uint8_t)text[i]) * 16777619u;
    snprintf(to, DIGITS + 1, "%08" PRIx32, sum);
}

static int deserialize(const char *data, size_t len, void *user, json_t **out,
                       jrpc_problem *problem)
{
    const jrpc_codec *json = jrpc_codec_jansson();
    char sum[DIGITS + 1] = "";

    (void)user;
    if (len >= DIGITS)
        write_checksum(data + DIGITS, len - DIGITS, sum);
    if (len < DIGITS || memcmp(data, sum, DIGITS) != 0) {
        snprintf(problem->text, sizeof(problem->text), "the checksum is wrong");
        return -EBADMSG;
    }
    return json->deserialize(data + DIGITS, len - DIGITS, json->user, out, problem);
}

static int serialize(const json_t *value, jrpc_buf *to, void *user)
{
    char sum[DIGITS + 1];

    (void)user;
    char *text = json_dumps(value, JSON_COMPACT);
    if (!text)
        return -ENOMEM;
    write_checksum(text, strlen(text), sum);
    int status = jrpc_buf_append(to, sum, DIGITS);
    if (!status)
        status = jrpc_buf_append(to, text, strlen(text));
    free(text);
    return status;
}

static int ping(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_string(call, "pong");
}

static int make_service(jrpc_service **service)
{
    const jrpc_method row = JRPC_METHOD("ping", ping, "-> string", "Answers pong.");
    jrpc_codec codec = JRPC_CODEC_INIT;
    jrpc_options *options = NULL;

    codec.name = "checked-json";
    codec.content_type = "text/plain";
    codec.deserialize = deserialize;
    codec.serialize = serialize;

    int status = jrpc_options_new(&options);
    if (!status)
        status = jrpc_options_set(options, "debug", "yes");
    if (!status)
        status = jrpc_service_new(options, service);
    if (!status)
        status = jrpc_service_add(*service, &row, /* user */ NULL);
    if (!status)
        status = jrpc_service_set_codec(*service, &codec);
    jrpc_options_free(options);
    return status;
}

int main(void)
{
    static const char *const requests[] = {
        "15bc873f{\"jsonrpc\": \"2.0\", \"method\": \"ping\", \"id\": 1}",
        "15bc873f{\"jsonrpc\": \"2.0\", \"method\": \"pong\", \"id\": 1}", /* a damaged byte */
    };
    jrpc_service *service = NULL;
    jrpc_response *response = NULL;
    int status = make_service(&service);

    for (size_t i = 0; !status && i < sizeof(requests) / sizeof(requests[0]); i++) {
        const char *request = requests[i];
        status = jrpc_dispatch(service, request, strlen(request), /* options */ NULL, &response);
        printf("--> %s\n<-- %s\n", request, jrpc_response_text(response, /* len */ NULL));
    }
    jrpc_response_free(response);
    jrpc_service_free(service);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
/*
 * 03-codec-msgpack.c - the same service in MessagePack
 *
 * Methods and dispatch are as ever; the codec, in msgpack_codec.c, is all that knows what the
 * bytes mean.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <msgpack.h>

#include "msgpack_codec.h"

static int subtract(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_number(call, jrpc_arg_number(call, 0) - jrpc_arg_number(call, 1));
}

static const jrpc_method subtract_row =
    JRPC_METHOD("subtract", subtract, "minuend: number, subtrahend: number -> number",
                "The difference of two numbers.");

static void print_message(const char *mark, const char *data, size_t len)
{
    msgpack_unpacked message;

    msgpack_unpacked_init(&message);
    printf("%s %zu bytes ", mark, len);
    if (msgpack_unpack_next(&message, data, len, /* off */ NULL) == MSGPACK_UNPACK_SUCCESS)
        msgpack_object_print(stdout, message.data);
    else
        printf("cut short");
    putchar('\n');
    msgpack_unpacked_destroy(&message);
}

static int answer(jrpc_service *service, const char *data, size_t len)
{
    jrpc_response *response = NULL;

    print_message("-->", data, len);
    int status = jrpc_dispatch(service, data, len, /* options */ NULL, &response);
    if (!status) {
        data = jrpc_response_text(response, &len);
        print_message("<--", data, len);
    }
    jrpc_response_free(response);
    return status;
}

static void pack_text(msgpack_packer *to, const char *text)
{
    msgpack_pack_str_with_body(to, text, strlen(text));
}

/* As a client does it: {"jsonrpc": "2.0", "method": "subtract", "params": [42, 0.5], "id": 1} */
static void pack_request(msgpack_packer *to)
{
    msgpack_pack_map(to, 4);
    pack_text(to, "jsonrpc");
    pack_text(to, "2.0");
    pack_text(to, "method");
    pack_text(to, "subtract");
    pack_text(to, "params");
    msgpack_pack_array(to, 2);
    msgpack_pack_int(to, 42);
    msgpack_pack_double(to, 0.5);
    pack_text(to, "id");
    msgpack_pack_int(to, 1);
}

int main(void)
{
    msgpack_sbuffer request;
    msgpack_packer packer;
    jrpc_service *service = NULL;

    msgpack_sbuffer_init(&request);
    msgpack_packer_init(&packer, &request, msgpack_sbuffer_write);
    pack_request(&packer);

    int status = jrpc_service_new(/* options */ NULL, &service);
    if (!status)
        status = jrpc_service_add(service, &subtract_row, /* user */ NULL);
    if (!status)
        status = jrpc_service_set_codec(service, msgpack_codec());
    if (!status)
        status = answer(service, request.data, request.size);
    if (!status)
        status = answer(service, request.data, request.size - 1); /* errors too are MessagePack */

    jrpc_service_free(service);
    msgpack_sbuffer_destroy(&request);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
/*
 * web_websocket.c - messages over WebSocket
 *
 * Answers are framed here and not by libwebsockets, so that any number of them goes out by one
 * write. That is valid because no extension is ever agreed upon.
 *
 * A connection that is at fault is read on, for the client's answer to the closing handshake stands
 * behind what it has sent; its messages are not looked at any more.
 */
#include "web.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../core/json_write.h"

enum { GOODBYE_MS = 5000, PATH_MAX_LEN = 1023, CODE_MAX = 4999 };

/* Only the service's own path can be upgraded, none below it. */
static void route(jri_web_link *link)
{
    char path[PATH_MAX_LEN + 1];
    size_t len = jri_web_header(link, WSI_TOKEN_GET_URI, path, sizeof(path));

    jri_web_route(link, len < sizeof(path) ? path : "");
    if (link->listener && strcmp(link->listener->path, path) != 0)
        link->listener = NULL;
}

int jri_websocket_upgrade(jri_web_link *link)
{
    jri_http_verdict verdict = {0};
    char upgrade[32];

    /* A connection that only says "h2c" would reach a parser with known faults. */
    size_t len = jri_web_header(link, WSI_TOKEN_UPGRADE, upgrade, sizeof(upgrade));
    if (len >= sizeof(upgrade) || !jri_web_list_has(upgrade, len, "websocket"))
        return -1;
    free(link->http->origin);
    *link->http = (jri_http_request){0};
    jri_web_link_close_peer(link); /* what it was by HTTP */
    route(link);
    jri_http_examine_upgrade(link, &verdict);
    if (!verdict.status) {
        if (jri_web_headers_keep(link))
            return -1;
        if (jri_web_link_open_peer(link, /* is_websocket */ true))
            verdict = (jri_http_verdict){503, "", "Server busy\n", NULL};
    }
    if (!verdict.status) {
        link->is_websocket = true;
        return 0;
    }
    link->listener = NULL;
    jri_http_say(link, &verdict);
    return -1;
}

/* The last frame. libwebsockets knows nothing of it: Debian's build closes at once what it is told
 * to close when it asks for output, and waits long for whoever does not answer. */
static int say_goodbye(jri_web_link *link)
{
    unsigned char frame[LWS_PRE + 4] = {0};
    unsigned char *at = frame + LWS_PRE;
    int code_len = link->close_code ? 2 : 0;

    at[0] = 0x88;
    at[1] = (unsigned char)code_len;
    at[2] = (unsigned char)(link->close_code >> 8);
    at[3] = (unsigned char)link->close_code;
    if (lws_write(link->wsi, at, (size_t)code_len + 2, LWS_WRITE_RAW) < code_len + 2)
        return -1;
    jri_web_link_part(link, GOODBYE_MS);
    return 0;
}

/* When all is sent. */
static void close_soon(jri_web_link *link, int code, int reason)
{
    if (link->close_code)
        return;
    link->close_code = (uint16_t)code;
    link->reason = reason;
    lws_rx_flow_control(link->wsi, 1);
    lws_callback_on_writable(link->wsi);
}

void jri_websocket_drop(jri_web_link *link, int reason)
{
    close_soon(link,
               link->listener->is_stopped ? LWS_CLOSE_STATUS_GOINGAWAY : LWS_CLOSE_STATUS_NORMAL,
               reason);
    if (!reason)
        return;
    if (link->is_killed || jri_web_link_unsent(link) || say_goodbye(link))
        jri_web_link_kill(link, reason);
}

/* The message is at fault: it is the last. */
static int refuse(jri_web_link *link, int code, int reason, const char *what)
{
    jrpc_listener_log(link->listener->owner, link->peer, JRPC_LOG_WARNING, "%s, closing", what);
    jri_web_link_drop_buffer(link, &link->input);
    jrpc_transport_buffered(link->peer, 0);
    close_soon(link, code, reason);
    return 0;
}

/* A goodbye that may not be is told why. libwebsockets has put 1002 where a code below 3000 is none
 * that it knows. 0: it is as it should be. */
static int fault_of_goodbye(const char *data, size_t len, unsigned code)
{
    if (len == 1 || code > CODE_MAX)
        return LWS_CLOSE_STATUS_PROTOCOL_ERR;
    if (len > 2 && jri_utf8_check(data + 2, len - 2) != len - 2)
        return LWS_CLOSE_STATUS_INVALID_PAYLOAD;
    return 0;
}

/* Answered here, for libwebsockets would echo whatever it is, and read on. What stands behind a
 * goodbye is not looked at. */
int jri_websocket_left(jri_web_link *link, const char *data, size_t len)
{
    unsigned code = len < 2 ? 0 : (unsigned char)data[0] << 8 | (unsigned char)data[1];
    int fault = fault_of_goodbye(data, len, code);

    if (!link->peer)
        return -1;
    if (fault)
        refuse(link, fault, -EBADMSG, "a bad close frame");
    else if (!link->close_code)
        link->close_code = (uint16_t)code;
    if (jri_web_link_write(link) > 0)
        say_goodbye(link);
    return -1;
}

/* It is about to be closed. Where libwebsockets found a fault it has said so, but for control
 * frames that are too long and lengths that are no numbers: those it would hang up on. */
void jri_websocket_closing(jri_web_link *link)
{
    if (link->peer && !link->is_killed && !lws_get_close_length(link->wsi))
        lws_close_reason(link->wsi, LWS_CLOSE_STATUS_PROTOCOL_ERR, NULL, 0);
}

static int deliver(jri_web_link *link, const char *data, size_t len)
{
    if (!jri_web_is_binary(link->listener) && jri_utf8_check(data, len) != len)
        return refuse(link, LWS_CLOSE_STATUS_INVALID_PAYLOAD, -EBADMSG,
                      "a text message is no UTF-8");
    jrpc_transport_received(link->peer, /* exchange */ NULL, data, len);
    return 0;
}

static int deliver_input(jri_web_link *link)
{
    jrpc_buf *input = link->input;
    size_t len;
    const char *data = jrpc_buf_data(input, &len);

    link->input = NULL;
    jrpc_transport_buffered(link->peer, 0);
    int status = deliver(link, data, len);
    jri_web_link_drop_buffer(link, &input);
    return status;
}

int jri_websocket_received(jri_web_link *link, const char *data, size_t len)
{
    size_t message_max = link->listener->message_max, had = 0;
    size_t left = lws_remaining_packet_payload(link->wsi);
    bool is_binary = jri_web_is_binary(link->listener);

    if (!link->peer || link->close_code)
        return 0;
    if (!!lws_frame_is_binary(link->wsi) != is_binary)
        return refuse(link, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, -EBADMSG,
                      is_binary ? "a text message, where only binary ones are taken"
                                : "a binary message, where only text is taken");
    if (link->input)
        jrpc_buf_data(link->input, &had);
    if (left > message_max || had + len > message_max - left)
        return refuse(link, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, -EMSGSIZE,
                      "a message is longer than message_max");
    bool is_whole = lws_is_final_fragment(link->wsi) && !left;
    if (is_whole && !had)
        return deliver(link, data, len);
    if (jri_web_link_keep_input(link, data, len))
        return refuse(link, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION, -ENOMEM, "out of memory");
    return is_whole && link->input ? deliver_input(link) : 0;
}

int jri_websocket_answer_end(jri_web_link *link, jrpc_buf *buf, size_t start)
{
    unsigned char header[JRI_FRAME_HEADER_MAX];
    size_t end;

    jrpc_buf_data(buf, &end);
    if (end == start) {
        jrpc_buf_truncate(buf, link->ready);
        return 0;
    }
    size_t len = end - start;
    size_t header_len = jri_web_frame_header(jri_web_is_binary(link->listener), len, header);
    if (header_len > JRI_WEBSOCKET_RESERVED) {
        if (!jrpc_buf_reserve(buf, header_len - JRI_WEBSOCKET_RESERVED))
            return -ENOMEM;
        jrpc_buf_advance(buf, header_len - JRI_WEBSOCKET_RESERVED);
    }
    char *data = jrpc_buf_data(buf, NULL) + link->ready;
    if (header_len != JRI_WEBSOCKET_RESERVED)
        memmove(data + header_len, data + JRI_WEBSOCKET_RESERVED, len);
    memcpy(data, header, header_len);
    link->ready += header_len + len;
    jrpc_buf_truncate(buf, link->ready);
    return 0;
}

int jri_websocket_writable(jri_web_link *link)
{
    if (!link->peer)
        return 0;

    int status = jri_web_link_write(link);
    if (status < 0)
        return -1;
    jrpc_transport_writable(link->peer, jri_web_link_unsent(link));
    if (!status)
        lws_callback_on_writable(link->wsi);
    else if (link->close_code && link->peer)
        return say_goodbye(link);
    return 0;
}

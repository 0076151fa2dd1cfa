/* SPDX-License-Identifier: MIT */
/*
 * web_check.h - what requests over HTTP may look like: pure functions on the values of headers
 *
 * Web pages can make a browser send requests to any address, loopback ones too. So a request must
 * name the server by an address or a name it knows (a page may have its own name lead here), must
 * come from a page of this very server or a listed one, and must have a Content-Type that no plain
 * form can send.
 *
 * Headers are given with their length; one that was sent twice has a comma in it, as is refused.
 */
#ifndef JRI_WEB_CHECK_H
#define JRI_WEB_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* Host: localhost, an address, or a name in the list, with any port. */
bool jri_web_host_is_known(const char *host, size_t len, const char *list);

typedef enum {
    JRI_ORIGIN_REFUSED,
    JRI_ORIGIN_OURS,  /* none, or the server's own */
    JRI_ORIGIN_LISTED /* the browser has to be told so */
} jri_web_origin;

/* len 0: there is none. host: the header. scheme: "http" or "https". list: as "a,b"; NULL: none. */
jri_web_origin jri_web_origin_of(const char *origin, size_t len, const char *scheme,
                                 const char *host, const char *list);

/* type: of a codec; NULL: JSON. A charset other than UTF-8 is refused. */
bool jri_web_type_is(const char *text, size_t len, const char *type);

/* A list as of Connection: has this word in it. */
bool jri_web_list_has(const char *text, size_t len, const char *word);

/* Content-Length: digits. -EINVAL if it is none; larger than SIZE_MAX is SIZE_MAX. */
int jri_web_length(const char *text, size_t len, size_t *out);

/* A list of subprotocols, of a WebSocket handshake: a known one is in it, where libwebsockets finds
 * it. */
bool jri_web_offers_ours(const char *text, size_t len);

/**
 * jri_web_bearer() - the token in a list of subprotocols
 * @to:  len bytes, for what is decoded
 *
 * Browsers give a WebSocket no other header. It is the one that begins with "bearer."; the token
 * follows in base64url without padding, since not all characters may stand there.
 *
 * Return: its length; 0: there is none, or several, or one that is spelled in another way.
 */
size_t jri_web_bearer(const char *text, size_t len, char *to);

/* One of the tokens, each ended by LF. The time it takes does not tell which or how much of it. */
bool jri_web_token_is_known(const char *text, size_t len, const char *tokens);

#endif

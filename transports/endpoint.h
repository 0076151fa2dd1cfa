/* SPDX-License-Identifier: MIT */
/*
 * endpoint.h - an endpoint's URL and its options, parsed once and read by the transports
 *
 * url        = scheme ":" [ rest ] [ "?" [ options ] ]
 * rest       = "//" host [ ":" port ] [ "/" path ]       tcp://127.0.0.1:80, http://[::1]:0/rpc
 *            | [ "//" ] text                             unix:/path, unix:///path, fd:3,4, stdio:
 * host       = IPv6 address in brackets | IPv4 address | name | "*", which is all interfaces
 * options    = option { "&" option }
 * option     = name "=" [ value ]                        no name twice
 *
 * In text, path and values %XX stands for a byte; "+" stands for itself. No byte is a control
 * character, spelled as %XX or not. Refused as well: a port without a host, for "loopback" and "all
 * interfaces" both are what some mean by it; user:password@, since URLs are logged; a "#" part. A
 * blank may stand only in a text without host, where an exec: has its arguments; everywhere else,
 * and in lists of URLs, it is %20.
 *
 * Which schemes there are, which of these parts they need and which options they have is left to
 * the transports.
 */
#ifndef JRI_ENDPOINT_H
#define JRI_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include <jrpc/error.h>
#include <jrpc/transport.h>

enum {
    JRI_ENDPOINT_MAX = 4096,       /* bytes of a URL: no path or list of hosts is longer */
    JRI_ENDPOINT_OPTIONS_MAX = 64, /* of a URL: more than there are */
};

/**
 * jri_endpoint_parse() - a URL to its parts
 * @text:     NUL-terminated, copied
 * @out:      new; end with jri_endpoint_free()
 * @problem:  on failure: the column and why; may be NULL
 *
 * Return: 0; -EINVAL; -ENOMEM.
 */
int jri_endpoint_parse(const char *text, jrpc_url **out, jrpc_problem *problem);

/* NULL is fine. */
void jri_endpoint_free(jrpc_url *url);

/* The option of that name, or NULL. Does not take it. */
jrpc_url_pair *jri_endpoint_find(const jrpc_url *url, const char *name);

/* The first option that nobody took, or NULL. */
const jrpc_url_pair *jri_endpoint_unused(const jrpc_url *url);

/**
 * jri_endpoint_format() - the URL to be shown and to be connected to
 * @port:   the real one; -1: as it was given
 * @keep:   names of the options that a caller must know, ended by NULL; may be NULL: the others,
 *          names of key files among them, concern nobody
 * @to:     ASCII with a NUL; cut between characters if it does not fit
 * @size:   0: @to is not looked at
 *
 * Return: as snprintf(): the bytes that all of it takes without the NUL.
 */
size_t jri_endpoint_format(const jrpc_url *url, int port, const char *const *keep, char *to,
                           size_t size);

/* Room for a URL of a list, one byte too many, and the NUL. */
enum { JRI_ENDPOINT_SIZE = JRI_ENDPOINT_MAX + 2 };

/**
 * jri_endpoint_next() - the next URL of a list separated by white space
 * @list:  moved behind it
 * @to:    a copy; of one longer than JRI_ENDPOINT_MAX so much that parsing it says so
 *
 * Return: there was one.
 */
bool jri_endpoint_next(const char **list, char to[JRI_ENDPOINT_SIZE]);

#endif

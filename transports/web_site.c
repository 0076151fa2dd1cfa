/* SPDX-License-Identifier: MIT */
/*
 * web_site.c - who shares a port: listeners that differ in nothing but their path
 *
 * The first to listen at a place opens the site; others of its server enter it, and the last one to
 * leave closes it. The socket is closed earlier, when none of them takes calls any more: from then
 * on nobody can enter, and who comes opens another site.
 */
#define _GNU_SOURCE
#include "web.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PARTING_MS = 1000 };

jri_web_site *jri_web_site_new(uv_loop_t *loop)
{
    jri_web_site *site = calloc(1, sizeof(*site));
    if (!site)
        return NULL;

    site->loop = loop;
    site->spare_fd = -1;
    return site;
}

void jri_web_site_free(jri_web_site *site)
{
    jrpc_buf_free(site->spare);
    free(site->cert);
    free(site->key);
    free(site->client_ca);
    free(site);
}

jri_web_site *jri_web_site_of(const jri_web_link *link)
{
    return lws_context_user(lws_get_context(link->wsi));
}

/*
 * Coming in
 */

static bool is_same_place(const jri_web_site *site, const jri_web_site *wanted)
{
    if (site->place.is_unix || wanted->place.is_unix)
        return site->place.is_unix && wanted->place.is_unix &&
               !strcmp(site->place.path, wanted->place.path);
    return site->port == wanted->place.port && !strcasecmp(site->place.host, wanted->place.host);
}

/* The site at the place where the listener wants to be. */
static jri_web_site *find_site(const jri_web_listener *listener)
{
    const jri_web_listener *other = NULL;

    while ((other = jrpc_listener_next(listener->owner, other)))
        if (other->site && other->site->is_open && is_same_place(other->site, listener->site))
            return other->site;
    return NULL;
}

static bool is_given_anew(const char *file, const char *known)
{
    return file && (!known || strcmp(file, known) != 0);
}

/* What differs, of that which can be only one way; NULL: nothing. */
static const char *difference(const jri_web_site *site, const jri_web_site *wanted)
{
    if (site->is_tls != wanted->is_tls)
        return site->is_tls ? "speaks no TLS" : "speaks TLS";
    if (is_given_anew(wanted->cert, site->cert))
        return "has another cert=";
    if (is_given_anew(wanted->key, site->key))
        return "has another key=";
    if (is_given_anew(wanted->client_ca, site->client_ca))
        return "has another client_ca=";
    if (wanted->has_mode && wanted->place.mode != site->place.mode)
        return "has another mode=";
    return NULL;
}

static int check_neighbours(const jri_web_listener *listener, const jri_web_site *site,
                            jrpc_problem *problem)
{
    const char *what = difference(site, listener->site);

    if (what)
        jrpc_url_fault(listener->url, /* column */ 0, problem, "it %s, unlike %s at the same port",
                       what, jrpc_listener_address(site->listeners->owner));
    for (const jri_web_listener *other = site->listeners; other && !what; other = other->next)
        if (!other->is_stopped && !strcmp(other->path, listener->path)) {
            what = other->path;
            jrpc_url_fault(listener->url, /* column */ 0, problem,
                           "that path is served by %s already",
                           jrpc_listener_address(other->owner));
        }
    if (!what)
        return 0;
    problem->code = -EADDRINUSE;
    return -EADDRINUSE;
}

static int open_site(jri_web_site *site, const jri_web_listener *first, jrpc_problem *problem)
{
    if (site->is_tls && (!site->cert || !site->key))
        return jrpc_url_fault(first->url, /* column */ 0, problem,
                              "%s: needs cert= and key=", first->url->scheme);
    int status = jri_web_socket_open(site, first->url, problem);
    if (status)
        return status;
    uv_timer_init(site->loop, &site->undertaker);
    site->undertaker.data = site;
    site->n_handles++;
    status = jri_web_context_new(site, problem);
    if (!status)
        jri_web_socket_accept(site);
    return status;
}

int jri_web_site_enter(jri_web_listener *listener, jrpc_problem *problem)
{
    jri_web_site *site = find_site(listener);
    jri_web_listener **link;
    int status = site ? check_neighbours(listener, site, problem) : 0;

    if (status)
        return status;
    bool is_first = !site;
    if (!is_first) {
        jri_web_site_free(listener->site);
        listener->site = site;
    }
    for (link = &listener->site->listeners; *link; link = &(*link)->next)
        continue;
    *link = listener;
    listener->site->n_serving++;
    return is_first ? open_site(listener->site, listener, problem) : 0;
}

/*
 * Going
 */

static bool is_in(const jri_web_listener *listener)
{
    const jri_web_listener *other = listener->site->listeners;

    while (other && other != listener)
        other = other->next;
    return other;
}

/* The last handle is closed. */
static void finish(jri_web_site *site)
{
    jri_web_listener *last = site->last;

    jri_web_site_free(site);
    jri_web_left(last);
}

static void handle_closed(uv_handle_t *handle)
{
    jri_web_site *site = handle->data;

    if (--site->n_handles == 0)
        finish(site);
}

void jri_web_site_stop(jri_web_listener *listener)
{
    jri_web_site *site = listener->site;

    if (listener->is_stopped)
        return;
    listener->is_stopped = true;
    if (!is_in(listener) || --site->n_serving)
        return;
    site->n_handles += site->is_open;
    jri_web_socket_close(site, handle_closed);
}

/* Whoever parts has heard it, or had the time. */
static bool all_have_heard(jri_web_site *site)
{
    bool is_over = uv_now(site->loop) - site->closing_since > PARTING_MS;

    for (const jri_web_link *link = site->parting; link && !is_over; link = link->next)
        if (!jri_web_link_has_heard(link))
            return false;
    return true;
}

static void undertake(uv_timer_t *timer)
{
    jri_web_site *site = timer->data;

    if (site->context && (!all_have_heard(site) || !jri_web_context_destroy(site)))
        return;
    uv_close((uv_handle_t *)timer, handle_closed);
}

/* From one of libwebsockets' callbacks, maybe, so that its context cannot be destroyed here. */
void jri_web_site_leave(jri_web_listener *listener)
{
    jri_web_site *site = listener->site;
    jri_web_listener **link = &site->listeners;

    while (*link && *link != listener)
        link = &(*link)->next;
    if (*link)
        *link = listener->next;
    if (site->listeners) {
        jri_web_left(listener);
        return;
    }
    site->last = listener;
    site->closing_since = uv_now(site->loop);
    if (site->n_handles)
        uv_timer_start(&site->undertaker, undertake, 0, /* again after */ 1);
    else
        finish(site);
}

/*
 * Requests
 */

/* One that is stopped only if there is no other. */
static jri_web_listener *find_listener(const jri_web_site *site, const char *path)
{
    jri_web_listener *found = NULL;

    for (jri_web_listener *at = site->listeners; at; at = at->next)
        if (!strcmp(at->path, path) && (!found || found->is_stopped))
            found = at;
    for (jri_web_listener *at = found ? NULL : site->listeners; at; at = at->next)
        if (jri_web_is_document(at, path) && (!found || found->is_stopped))
            found = at;
    return found;
}

/* The listener of the path becomes the link's. If it is another's peer it is that no more. */
void jri_web_route(jri_web_link *link, const char *path)
{
    jri_web_listener *found = find_listener(jri_web_site_of(link), path);

    if (link->peer && found != link->listener) {
        jri_web_link_close_peer(link);
        found = find_listener(jri_web_site_of(link), path); /* a hook may have closed it */
    }
    link->listener = found;
}

/* SPDX-License-Identifier: MIT */
/*
 * web_liveness.c - pings to clients of WebSocket, and an end to those that do not answer
 *
 * libwebsockets would do that, but keeps the timers of all connections in one sorted list and walks
 * it for each: a round of pings to thousands that do nothing takes seconds then. Here all are given
 * the same time, so that a queue is sorted; and a round goes on in small parts.
 */
#include "web.h"

#include <errno.h>
#include <sys/ioctl.h>

enum {
    SILENCE_MS = 30000, /* between two pings */
    ANSWER_MS = 10000,  /* for the pong */
    TICK_MS = 1000,     /* at most; */
    TICK_SOON_MS = 5,   /* at least */
    ASKED_AT_ONCE = 20, /* so that others hardly notice: 4,000 a second */
};

static void enter(jri_web_queue *queue, jri_web_link *link)
{
    if (!queue->first)
        queue->end = &queue->first;
    link->later = NULL;
    link->earlier = queue->end;
    *queue->end = link;
    queue->end = &link->later;
}

void jri_web_liveness_forget(jri_web_link *link)
{
    jri_web_site *site = jri_web_site_of(link);
    jri_web_queue *queue = link->is_asked ? &site->asked : &site->quiet;

    if (!link->is_watched)
        return;
    link->is_watched = false;
    *link->earlier = link->later;
    if (link->later)
        link->later->earlier = link->earlier;
    else
        queue->end = link->earlier;
}

static void watch(jri_web_link *link, bool is_asked)
{
    jri_web_site *site = jri_web_site_of(link);

    link->is_watched = true;
    link->is_asked = is_asked;
    link->due_ms = (uint32_t)uv_now(site->loop) + (is_asked ? ANSWER_MS : SILENCE_MS);
    enter(is_asked ? &site->asked : &site->quiet, link);
}

/* Behind what is sent already, and with a byte in it: of empty pongs libwebsockets says nothing.
 * One that is being closed gets no ping, but has to read what stands before the last frame. */
static void ask(jri_web_link *link)
{
    static const char ping[] = {(char)0x89, 1, '?'};
    jrpc_buf *buf = link->close_code ? NULL : jri_web_link_output(link);
    bool has_ping = buf && !jrpc_buf_append(buf, ping, sizeof(ping));

    watch(link, has_ping || link->close_code);
    if (has_ping)
        link->ready += sizeof(ping);
    link->acknowledged = jri_stream_acknowledged(lws_get_socket_fd(link->wsi));
    lws_callback_on_writable(link->wsi);
}

/* The ping stands behind much else, which the client takes slowly. */
static bool is_reading(jri_web_link *link)
{
    uint32_t before = link->acknowledged;
    int n_left = 0;

    link->acknowledged = jri_stream_acknowledged(lws_get_socket_fd(link->wsi));
    if (link->acknowledged == before)
        return false;
    return jri_web_link_unsent(link) ||
           (!ioctl(lws_get_socket_fd(link->wsi), TIOCOUTQ, &n_left) && n_left > 0);
}

static void give_up(jri_web_link *link)
{
    jrpc_listener_log(link->listener->owner, link->peer, JRPC_LOG_WARNING,
                      link->close_code ? "the last bytes are not read, closing"
                                       : "a ping is not answered, closing");
    jri_web_link_kill(link, -ETIMEDOUT);
}

/* Milliseconds until the first of the queue is due, at most so many. The clock may begin anew. */
static int32_t time_left(const jri_web_queue *queue, uint32_t now, int32_t most)
{
    int32_t left = queue->first ? (int32_t)(queue->first->due_ms - now) : most;

    return left < most ? left : most;
}

static void tick(lws_sorted_usec_list_t *timer);

static void schedule(jri_web_site *site)
{
    uint32_t now = (uint32_t)uv_now(site->loop);
    int32_t left = time_left(&site->quiet, now, time_left(&site->asked, now, TICK_MS));

    if (!site->quiet.first && !site->asked.first)
        return;
    if (left < TICK_SOON_MS)
        left = TICK_SOON_MS;
    lws_sul_schedule(site->context, /* tsi */ 0, &site->tick, tick, left * LWS_US_PER_MS);
}

static jri_web_link *next_due(const jri_web_queue *queue, uint32_t now)
{
    return time_left(queue, now, 1) <= 0 ? queue->first : NULL;
}

static void tick(lws_sorted_usec_list_t *timer)
{
    jri_web_site *site = lws_container_of(timer, jri_web_site, tick);
    uint32_t now = (uint32_t)uv_now(site->loop);
    jri_web_link *link;

    for (int i = 0; i < ASKED_AT_ONCE && (link = next_due(&site->asked, now)); i++) {
        jri_web_liveness_forget(link);
        if (is_reading(link))
            watch(link, /* is_asked */ true);
        else
            give_up(link);
    }
    for (int i = 0; i < ASKED_AT_ONCE && (link = next_due(&site->quiet, now)); i++) {
        jri_web_liveness_forget(link);
        ask(link);
    }
    schedule(site);
}

void jri_web_liveness_begin(jri_web_link *link)
{
    jri_web_site *site = jri_web_site_of(link);
    bool is_first = !site->quiet.first && !site->asked.first;

    watch(link, /* is_asked */ false);
    if (is_first)
        schedule(site);
}

void jri_web_liveness_heard(jri_web_link *link)
{
    if (!link->is_asked || !link->is_watched || link->close_code)
        return;
    jri_web_liveness_forget(link);
    watch(link, /* is_asked */ false);
}

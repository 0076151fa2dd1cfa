/* SPDX-License-Identifier: MIT */
/*
 * inbox.c - messages of a peer that wait their turn
 *
 * A call can be cancelled while it waits. The first cancellation that looks reads each message
 * once and keeps the hashes of its ids, so that many of them make no more work than they have
 * bytes.
 */
#include "inbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../core/hash.h"

/* What the letter holds of memory_max. */
static size_t cost_of(const jrpc_peer *peer, const jri_letter *letter)
{
    return sizeof(*letter) + peer->transport->exchange_size + letter->len +
           letter->n_members * (sizeof(*letter->ids) + sizeof(*letter->cancelled));
}

static void count(jrpc_peer *peer, size_t more, size_t less)
{
    peer->inbox_len += more - less;
    peer->server->memory += more - less;
}

const char *jri_letter_text(const jrpc_peer *peer, const jri_letter *letter)
{
    return letter->data + peer->transport->exchange_size;
}

void jri_letter_free(jri_letter *letter)
{
    free(letter->ids);
    free(letter);
}

int jri_inbox_keep(jrpc_peer *peer, const void *exchange, const char *data, size_t len)
{
    size_t exchange_size = peer->transport->exchange_size;
    jri_letter *letter = malloc(sizeof(*letter) + exchange_size + len);
    if (!letter)
        return -ENOMEM;

    *letter = (jri_letter){.len = len};
    if (exchange_size && exchange)
        memcpy(letter->data, exchange, exchange_size);
    if (len)
        memcpy(letter->data + exchange_size, data, len);
    *peer->inbox_last = letter;
    peer->inbox_last = &letter->next;
    count(peer, cost_of(peer, letter), 0);
    return 0;
}

/* The letter at *link leaves the inbox. */
static jri_letter *unlink_letter(jrpc_peer *peer, jri_letter **link)
{
    jri_letter *letter = *link;

    *link = letter->next;
    if (!*link)
        peer->inbox_last = link;
    letter->next = NULL;
    count(peer, 0, cost_of(peer, letter));
    return letter;
}

jri_letter *jri_inbox_take(jrpc_peer *peer)
{
    return peer->inbox ? unlink_letter(peer, &peer->inbox) : NULL;
}

jri_letter *jri_inbox_take_withdrawn(jrpc_peer *peer)
{
    jri_letter *letter = peer->withdrawn;

    if (letter)
        peer->withdrawn = letter->next;
    return letter;
}

void jri_inbox_clear(jrpc_peer *peer)
{
    jri_letter *letter;

    while ((letter = jri_inbox_take(peer)) || (letter = jri_inbox_take_withdrawn(peer)))
        jri_letter_free(letter);
}

/*
 * Cancelling
 */

/* Never 0, which stands for no id. */
static uint64_t hash_id(const jrpc_peer *peer, const jri_value *id)
{
    uint64_t seed = peer->server->seed, hash;

    if (json_is_string(id->json)) {
        hash = jri_hash(json_string_value(id->json), json_string_length(id->json), seed);
    } else if (id->json) {
        double number = json_number_value(id->json); /* of null: 0 */
        hash = jri_hash((const char *)&number, sizeof(number), seed);
    } else {
        hash = jri_hash(id->text, id->len, seed);
    }
    return hash ? hash : 1;
}

static uint32_t count_members(const jri_envelope *envelope)
{
    uint32_t n = 0;

    for (const jri_request *request = envelope->requests; request; request = request->next)
        n++;
    return n;
}

/* Reads the ids; a message that cannot be read has none. */
static void read_ids(jrpc_peer *peer, jri_letter *letter)
{
    jri_message *message = jri_peer_parse(peer, jri_letter_text(peer, letter), letter->len);
    uint32_t n = message ? count_members(&message->envelope) : 0, i = 0;
    uint64_t *ids = calloc(n ? n : 1, sizeof(*letter->ids) + sizeof(*letter->cancelled));

    if (!ids)
        return; /* the call cannot be found, so it is run */
    count(peer, 0, cost_of(peer, letter));
    letter->ids = ids;
    letter->cancelled = (bool *)(ids + n);
    letter->n_members = n;
    count(peer, cost_of(peer, letter), 0);
    if (!n)
        return;
    for (const jri_request *request = message->envelope.requests; request; request = request->next)
        ids[i++] = jri_request_is_due(request) && jri_request_is_known(request)
                       ? hash_id(peer, &request->id)
                       : 0;
}

/* Marks its members of that id; true if it is nothing but such a call. */
static bool is_withdrawn_by(jri_letter *letter, uint64_t hash)
{
    bool is_found = false;

    for (uint32_t i = 0; i < letter->n_members; i++) {
        if (letter->ids[i] != hash)
            continue;
        letter->cancelled[i] = true;
        is_found = true;
    }
    return is_found && letter->n_members == 1;
}

void jri_inbox_cancel(jrpc_peer *peer, const jri_value *id)
{
    jri_letter **link = &peer->inbox, **last = &peer->withdrawn;
    uint64_t hash = hash_id(peer, id);

    while (*last)
        last = &(*last)->next;
    while (*link) {
        if (!(*link)->ids)
            read_ids(peer, *link);
        if (!is_withdrawn_by(*link, hash)) {
            link = &(*link)->next;
            continue;
        }
        *last = unlink_letter(peer, link);
        last = &(*last)->next;
    }
}

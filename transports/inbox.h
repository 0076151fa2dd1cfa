/* SPDX-License-Identifier: MIT */
/*
 * inbox.h - messages of a peer that wait their turn
 *
 * All of it is the loop's.
 */
#ifndef JRI_INBOX_H
#define JRI_INBOX_H

#include "server.h"

/* Keeps a message, behind those that wait: 0 or -ENOMEM. */
int jri_inbox_keep(jrpc_peer *peer, const void *exchange, const char *data, size_t len);

/* The first message, or NULL; to be freed by jri_letter_free(). */
jri_letter *jri_inbox_take(jrpc_peer *peer);

/* The same of those that were cancelled meanwhile, in the order they were. */
jri_letter *jri_inbox_take_withdrawn(jrpc_peer *peer);

/* Cancels calls of that id: a message of its own is withdrawn, a member of a batch is marked. */
void jri_inbox_cancel(jrpc_peer *peer, const jri_value *id);

void jri_inbox_clear(jrpc_peer *peer);

const char *jri_letter_text(const jrpc_peer *peer, const jri_letter *letter);
void jri_letter_free(jri_letter *letter);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * zmq_clients.h - whose certificates lie in a folder, looked up at each handshake
 *
 * What lies there at that moment counts: a certificate added is good for the next connection, one
 * removed is not. Files whose names begin with "." or end in "_secret" and folders are passed over.
 * Who one client is must not depend on what another one wrote into a certificate, so a name counts
 * only if no other key has it and it does not look like a key.
 *
 * czmq's zcertstore is not used: a certificate that replaces an older one of the same size is not
 * noticed (all have about the same size, and the one taken away stays good), and a second copy of
 * one ends the process.
 */
#ifndef JRI_ZMQ_CLIENTS_H
#define JRI_ZMQ_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "zmq_certificate.h"

typedef struct jri_zmq_clients jri_zmq_clients;

/**
 * jri_zmq_clients_new() - trust the certificates in a folder
 * @folder:  NULL: every key is good
 * @out:     new; end with jri_zmq_clients_free()
 *
 * Threads: any. Return: 0; -ENOMEM; -ENOENT, -EACCES … the folder cannot be read.
 */
int jri_zmq_clients_new(const char *folder, jri_zmq_clients **out);

/**
 * jri_zmq_clients_find() - who has this key
 * @key:      Z85
 * @address:  where it comes from, for the log
 * @name:     filled: the name in the certificate, or the key
 *
 * Threads: one, not necessarily that which made it. Blocks: on the folder.
 * Return: 0; -EACCES it is not there; others: that cannot be told now.
 */
int jri_zmq_clients_find(jri_zmq_clients *clients, const char *key, const char *address,
                         char name[JRI_ZMQ_NAME_SIZE]);

/* See jri_zmq_curve_report(). Threads: any. */
bool jri_zmq_clients_report(jri_zmq_clients *clients, char *to, size_t size);

/* NULL is fine. */
void jri_zmq_clients_free(jri_zmq_clients *clients);

#endif

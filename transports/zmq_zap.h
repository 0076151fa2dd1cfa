/* SPDX-License-Identifier: MIT */
/*
 * zmq_zap.h - answers libzmq's questions whether a client may come in (ZAP 1.0,
 * https://rfc.zeromq.org/spec/27)
 *
 * The questions of all sockets of a context go to one address, so one handler, a thread, answers
 * for all of them; each socket has a domain of its own, and its own clients. czmq's zauth is not
 * used: it has one folder for all domains, so the clients of one socket would be let in at all
 * others, and tells nothing of a client's name.
 */
#ifndef JRI_ZMQ_ZAP_H
#define JRI_ZMQ_ZAP_H

#include "zmq_clients.h"

enum { JRI_ZMQ_DOMAIN_SIZE = 32 };

/* A domain. */
typedef struct jri_zmq_zap jri_zmq_zap;

/**
 * jri_zmq_zap_add() - a new domain; with the first one of a context the handler starts
 * @clients:  used by the handler's thread until jri_zmq_zap_remove()
 * @out:      new
 *
 * Threads: any. Return: 0; -EADDRINUSE the application has a handler; -ENOMEM; what ZeroMQ gives.
 */
int jri_zmq_zap_add(void *context, jri_zmq_clients *clients, jri_zmq_zap **out);

/* What the socket's ZMQ_ZAP_DOMAIN has to be. */
const char *jri_zmq_zap_domain(const jri_zmq_zap *zap);

/* Nobody is let in any more; with the last domain the handler ends. NULL is fine. Threads: any. */
void jri_zmq_zap_remove(jri_zmq_zap *zap);

#endif

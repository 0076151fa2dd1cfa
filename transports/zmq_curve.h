/* SPDX-License-Identifier: MIT */
/*
 * zmq_curve.h - CURVE on a ZeroMQ socket: who may talk to it, and who it is that talks
 *
 * Options of an endpoint: a server has curve_key=FILE and clients=DIR|any; with connect=1 it is the
 * client of a broker and has curve_key=FILE and server_key=FILE. Without any of them the socket is
 * open to everybody.
 *
 * All of it but the answers to handshakes happens on the caller's thread, the loop's.
 */
#ifndef JRI_ZMQ_CURVE_H
#define JRI_ZMQ_CURVE_H

#include <stdbool.h>
#include <stddef.h>

#include <zmq.h>

#include <jrpc/error.h>
#include <jrpc/transport.h>

/* Names of the options, for the transport's list of those it knows. */
#define JRI_ZMQ_CURVE_OPTIONS "curve_key", "clients", "server_key"

typedef struct jri_zmq_curve jri_zmq_curve;

/**
 * jri_zmq_curve_open() - take the options and read the files that they name
 * @url:      its connect= is looked at, too
 * @problem:  which option and file, and why
 * @out:      new; NULL: none of the options is given
 *
 * Refused, too: a secret key that others than its owner can read; inproc, where ZeroMQ silently
 * leaves CURVE out.
 *
 * Return: 0; -EINVAL; -ENOMEM; what reading gives: -ENOENT, -EACCES …
 */
int jri_zmq_curve_open(const jrpc_url *url, jrpc_problem *problem, jri_zmq_curve **out);

/**
 * jri_zmq_curve_apply() - make a socket speak CURVE and nothing else
 * @curve:    NULL: nothing is done
 * @context:  that of @socket: the handler of its authentications is started in it
 * @socket:   not yet bound or connected; one for each @curve
 * @problem:  code and text are filled in, the source is left as it is
 *
 * Return: 0; -EADDRINUSE the application has a handler of its own in that context, there can be
 * one; -EALREADY; -ENOMEM; what ZeroMQ gives.
 */
int jri_zmq_curve_apply(jri_zmq_curve *curve, void *context, void *socket, jrpc_problem *problem);

/**
 * jri_zmq_curve_identity() - who sent a message
 * @curve:    of the socket that it came from; NULL gives NULL
 * @message:  one of its frames
 *
 * Return: the name in the client's certificate, or its public key as 40 characters of Z85; with
 * connect=1 the same of the broker. NULL: nobody has vouched for it, to be thrown away. Borrowed
 * from @curve and @message, gone when that is closed, sent or received into again.
 */
const char *jri_zmq_curve_identity(const jri_zmq_curve *curve, zmq_msg_t *message);

/**
 * jri_zmq_curve_report() - what there is to be logged
 * @to:  one line, without a name of the endpoint
 *
 * To be called when the socket listens and when its monitor says that a handshake has failed. At
 * most one line in ten seconds about clients refused, however many there are, and one after each
 * change of the folder about files in it that are no certificates.
 *
 * Return: there is something; may be called again then.
 */
bool jri_zmq_curve_report(jri_zmq_curve *curve, char *to, size_t size);

/* The socket must be closed. NULL is fine. */
void jri_zmq_curve_free(jri_zmq_curve *curve);

#endif

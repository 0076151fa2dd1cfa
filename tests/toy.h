/* SPDX-License-Identifier: MIT */
/*
 * toy.h - the service that tests dispatch into: a method of every kind
 *
 * What a method does is said in its row's summary, in toy.c.
 */
#ifndef TEST_TOY_H
#define TEST_TOY_H

#include <stddef.h>

#include <jrpc/service.h>

enum { TOY_HELD_MAX = 64 };

/* What the methods of one service have at hand; one thread at a time. */
struct toy {
    jrpc_call *held[TOY_HELD_MAX]; /* by "later", until "release" */
    size_t n_held;
    size_t n_run; /* handlers that ran */
};

extern const jrpc_method toy_methods[];

/* The methods, and the prefix "gate.": 0 or negative errno. *toy outlives the service. */
int toy_add(jrpc_service *service, struct toy *toy);

/* Answers what "later" holds, newest first, each with its own argument; returns how many. */
size_t toy_release(struct toy *toy);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * demo_service.h - the methods of the demo, for the demo itself and for tests
 */
#ifndef DEMO_SERVICE_H
#define DEMO_SERVICE_H

#include <jrpc/jrpc.h>

/* Codes of the demo's own errors. */
enum { DEMO_FAILED = 1, DEMO_NO_PUSH = 2, DEMO_QUOTA = 42 };

/**
 * demo_service_add() - add the demo's methods
 * @loop:  what `slow` and `notify_me` wait on; calls must be made on its thread
 *
 * Return: as jrpc_service_add_table().
 */
int demo_service_add(jrpc_service *service, struct uv_loop_s *loop);

#endif

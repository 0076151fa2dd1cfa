/* SPDX-License-Identifier: MIT */
/*
 * web_idle.h - rows about WebSocket connections that do nothing: what they cost
 */
#ifndef WEB_IDLE_H
#define WEB_IDLE_H

#include <stddef.h>

#include "bench.h"

/* Memory of one of n_idle. */
void web_measure_idle(bench_session *session, const char *name, size_t n_idle);

/* Time of those that are busy, one call in flight each, with n_idle beside them and without: ours,
 * and the echo of libwebsockets. */
void web_measure_beside(bench_session *session, size_t n_busy, size_t n_idle);

#endif

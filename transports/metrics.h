/* SPDX-License-Identifier: MIT */
/*
 * metrics.h - calls counted and timed by method, for those who watch a server
 *
 * Kept only if somebody asks for it, for the clock is read twice a call. All of it is the loop's.
 */
#ifndef JRI_METRICS_H
#define JRI_METRICS_H

#include <stdint.h>

#include <jansson.h>

#include <jrpc/codec.h>
#include <jrpc/error.h>

#include "../core/registry.h"

/* Seconds up to which a call is counted in a bucket; those behind the last are in none. */
#define JRI_METRICS_BUCKETS(X)                                                                     \
    X(0.000001)                                                                                    \
    X(0.00001)                                                                                     \
    X(0.0001) X(0.0005) X(0.001) X(0.005) X(0.01) X(0.05) X(0.1) X(0.5) X(1) X(5) X(10) X(30)

#define JRI_COUNT_ONE(...) +1
enum {
    JRI_METRICS_N_BUCKETS = 0 JRI_METRICS_BUCKETS(JRI_COUNT_ONE),
    JRI_METRICS_N_CODES = 1 JRPC_CODES(JRI_COUNT_ONE), /* ours, and one for all others */
};
#undef JRI_COUNT_ONE

typedef struct jri_method_metrics {
    struct jri_method_metrics *next; /* of the bucket */
    char *name;                      /* NULL: calls that came to no method */
    uint64_t n_calls, sum_ns;
    uint64_t errors[JRI_METRICS_N_CODES];
    uint64_t buckets[JRI_METRICS_N_BUCKETS]; /* not cumulative */
} jri_method_metrics;

enum { JRI_METRICS_HASH = 256 };

typedef struct jri_metrics {
    jri_method_metrics *by_name[JRI_METRICS_HASH];
    jri_method_metrics nobody;
    const jri_row *last_row; /* the row counted last, and where */
    jri_method_metrics *last;
} jri_metrics;

jri_metrics *jri_metrics_new(void); /* NULL: no memory */
void jri_metrics_free(jri_metrics *metrics);

/* One call was answered. row: its method; NULL: none. Without memory it counts for none. */
void jri_metrics_count(jri_metrics *metrics, const jri_row *row, int code, uint64_t ns);

/* The service whose rows may have been counted is gone. */
void jri_metrics_forget_rows(jri_metrics *metrics);

/* In Prometheus' text format 0.0.4: 0 or as appending. */
int jri_metrics_write(const jri_metrics *metrics, jrpc_buf *to);

/* {"ping": {"calls": 2, "errors": {"-32602": 1}, "seconds": 0.1}, ...}; NULL: no memory. */
json_t *jri_metrics_json(const jri_metrics *metrics);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * metrics.c - calls counted and timed by method, for those who watch a server
 *
 * Methods are told apart by name, so that counts outlive the swap of a service. Only methods that
 * exist get an entry: peers cannot make it grow.
 */
#include "metrics.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/buf.h"

static const double bounds[] = {
#define BOUND(seconds) seconds,
    JRI_METRICS_BUCKETS(BOUND)
#undef BOUND
};

static const int codes[] = {
#define CODE(name, code, message, status) code,
    JRPC_CODES(CODE)
#undef CODE
};

enum { N_KNOWN = sizeof(codes) / sizeof(codes[0]), LINE_SIZE = 256 };

jri_metrics *jri_metrics_new(void)
{
    return calloc(1, sizeof(jri_metrics));
}

void jri_metrics_free(jri_metrics *metrics)
{
    for (size_t i = 0; metrics && i < JRI_METRICS_HASH; i++)
        while (metrics->by_name[i]) {
            jri_method_metrics *method = metrics->by_name[i];
            metrics->by_name[i] = method->next;
            free(method->name);
            free(method);
        }
    free(metrics);
}

/*
 * Counting
 */

/* The names are the program's own: the hash needs no seed, and must not have its service's. */
static size_t slot_of(const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash % JRI_METRICS_HASH;
}

static jri_method_metrics *add(jri_metrics *metrics, const char *name)
{
    jri_method_metrics *method = calloc(1, sizeof(*method));
    char *copy = strdup(name);
    if (!method || !copy) {
        free(method);
        free(copy);
        return &metrics->nobody;
    }

    jri_method_metrics **slot = &metrics->by_name[slot_of(name)];
    method->name = copy;
    method->next = *slot;
    *slot = method;
    return method;
}

static jri_method_metrics *find(jri_metrics *metrics, const jri_row *row)
{
    if (!row)
        return &metrics->nobody;
    if (row == metrics->last_row)
        return metrics->last;

    jri_method_metrics *method = metrics->by_name[slot_of(row->name)];
    while (method && strcmp(method->name, row->name))
        method = method->next;
    if (!method)
        method = add(metrics, row->name);
    metrics->last_row = row;
    metrics->last = method;
    return method;
}

static size_t index_of(int code)
{
    size_t i = 0;

    while (i < N_KNOWN && codes[i] != code)
        i++;
    return i;
}

void jri_metrics_count(jri_metrics *metrics, const jri_row *row, int code, uint64_t ns)
{
    jri_method_metrics *method = find(metrics, row);
    double seconds = (double)ns / 1e9;
    size_t i = 0;

    method->n_calls++;
    method->sum_ns += ns;
    if (code)
        method->errors[index_of(code)]++;
    while (i < JRI_METRICS_N_BUCKETS && seconds > bounds[i])
        i++;
    if (i < JRI_METRICS_N_BUCKETS)
        method->buckets[i]++;
}

void jri_metrics_forget_rows(jri_metrics *metrics)
{
    if (metrics)
        metrics->last_row = NULL;
}

/*
 * Prometheus
 */

typedef struct writer {
    jrpc_buf *to;
    int status;
} writer;

static void put(writer *out, const char *format, ...) JRPC_PRINTF(2, 3);

static void put(writer *out, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list args;

    va_start(args, format);
    int len = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (!out->status)
        out->status = jri_buf_append(out->to, line, (size_t)len);
}

/* {method="…" and what follows it. */
static void put_name(writer *out, const char *series, const jri_method_metrics *method)
{
    put(out, "%s{method=\"", series);
    for (const char *c = method->name ? method->name : ""; *c; c++) {
        const char *escaped = *c == '\\' ? "\\\\" : *c == '"' ? "\\\"" : *c == '\n' ? "\\n" : NULL;
        if (escaped)
            put(out, "%s", escaped);
        else
            put(out, "%c", *c);
    }
    put(out, "\"");
}

typedef void put_fn(writer *out, const jri_method_metrics *method);

static void put_calls(writer *out, const jri_method_metrics *method)
{
    put_name(out, "jrpc_calls_total", method);
    put(out, "} %llu\n", (unsigned long long)method->n_calls);
}

static void put_errors(writer *out, const jri_method_metrics *method)
{
    for (size_t i = 0; i < JRI_METRICS_N_CODES; i++) {
        if (!method->errors[i])
            continue;
        put_name(out, "jrpc_errors_total", method);
        if (i < N_KNOWN)
            put(out, ",code=\"%d\"} %llu\n", codes[i], (unsigned long long)method->errors[i]);
        else
            put(out, ",code=\"application\"} %llu\n", (unsigned long long)method->errors[i]);
    }
}

static void put_histogram(writer *out, const jri_method_metrics *method)
{
    unsigned long long n = 0;

    for (size_t i = 0; i < JRI_METRICS_N_BUCKETS; i++) {
        n += method->buckets[i];
        put_name(out, "jrpc_call_duration_seconds_bucket", method);
        put(out, ",le=\"%g\"} %llu\n", bounds[i], n);
    }
    put_name(out, "jrpc_call_duration_seconds_bucket", method);
    put(out, ",le=\"+Inf\"} %llu\n", (unsigned long long)method->n_calls);
    put_name(out, "jrpc_call_duration_seconds_sum", method);
    put(out, "} %.9g\n", (double)method->sum_ns / 1e9);
    put_name(out, "jrpc_call_duration_seconds_count", method);
    put(out, "} %llu\n", (unsigned long long)method->n_calls);
}

static void put_all(writer *out, const jri_metrics *metrics, put_fn *fn)
{
    fn(out, &metrics->nobody);
    for (size_t i = 0; i < JRI_METRICS_HASH; i++)
        for (const jri_method_metrics *method = metrics->by_name[i]; method; method = method->next)
            fn(out, method);
}

static void put_head(writer *out, const char *name, const char *type, const char *help)
{
    put(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

int jri_metrics_write(const jri_metrics *metrics, jrpc_buf *to)
{
    writer out = {.to = to};

    put_head(&out, "jrpc_calls_total", "counter",
             "Calls and notifications answered, by method; an empty one is none that exists.");
    put_all(&out, metrics, put_calls);
    put_head(&out, "jrpc_errors_total", "counter", "Of these the ones that failed, by code.");
    put_all(&out, metrics, put_errors);
    put_head(&out, "jrpc_call_duration_seconds", "histogram", "From reading a call to its answer.");
    put_all(&out, metrics, put_histogram);
    return out.status;
}

/*
 * JSON
 */

static json_t *errors_json(const jri_method_metrics *method)
{
    json_t *errors = json_object();
    char name[32];

    for (size_t i = 0; errors && i < JRI_METRICS_N_CODES; i++) {
        if (!method->errors[i])
            continue;
        snprintf(name, sizeof(name), "%d", i < N_KNOWN ? codes[i] : 0);
        if (json_object_set_new(errors, i < N_KNOWN ? name : "application",
                                json_integer((json_int_t)method->errors[i]))) {
            json_decref(errors);
            return NULL;
        }
    }
    return errors;
}

static int add_json(json_t *all, const jri_method_metrics *method)
{
    json_t *one = json_pack("{s:I, s:o, s:f}", "calls", (json_int_t)method->n_calls, "errors",
                            errors_json(method), "seconds", (double)method->sum_ns / 1e9);

    return json_object_set_new(all, method->name ? method->name : "", one);
}

json_t *jri_metrics_json(const jri_metrics *metrics)
{
    json_t *all = json_object();
    int status = all ? add_json(all, &metrics->nobody) : -1;

    for (size_t i = 0; i < JRI_METRICS_HASH; i++)
        for (const jri_method_metrics *method = metrics->by_name[i]; method && !status;
             method = method->next)
            status = add_json(all, method);
    if (status) {
        json_decref(all);
        return NULL;
    }
    return all;
}

/* SPDX-License-Identifier: MIT */
/*
 * bench.c - what the benchmarks share: options, interleaved measuring, statistics, the report
 */
#include "bench.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jrpc/jrpc.h>

enum { ROUNDS = 101, ROUNDS_QUICK = 15 };

/* One side's turn in a round. Long against a clock's tick, short against what disturbs. */
enum { TURN_NS = 500000, QUICKER = 5 };

/* Of the turn at hand. */
static uint64_t excluded_ns;

typedef struct bench_figure {
    double median, p10, p90;
} bench_figure;

void bench_fail(const char *what, ...)
{
    va_list args;

    va_start(args, what);
    fputs("benchmark: ", stderr);
    vfprintf(stderr, what, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static uint64_t read_clock(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t bench_wall_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

void bench_exclude(uint64_t ns)
{
    excluded_ns += ns;
}

static uint64_t turn_ns(const bench_session *session, const bench_side *side, size_t n)
{
    clockid_t id = session->clock == BENCH_CPU ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;

    excluded_ns = 0;
    uint64_t begin = read_clock(id);
    side->run(side->user, n);
    return read_clock(id) - begin - excluded_ns;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

double bench_percentile(double *values, size_t n, double p)
{
    double at = p * (double)(n - 1);
    size_t below = (size_t)at;

    qsort(values, n, sizeof(*values), compare);
    if (below + 1 >= n)
        return values[n - 1];
    return values[below] + (at - (double)below) * (values[below + 1] - values[below]);
}

static bench_figure summarise(double *values, size_t n)
{
    return (bench_figure){
        .median = bench_percentile(values, n, 0.5),
        .p10 = bench_percentile(values, n, 0.1),
        .p90 = bench_percentile(values, n, 0.9),
    };
}

/* How often a side runs in one turn. Warms it up, too. */
static size_t calibrate(const bench_session *session, const bench_side *side)
{
    uint64_t turn = session->turn_ns ? session->turn_ns : TURN_NS;
    size_t n = 1;
    uint64_t ns = turn_ns(session, side, n);

    if (session->is_quick)
        turn /= QUICKER;
    while (ns < turn / 4) {
        n *= 2;
        ns = turn_ns(session, side, n);
    }
    n = (size_t)((double)n * (double)turn / (double)ns);
    return n ? n : 1;
}

static double ratio_of(const bench_row *row, double ours, double other)
{
    return row->sense == BENCH_TIMES_FASTER ? other / ours : ours / other;
}

typedef struct measurement {
    size_t n_sides, n_rounds;
    double ns[BENCH_SIDES_MAX][ROUNDS];     /* per unit */
    double ratios[BENCH_SIDES_MAX][ROUNDS]; /* first side and this one, of the same round */
} measurement;

static void measure(const bench_session *session, const bench_row *row, measurement *out)
{
    size_t n_times[BENCH_SIDES_MAX];

    out->n_sides = 0;
    out->n_rounds = session->is_quick ? ROUNDS_QUICK : ROUNDS;
    while (row->sides[out->n_sides].name) {
        n_times[out->n_sides] = calibrate(session, &row->sides[out->n_sides]);
        out->n_sides++;
    }
    for (size_t round = 0; round < out->n_rounds; round++) {
        for (size_t i = 0; i < out->n_sides; i++) {
            size_t at = (i + round) % out->n_sides;
            const bench_side *side = &row->sides[at];
            double units = (double)n_times[at] * (double)(side->units ? side->units : 1);
            out->ns[at][round] = (double)turn_ns(session, side, n_times[at]) / units;
        }
        for (size_t i = 0; i < out->n_sides; i++)
            out->ratios[i][round] = ratio_of(row, out->ns[0][round], out->ns[i][round]);
    }
}

static const char *verdict(const bench_row *row, double ratio)
{
    bool is_more = row->sense == BENCH_TIMES_FASTER;

    if (row->goal && (is_more ? ratio >= row->goal : ratio <= row->goal))
        return ": goal met";
    return (is_more ? ratio >= row->target : ratio <= row->target) ? ": target met" : ": MISSED";
}

static void print_row(bench_session *session, const bench_row *row, const bench_figure *ns,
                      const bench_figure *ratios, size_t n_sides)
{
    const char *sign = row->sense == BENCH_TIMES_FASTER ? ">=" : "<=";

    if (session->n_rows == 1)
        printf("%-18s %10s %10s %10s  %8s %8s %8s\n", "", "ns", "p10", "p90", "ratio", "p10",
               "p90");
    printf("\n%s: %s; ns per %s\n", row->name, row->title, row->unit);
    for (size_t i = 0; i < n_sides; i++) {
        printf("  %-16s %10.*f %10.*f %10.*f", row->sides[i].name, ns[0].median < 10 ? 3 : 1,
               ns[i].median, ns[0].median < 10 ? 3 : 1, ns[i].p10, ns[0].median < 10 ? 3 : 1,
               ns[i].p90);
        if (row->has_rate)
            printf("  %8.3f M/s", 1e3 / ns[i].median);
        if (i)
            printf("  %8.2f %8.2f %8.2f", ratios[i].median, ratios[i].p10, ratios[i].p90);
        if (i == 1 && row->target)
            printf("  target %s %g", sign, row->target);
        if (i == 1 && row->goal)
            printf(", goal %s %g", sign, row->goal);
        printf("%s\n", i == 1 && row->target ? verdict(row, ratios[i].median) : "");
    }
    fflush(stdout);
}

static json_t *figure_json(const bench_figure *figure)
{
    return json_pack("{s:f, s:f, s:f}", "median", figure->median, "p10", figure->p10, "p90",
                     figure->p90);
}

static void keep_row(bench_session *session, const bench_row *row, const bench_figure *ns,
                     const bench_figure *ratios, size_t n_sides)
{
    json_t *sides = json_object();

    for (size_t i = 0; i < n_sides; i++) {
        json_t *side = json_pack("{s:o}", "ns", figure_json(&ns[i]));
        if (row->has_rate)
            json_object_set_new(side, "per_second", json_real(1e9 / ns[i].median));
        if (i) {
            json_object_set_new(side, "ratio", figure_json(&ratios[i]));
            json_object_set_new(side, "ratio_of_medians",
                                json_real(ratio_of(row, ns[0].median, ns[i].median)));
        }
        json_object_set_new(sides, row->sides[i].name, side);
    }
    json_t *figures =
        json_pack("{s:s, s:s, s:s, s:o}", "title", row->title, "unit", row->unit, "ratio_is",
                  row->sense == BENCH_TIMES_FASTER ? "other/first" : "first/other", "sides", sides);
    if (row->target)
        json_object_set_new(figures, "target", json_real(row->target));
    if (row->goal)
        json_object_set_new(figures, "goal", json_real(row->goal));
    json_object_set_new(session->rows, row->name, figures);
}

/* "row/side", or "row" for its first side, run as often as asked. */
static void count_row(const bench_session *session, const bench_row *row)
{
    size_t len = strlen(row->name);

    if (strncmp(session->counted, row->name, len))
        return;
    if (!session->counted[len]) {
        row->sides[0].run(row->sides[0].user, session->count);
        exit(0);
    }
    if (session->counted[len] != '/')
        return;
    for (const bench_side *side = row->sides; side->name; side++)
        if (!strcmp(side->name, session->counted + len + 1)) {
            side->run(side->user, session->count);
            exit(0);
        }
}

bool bench_wants(const bench_session *session, const char *row_name)
{
    if (session->count)
        return !strncmp(session->counted, row_name, strlen(row_name));
    return !session->filter || strstr(row_name, session->filter);
}

void bench_run(bench_session *session, const bench_row *row)
{
    measurement *found;
    bench_figure ns[BENCH_SIDES_MAX], ratios[BENCH_SIDES_MAX];

    if (session->count)
        count_row(session, row);
    if (session->count || !bench_wants(session, row->name))
        return;
    found = malloc(sizeof(*found));
    if (!found)
        bench_fail("out of memory");
    session->n_rows++;
    measure(session, row, found);
    for (size_t i = 0; i < found->n_sides; i++) {
        ns[i] = summarise(found->ns[i], found->n_rounds);
        ratios[i] = summarise(found->ratios[i], found->n_rounds);
    }
    if (session->is_json)
        keep_row(session, row, ns, ratios, found->n_sides);
    else
        print_row(session, row, ns, ratios, found->n_sides);
    free(found);
}

void bench_note(bench_session *session, const bench_row *row, const char *side, const char *what,
                double value)
{
    json_t *figures = json_object_get(session->rows, row->name);

    if (!bench_wants(session, row->name))
        return;
    if (session->is_json)
        json_object_set_new(json_object_get(json_object_get(figures, "sides"), side), what,
                            json_real(value));
    else
        printf("  %-16s %10.1f  %s\n", side, value, what);
}

static void usage(const bench_session *session, const char *about)
{
    printf("Usage: %s [OPTION]...\n\n%s\n\n"
           "  --filter TEXT           only rows whose name holds TEXT\n"
           "  --quick                 a few seconds in all; not for figures\n"
           "  --json                  one JSON object instead of the table\n"
           "  --count ROW[/SIDE] N    run one side N times without timing, for callgrind and perf\n"
           "  --help                  this\n",
           session->program, about);
}

static void read_count(bench_session *session, int argc, char **argv)
{
    if (optind < argc)
        session->count = strtoul(argv[optind++], NULL, 10);
    if (!session->count)
        bench_fail("--count needs a row and a number: --count ping 1000");
}

void bench_begin(bench_session *session, int argc, char **argv, const char *about)
{
    enum { FILTER = 1, QUICK, JSON, COUNT, HELP };
    static const struct option options[] = {
        {"filter", required_argument, NULL, FILTER}, {"quick", no_argument, NULL, QUICK},
        {"json", no_argument, NULL, JSON},           {"count", required_argument, NULL, COUNT},
        {"help", no_argument, NULL, HELP},           {NULL, 0, NULL, 0},
    };
    const char *slash = strrchr(argv[0], '/');
    int option;

    session->program = slash ? slash + 1 : argv[0];
    /* "+": the number behind --count's row stays where it is. */
    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        if (option == FILTER) {
            session->filter = optarg;
        } else if (option == QUICK) {
            session->is_quick = true;
        } else if (option == JSON) {
            session->is_json = true;
        } else if (option == COUNT) {
            session->counted = optarg;
            read_count(session, argc, argv);
        } else {
            usage(session, about);
            exit(option == HELP ? 0 : 2);
        }
    }
    if (optind < argc)
        bench_fail("%s: unexpected argument; see --help", argv[optind]);
    session->rows = json_object();
}

/* The processor as the kernel names it; whoever compares figures needs to know. */
static void read_cpu(char *out, size_t size)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[256];

    snprintf(out, size, "unknown");
    while (file && fgets(line, sizeof(line), file))
        if (!strncmp(line, "model name", 10) && strchr(line, ':')) {
            snprintf(out, size, "%s", strchr(line, ':') + 2);
            out[strcspn(out, "\n")] = '\0';
            break;
        }
    if (file)
        fclose(file);
}

static void print_json(const bench_session *session)
{
    char cpu[128], date[32];
    time_t now = time(NULL);
    struct tm day;

    read_cpu(cpu, sizeof(cpu));
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &day));
    json_t *report =
        json_pack("{s:s, s:i, s:s, s:s, s:s, s:b, s:i, s:O}", "program", session->program,
                  "version", (int)jrpc_version(), "date", date, "cpu", cpu, "clock",
                  session->clock == BENCH_CPU ? "cpu" : "wall", "is_quick", session->is_quick,
                  "rounds", session->is_quick ? ROUNDS_QUICK : ROUNDS, "rows", session->rows);
    if (!report || json_dumpf(report, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6)))
        bench_fail("out of memory");
    putchar('\n');
    json_decref(report);
}

int bench_end(bench_session *session)
{
    if (session->count)
        bench_fail("%s: no such row or side", session->counted);
    if (!session->n_rows)
        bench_fail("no row's name holds '%s'", session->filter);
    if (session->is_json)
        print_json(session);
    json_decref(session->rows);
    return 0;
}

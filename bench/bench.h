/* SPDX-License-Identifier: MIT */
/*
 * bench.h - what the benchmarks share: options, interleaved measuring, statistics, the report
 *
 * A row is one question, its sides are the programs compared. All sides of a row are measured in
 * turn (A B C, B C A, ...), many short rounds, so that what disturbs the machine disturbs them
 * alike; a ratio is the median of the rounds' own ratios.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

enum { BENCH_SIDES_MAX = 8 };

/* Which time counts: the thread's own, or that of the clock on the wall. */
enum bench_clock { BENCH_CPU, BENCH_WALL };

/**
 * struct bench_session - one run of a benchmark program
 * @program:  its name
 * @clock:    set before the first row
 * @turn_ns:  likewise: how long a side's turn in a round is, a fifth of it if quick; 0: as short as
 *            a turn within one thread may be
 * @is_quick: a few seconds in all: for ctest, not for figures
 * @is_json:  one JSON object instead of the table
 * @filter:   rows whose name holds this; NULL: all
 * @count:    not 0: no timing, run the side named @counted so many times
 */
typedef struct bench_session {
    const char *program;
    enum bench_clock clock;
    uint64_t turn_ns;
    bool is_quick, is_json;
    const char *filter;
    const char *counted;
    size_t count;
    size_t n_rows;
    json_t *rows; /* new; name -> figures */
} bench_session;

/**
 * struct bench_side - one program of a row
 * @name:   unique in its row
 * @run:    does it @n times
 * @units:  what one time counts for: the members of a batch, the bytes of a message; 0: 1
 */
typedef struct bench_side {
    const char *name;
    void (*run)(void *user, size_t n);
    void *user;
    size_t units;
} bench_side;

/* How a row's ratio is to be read. */
enum bench_sense {
    BENCH_TIMES_FASTER, /* another side's time over that of the first: more is better */
    BENCH_OF_ITS_TIME   /* the first side's time over that of another: less is better */
};

/**
 * struct bench_row - one question
 * @name:          for --filter and JSON
 * @title:         for people
 * @unit:          of what nanoseconds are told: "request"
 * @sides:         the first is ours, the second the one that @target and @goal speak of; the last
 *                 has no name
 * @target, @goal: of the ratio; 0: none
 * @has_rate:      how many a second are told, too
 */
typedef struct bench_row {
    const char *name, *title, *unit;
    enum bench_sense sense;
    double target, goal;
    bool has_rate;
    bench_side sides[BENCH_SIDES_MAX + 1];
} bench_row;

/**
 * bench_begin() - read the command line; ends the program after --help and on a bad option
 * @about:  one or two sentences for --help
 */
void bench_begin(bench_session *session, int argc, char **argv, const char *about);

/* The row is asked for: lets expensive preparations be skipped. */
bool bench_wants(const bench_session *session, const char *row_name);

/* Measures a row, if it is asked for, and prints it. */
void bench_run(bench_session *session, const bench_row *row);

/* In a side's run(): so much of its time was not spent on what is measured. */
void bench_exclude(uint64_t ns);

/* One more figure about a side of the row that was run last, if it was. */
void bench_note(bench_session *session, const bench_row *row, const char *side, const char *what,
                double value);

/* Prints what is left to print. Return: the program's exit status. */
int bench_end(bench_session *session);

/* Ends the program: a benchmark that cannot do its work has no figures to show. */
void bench_fail(const char *what, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Nanoseconds of the wall clock, for programs that time single events. */
uint64_t bench_wall_ns(void);

/* The value at fraction p (0 to 1) of n > 0 numbers; sorts them. */
double bench_percentile(double *values, size_t n, double p);

/* Makes the compiler believe that memory at the pointer is read. */
static inline void bench_keep(const void *pointer)
{
    __asm__ volatile("" : : "g"(pointer) : "memory");
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * pipe.h - a child process between two pipes, and what is said through them
 *
 * The child reads the one as its standard input and writes the other as its standard output. All
 * failures end the program: a benchmark that loses an answer has no figures.
 */
#ifndef PIPE_H
#define PIPE_H

#include <stdbool.h>
#include <stddef.h>

#include <sys/types.h>

enum { PIPE_CHUNK = 65536 }; /* bytes written and read at once: what a pipe holds */

typedef struct pipe_child {
    pid_t pid;
    int to, from;
} pipe_child;

/* The child runs the function and exits with 0. Blocking: for pipe_ask(), else for the others. */
void pipe_spawn(pipe_child *child, bool is_blocking, void (*run)(const void *user),
                const void *user);

/* Ends its input and waits for it. It has to exit with 0. */
void pipe_end(pipe_child *child);

/**
 * struct pipe_text - messages of the same length, without end
 * @text:      new; the messages, then the first PIPE_CHUNK bytes again, so that as much stands
 *             behind every place
 * @item_len:  bytes of a message
 * @len:       of all messages, before they begin anew
 */
typedef struct pipe_text {
    char *text;
    size_t item_len, len;
} pipe_text;

/* What stands in a message for its number, so that no two that follow each other are the same. */
#define PIPE_NUMBER "####"

pipe_text pipe_text_new(const char *item);

/* Both with the first n messages: these answers have to come in this order, */
void pipe_exchange(const pipe_child *child, const pipe_text *messages, const pipe_text *answers,
                   size_t n);

/* these in any order. n <= PIPE_WAVE_MAX */
enum { PIPE_WAVE_MAX = 1000 };
void pipe_wave(const pipe_child *child, const pipe_text *messages, const pipe_text *answers,
               size_t n);

/* The first message alone. */
void pipe_ask(const pipe_child *child, const pipe_text *messages, const pipe_text *answers);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * process.h - a server in a process of its own, on a processor of its own
 *
 * ZeroMQ contexts do not survive fork(): while a server is spawned, the parent must have none. All
 * failures end the program.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdint.h>
#include <time.h>

#include <sys/types.h>

/**
 * struct process - a server
 * @url:      where it listens
 * @control:  it ends when this is closed, so also with the parent
 * @clock:    processor time of all its threads
 */
typedef struct process {
    pid_t pid;
    int control;
    clockid_t clock;
    char url[128];
} process;

/* The processors that this program may use: the first for servers, the last for clients. */
int process_server_cpu(void);
int process_client_cpu(void);

/* The calling thread, and all threads and processes that it creates from now on. */
void process_pin(int cpu);
void process_unpin(void);

/**
 * process_spawn() - start a server and wait until it listens
 * @name:  for tools that show processes
 * @run:   in the child, pinned to the processor. Calls process_ready(). When it returns the
 *         child exits with 0
 */
void process_spawn(process *it, const char *name, int cpu, void (*run)(const void *user),
                   const void *user);

/**
 * process_ready() - in the child: it listens
 * @stop:  called on a thread of its own when the parent has had enough; NULL: the child exits
 */
void process_ready(const char *url, void (*stop)(void *user), void *user);

/**
 * process_exec() - in the child, instead of process_ready(): another program
 * @argv:  the last is NULL; found by PATH
 *
 * It writes where it listens to descriptor 4 and closes that; it exits with 0 when descriptor 3 has
 * ended.
 */
void process_exec(const char *const argv[]) __attribute__((noreturn));

uint64_t process_cpu_ns(const process *it);

/* It has to exit with 0. */
void process_end(process *it);

#endif

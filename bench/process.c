/* SPDX-License-Identifier: MIT */
/*
 * process.c - a server in a process of its own, on a processor of its own
 */
#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/* In the child. */
static struct {
    int control, ready;
    void (*stop)(void *user);
    void *user;
} self;

static void read_cpus(cpu_set_t *out)
{
    static cpu_set_t allowed; /* as it was before anything was pinned */

    if (!CPU_COUNT(&allowed) && sched_getaffinity(0, sizeof(allowed), &allowed))
        bench_fail("sched_getaffinity: %s", strerror(errno));
    *out = allowed;
}

int process_server_cpu(void)
{
    cpu_set_t allowed;
    int cpu = 0;

    read_cpus(&allowed);
    while (!CPU_ISSET(cpu, &allowed))
        cpu++;
    return cpu;
}

int process_client_cpu(void)
{
    cpu_set_t allowed;
    int cpu = CPU_SETSIZE - 1;

    read_cpus(&allowed);
    while (!CPU_ISSET(cpu, &allowed))
        cpu--;
    return cpu;
}

void process_pin(int cpu)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof(one), &one))
        bench_fail("sched_setaffinity: %s", strerror(errno));
}

void process_unpin(void)
{
    cpu_set_t allowed;

    read_cpus(&allowed);
    if (sched_setaffinity(0, sizeof(allowed), &allowed))
        bench_fail("sched_setaffinity: %s", strerror(errno));
}

static void *watch(void *unused)
{
    char byte;

    (void)unused;
    while (read(self.control, &byte, 1) < 0 && errno == EINTR)
        ;
    if (!self.stop)
        _exit(0);
    self.stop(self.user);
    return NULL;
}

void process_ready(const char *url, void (*stop)(void *user), void *user)
{
    pthread_t thread;
    size_t len = strlen(url);

    self.stop = stop;
    self.user = user;
    if (pthread_create(&thread, /* attributes */ NULL, watch, NULL) || pthread_detach(thread))
        bench_fail("a server has no thread to watch");
    if (write(self.ready, url, len) != (ssize_t)len || close(self.ready))
        bench_fail("%s: nobody wants to know", url);
}

void process_exec(const char *const argv[])
{
    fcntl(self.control, F_SETFD, 0);
    fcntl(self.ready, F_SETFD, 0);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    bench_fail("%s: %s", argv[0], strerror(errno));
}

static void run_child(const char *name, int cpu, void (*run)(const void *user), const void *user)
{
    prctl(PR_SET_NAME, name);
    process_pin(cpu);
    run(user);
    exit(0); /* by whatever is to be done then: libraries' ends, and checks for leaks */
}

/* All of it, until the other end is closed. */
static void read_url(process *it, int fd, const char *name)
{
    size_t len = 0;
    ssize_t n;

    while ((n = read(fd, it->url + len, sizeof(it->url) - 1 - len)) > 0)
        len += (size_t)n;
    it->url[len] = '\0';
    close(fd);
    if (!len)
        bench_fail("the server %s did not start", name);
}

void process_spawn(process *it, const char *name, int cpu, void (*run)(const void *user),
                   const void *user)
{
    int control[2], ready[2];

    fflush(NULL);
    if (pipe2(control, O_CLOEXEC) || pipe2(ready, O_CLOEXEC))
        bench_fail("pipe: %s", strerror(errno));
    it->pid = fork();
    if (it->pid < 0)
        bench_fail("fork: %s", strerror(errno));
    if (!it->pid) {
        /* Their numbers are known to process_exec(), too. */
        self.control = dup2(control[0], STDERR_FILENO + 1);
        self.ready = dup2(ready[1], STDERR_FILENO + 2);
        /* Other servers' pipes, too, which would not end otherwise. */
        close_range(STDERR_FILENO + 3, ~0u, 0);
        run_child(name, cpu, run, user);
    }
    close(control[0]);
    close(ready[1]);
    it->control = control[1];
    read_url(it, ready[0], name);
    if (clock_getcpuclockid(it->pid, &it->clock))
        bench_fail("the server %s has no clock", name);
}

uint64_t process_cpu_ns(const process *it)
{
    struct timespec now;

    if (clock_gettime(it->clock, &now))
        bench_fail("a server is gone");
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void process_end(process *it)
{
    int status;

    close(it->control);
    if (waitpid(it->pid, &status, 0) < 0 || status)
        bench_fail("a server ended with status 0x%x", (unsigned)status);
}

/* SPDX-License-Identifier: MIT */
/*
 * zmq_tsan.c - what ThreadSanitizer cannot know of tests with ZeroMQ
 *
 * libzmq hands memory from thread to thread without a lock, by atomic operations that are not
 * instrumented, so all of it looks like a race. What has libzmq on its stacks is none of ours, and
 * is passed over. What one thread did before it sent a message is done when another one receives
 * it: the linker puts the functions below before libzmq's, so that tests may rely on that.
 */
#include <sanitizer/tsan_interface.h>
#include <zmq.h>

const char *__tsan_default_options(void);
const char *__tsan_default_suppressions(void);
int __real_zmq_send(void *socket, const void *data, size_t len, int flags);
int __real_zmq_recv(void *socket, void *to, size_t len, int flags);
int __real_zmq_msg_send(zmq_msg_t *frame, void *socket, int flags);
int __real_zmq_msg_recv(zmq_msg_t *frame, void *socket, int flags);
int __wrap_zmq_send(void *socket, const void *data, size_t len, int flags);
int __wrap_zmq_recv(void *socket, void *to, size_t len, int flags);
int __wrap_zmq_msg_send(zmq_msg_t *frame, void *socket, int flags);
int __wrap_zmq_msg_recv(zmq_msg_t *frame, void *socket, int flags);

static char handed_over; /* its address stands for all messages */

/* Also: what libraries read and write is not looked at, which is slow for megabytes. */
const char *__tsan_default_options(void)
{
    return "ignore_noninstrumented_modules=1";
}

const char *__tsan_default_suppressions(void)
{
    return "race:libzmq.so\n";
}

static int received(int n)
{
    if (n >= 0)
        __tsan_acquire(&handed_over);
    return n;
}

int __wrap_zmq_send(void *socket, const void *data, size_t len, int flags)
{
    __tsan_release(&handed_over);
    return __real_zmq_send(socket, data, len, flags);
}

int __wrap_zmq_recv(void *socket, void *to, size_t len, int flags)
{
    return received(__real_zmq_recv(socket, to, len, flags));
}

int __wrap_zmq_msg_send(zmq_msg_t *frame, void *socket, int flags)
{
    __tsan_release(&handed_over);
    return __real_zmq_msg_send(frame, socket, flags);
}

int __wrap_zmq_msg_recv(zmq_msg_t *frame, void *socket, int flags)
{
    return received(__real_zmq_msg_recv(frame, socket, flags));
}

/* SPDX-License-Identifier: MIT */
/*
 * zmq_suppressions.c - what ThreadSanitizer is not to say of tests with ZeroMQ
 *
 * libzmq hands memory from thread to thread without a lock, by atomic operations that are not
 * instrumented, so all of it looks like a race. A race of our own has no libzmq on its stacks.
 */
const char *__tsan_default_suppressions(void);

const char *__tsan_default_suppressions(void)
{
    return "race:libzmq.so\n";
}

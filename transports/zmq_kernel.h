/* SPDX-License-Identifier: MIT */
/*
 * zmq_kernel.h - what the kernel says of a connection that is libzmq's, and of this process
 *
 * libzmq tells the number of a connection's descriptor, and may have closed it by the time it is
 * used here. So nothing is concluded from one look, and a connection is hung up on only if its
 * inode, which is its alone, is still the same.
 */
#ifndef JRI_ZMQ_KERNEL_H
#define JRI_ZMQ_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct jri_zmq_line {
    int fd;
    ino_t inode;
    bool is_unix;
    uint64_t n_before; /* Unix: bytes of earlier rounds of the kernel's counter */
} jri_zmq_line;

/* From now on it can be asked. False: it is gone, or this kernel does not count what comes by it.
 */
bool jri_zmq_line_init(jri_zmq_line *line, int fd, bool is_unix);

/* The bytes that libzmq has read from it. False: the kernel does not tell. */
bool jri_zmq_line_taken(jri_zmq_line *line, uint64_t *out);

/* Whoever is at the other end; "": nobody knows. */
void jri_zmq_line_name(const jri_zmq_line *line, char *to, size_t size);

/* Both directions, at once; libzmq closes it. */
void jri_zmq_line_hang_up(const jri_zmq_line *line);

/* Bytes of memory that this process has; 0: the kernel does not tell. */
uint64_t jri_zmq_memory(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * zmq_kernel.c - what the kernel says of a connection that is libzmq's, and of this process
 *
 * TCP counts what has come. Unix sockets count nothing, but their peek offset goes down by what is
 * read, and nobody here peeks: set to the top, it tells how much that was.
 */
#define _GNU_SOURCE
#include "zmq_kernel.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PEEK_TOP = INT32_MAX, HOST_SIZE = 64, PORT_SIZE = 8 };

/* The kernel's socket, whatever number it has; 0: none. */
static ino_t inode_of(int fd)
{
    struct stat about;

    return !fstat(fd, &about) && S_ISSOCK(about.st_mode) ? about.st_ino : 0;
}

static bool set_peek_offset(int fd)
{
    int top = PEEK_TOP;

    return !setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &top, sizeof(top));
}

bool jri_zmq_line_init(jri_zmq_line *line, int fd, bool is_unix)
{
    int domain;
    uint64_t taken;
    socklen_t size = sizeof(domain);
    ino_t inode = inode_of(fd);

    if (!inode || getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) ||
        (domain == AF_UNIX) != is_unix)
        return false;
    *line = (jri_zmq_line){.fd = fd, .inode = inode, .is_unix = is_unix};
    return is_unix ? set_peek_offset(fd) : jri_zmq_line_taken(line, &taken);
}

static bool ask_unix(jri_zmq_line *line, uint64_t *out)
{
    int offset;
    socklen_t size = sizeof(offset);

    if (getsockopt(line->fd, SOL_SOCKET, SO_PEEK_OFF, &offset, &size) || offset < 0)
        return false;
    uint64_t n_read = (uint64_t)(PEEK_TOP - offset);
    *out = line->n_before + n_read;
    if (n_read > PEEK_TOP / 2 && set_peek_offset(line->fd))
        line->n_before += n_read; /* what is read in between is not missed in a gigabyte */
    return true;
}

static bool ask_tcp(const jri_zmq_line *line, uint64_t *out)
{
    struct tcp_info info;
    socklen_t size = sizeof(info);
    int n_unread;

    if (getsockopt(line->fd, IPPROTO_TCP, TCP_INFO, &info, &size) ||
        size < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(info.tcpi_bytes_received) ||
        ioctl(line->fd, SIOCINQ, &n_unread))
        return false;
    uint64_t n_come = info.tcpi_bytes_received, n_left = n_unread > 0 ? (uint64_t)n_unread : 0;
    *out = n_come > n_left ? n_come - n_left : 0;
    return true;
}

bool jri_zmq_line_taken(jri_zmq_line *line, uint64_t *out)
{
    return line->is_unix ? ask_unix(line, out) : ask_tcp(line, out);
}

void jri_zmq_line_name(const jri_zmq_line *line, char *to, size_t size)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);
    char host[HOST_SIZE], port[PORT_SIZE];

    *to = '\0';
    if (line->is_unix) {
        struct ucred user;
        len = sizeof(user);
        if (!getsockopt(line->fd, SOL_SOCKET, SO_PEERCRED, &user, &len))
            snprintf(to, size, "process %ld of user %lu", (long)user.pid, (unsigned long)user.uid);
        return;
    }
    if (!getpeername(line->fd, (struct sockaddr *)&address, &len) &&
        !getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port, sizeof(port),
                     NI_NUMERICHOST | NI_NUMERICSERV))
        snprintf(to, size, "%s port %s", host, port);
}

/* A descriptor of our own stays what it is while it is looked at. Without lingering libzmq's close
 * resets the connection: else who has filled its window would not notice for a minute. */
void jri_zmq_line_hang_up(const jri_zmq_line *line)
{
    const struct linger none = {.l_onoff = 1};
    int fd = fcntl(line->fd, F_DUPFD_CLOEXEC, 0);

    if (fd < 0)
        return;
    if (inode_of(fd) == line->inode) {
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
        shutdown(fd, SHUT_RDWR);
    }
    close(fd);
}

uint64_t jri_zmq_memory(void)
{
    char text[128];
    unsigned long n_pages = 0;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    if (sscanf(text, "%*u %lu", &n_pages) != 1)
        return 0;
    return (uint64_t)n_pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

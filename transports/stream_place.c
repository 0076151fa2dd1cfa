/* SPDX-License-Identifier: MIT */
/*
 * stream_place.c - sockets to listen on: paths and their files, hosts and their addresses
 *
 * A socket's file is made with its permissions: those of the socket itself, set before it is bound,
 * count, less the umask. What the umask has taken is given back before anybody can connect, which
 * is only from listen() on.
 *
 * A file that is there already is removed only if it is a socket that nobody listens on, which the
 * kernel tells whoever connects to it.
 */
#define _GNU_SOURCE
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h> /* libc's knows less of TCP_INFO */
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    BACKLOG = 1024,       /* the kernel may have a lower limit (net.core.somaxconn) */
    KEEPALIVE_S = 60,     /* until a peer is asked whether it is there */
    KEEPALIVE_GAP_S = 10, /* and asked again */
    KEEPALIVE_TIMES = 6,  /* until it is given up */
    OWNER_ONLY = 0600,
};

/*
 * The URL
 */

static int read_path(jri_stream_place *place, const jrpc_url *url, jrpc_problem *problem)
{
    const char *path = url->path;
    int column = (int)strlen("unix:") + 1;

    if (url->host)
        return jrpc_url_fault(url, column, problem, "expected a path, as in unix:/run/name.sock");
    if (!*path || strcmp(path, "@") == 0)
        return jrpc_url_fault(url, column, problem,
                              "expected a path, as in unix:/run/name.sock, or unix:@name");
    if (strlen(path) > JRI_STREAM_PATH_MAX)
        return jrpc_url_fault(url, column, problem, "the path is longer than %d bytes",
                              JRI_STREAM_PATH_MAX);
    memcpy(place->path, path, strlen(path) + 1);
    if (*path == '@' && jrpc_url_option(url, "mode"))
        return jrpc_url_fault(url, /* column */ 0, problem,
                              "mode: an abstract socket has no permissions");
    return jrpc_url_mode(url, "mode", &place->mode, problem);
}

static int read_host(jri_stream_place *place, const jrpc_url *url, jrpc_problem *problem)
{
    const jrpc_url_range day = {0, 86400};
    int column = (int)strlen("tcp:") + 1;

    if (!url->host)
        return jrpc_url_fault(url, column, problem,
                              "expected a host and a port, as in tcp://127.0.0.1:4000");
    if (!url->has_port)
        return jrpc_url_fault(url, column, problem, "expected a port; 0 for any that is free");
    if (*url->path)
        return jrpc_url_fault(url, column, problem, "tcp: has no path");
    if (strlen(url->host) >= sizeof(place->host))
        return jrpc_url_fault(url, column, problem, "the host's name is longer than %zu bytes",
                              sizeof(place->host) - 1);
    memcpy(place->host, url->host, strlen(url->host) + 1);
    place->port = url->port;
    return jrpc_url_integer(url, "keepalive", day, &place->keepalive, problem);
}

int jri_stream_place_read(jri_stream_place *place, const jrpc_url *url, jrpc_problem *problem)
{
    const jrpc_url_range range = {1, 65535};

    *place = (jri_stream_place){
        .fd = -1, .backlog = BACKLOG, .keepalive = KEEPALIVE_S, .mode = OWNER_ONLY};
    place->is_unix = !strcmp(url->scheme, "unix");
    int status = place->is_unix ? read_path(place, url, problem) : read_host(place, url, problem);
    return status ? status : jrpc_url_integer(url, "backlog", range, &place->backlog, problem);
}

/*
 * Unix sockets
 */

static bool is_abstract(const jri_stream_place *place)
{
    return place->path[0] == '@';
}

/* The length of the address. */
static socklen_t address_of(const jri_stream_place *place, struct sockaddr_un *out)
{
    size_t len = strlen(place->path);

    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(out->sun_path, place->path, len);
    if (is_abstract(place))
        out->sun_path[0] = '\0'; /* and no NUL behind it: it would be part of the name */
    else
        len++;
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

/* What is at the path is a socket, and nobody listens on it. */
static bool is_stale(const jri_stream_place *place, struct stat *about, const char **why)
{
    struct sockaddr_un address;
    socklen_t len = address_of(place, &address);

    if (lstat(place->path, about))
        return errno == ENOENT; /* gone meanwhile */
    if (!S_ISSOCK(about->st_mode)) {
        *why = "there is a file that is not a socket";
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool is_refused = connect(fd, (struct sockaddr *)&address, len) && errno == ECONNREFUSED;
    close(fd);
    if (!is_refused)
        *why = "somebody listens there";
    return is_refused;
}

static bool is_same(const char *path, dev_t device, ino_t inode)
{
    struct stat about;

    return lstat(path, &about) == 0 && about.st_dev == device && about.st_ino == inode;
}

static int bind_path(const jri_stream_place *place, const char **why)
{
    struct sockaddr_un address;
    socklen_t len = address_of(place, &address);
    struct stat about = {0};

    if (bind(place->fd, (struct sockaddr *)&address, len) == 0)
        return 0;
    if (errno != EADDRINUSE || is_abstract(place))
        return -errno;
    if (!is_stale(place, &about, why))
        return -EADDRINUSE;
    if (is_same(place->path, about.st_dev, about.st_ino) && unlink(place->path) && errno != ENOENT)
        return -errno;
    return bind(place->fd, (struct sockaddr *)&address, len) ? -errno : 0;
}

/* The file that was made: what the umask has taken is given back, and its number kept. */
static int settle_file(jri_stream_place *place)
{
    char name[32];
    struct stat about;
    int status = 0, fd = open(place->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    if (fstat(fd, &about))
        status = -errno;
    else if ((about.st_mode & 0777) != place->mode && chmod(name, place->mode))
        status = -errno;
    if (!status) {
        place->device = about.st_dev;
        place->inode = about.st_ino;
    }
    close(fd);
    return status;
}

static int listen_unix(jri_stream_place *place, const char **why)
{
    place->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (place->fd < 0 || fchmod(place->fd, place->mode))
        return -errno;
    int status = bind_path(place, why);
    if (!status && !is_abstract(place))
        status = settle_file(place);
    if (!status && listen(place->fd, (int)place->backlog))
        status = -errno;
    return status;
}

/*
 * TCP sockets
 */

static int listen_at(jri_stream_place *place, const struct addrinfo *at, bool is_both)
{
    int on = 1, off = 0;

    place->fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (place->fd < 0)
        return -errno;
    setsockopt(place->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (at->ai_family == AF_INET6)
        setsockopt(place->fd, IPPROTO_IPV6, IPV6_V6ONLY, is_both ? &off : &on, sizeof(on));
    if (bind(place->fd, at->ai_addr, at->ai_addrlen) || listen(place->fd, (int)place->backlog))
        return -errno;
    return 0;
}

static int find_port(int fd, uint16_t *out)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);

    if (getsockname(fd, (struct sockaddr *)&address, &len))
        return -errno;
    *out = ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
    return 0;
}

/* The first of the host's addresses that can be listened on; * is IPv6 and IPv4 together, or IPv4
 * if there is no IPv6. */
static int listen_tcp(jri_stream_place *place, uint16_t *port, const char **why)
{
    bool is_any = !strcmp(place->host, "*");
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char service[8];

    snprintf(service, sizeof(service), "%u", place->port);
    int failure = getaddrinfo(is_any ? "::" : place->host, service, &hints, &found);
    if (failure) {
        *why = gai_strerror(failure);
        return failure == EAI_MEMORY ? -ENOMEM : -EADDRNOTAVAIL;
    }
    int status = -EADDRNOTAVAIL;
    for (const struct addrinfo *at = found; at && status; at = at->ai_next) {
        jri_stream_unlisten(place);
        status = listen_at(place, at, is_any);
    }
    freeaddrinfo(found);
    if (status && is_any) {
        const struct sockaddr_in all = {.sin_family = AF_INET, .sin_port = htons(place->port)};
        const struct addrinfo at = {.ai_family = AF_INET,
                                    .ai_addr = (struct sockaddr *)(uintptr_t)&all,
                                    .ai_addrlen = sizeof(all)};
        jri_stream_unlisten(place);
        status = status == -EADDRINUSE ? status : listen_at(place, &at, false);
    }
    return status ? status : find_port(place->fd, port);
}

int jri_stream_listen(jri_stream_place *place, uint16_t *port, const char **why)
{
    *why = NULL;
    int status = place->is_unix ? listen_unix(place, why) : listen_tcp(place, port, why);
    if (status)
        jri_stream_unlisten(place);
    return status;
}

void jri_stream_unlisten(jri_stream_place *place)
{
    if (place->fd >= 0)
        close(place->fd);
    place->fd = -1;
    if (place->inode && is_same(place->path, place->device, place->inode))
        unlink(place->path);
    place->inode = 0;
}

/*
 * Peers
 */

static void welcome_tcp(const jri_stream_place *place, int fd)
{
    int on = 1, idle = (int)place->keepalive, gap = KEEPALIVE_GAP_S, times = KEEPALIVE_TIMES;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* answers are written at once */
    if (!idle)
        return;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &gap, sizeof(gap));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof(times));
}

/* "127.0.0.1:1234", "[::1]:1234"; an IPv4 peer of a socket for both is shown as such. */
static void show_address(int fd, char *to)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);
    char host[JRI_STREAM_ADDRESS_SIZE - 16], port[8];
    static const char mapped[] = "::ffff:";

    if (getpeername(fd, (struct sockaddr *)&address, &len) ||
        getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV)) {
        *to = '\0';
        return;
    }
    bool is_mapped = !strncmp(host, mapped, strlen(mapped)) && strchr(host, '.');
    bool is_6 = address.ss_family == AF_INET6 && !is_mapped;
    snprintf(to, JRI_STREAM_ADDRESS_SIZE, "%s%s%s:%s", is_6 ? "[" : "",
             host + (is_mapped ? strlen(mapped) : 0), is_6 ? "]" : "", port);
}

void jri_stream_welcome(const jri_stream_place *place, int fd, char address[],
                        char identity[JRI_STREAM_ADDRESS_SIZE])
{
    struct ucred who;
    socklen_t len = sizeof(who);

    *identity = '\0';
    if (!place->is_unix) {
        welcome_tcp(place, fd);
        show_address(fd, address);
        return;
    }
    snprintf(address, JRI_STREAM_ADDRESS_SIZE, "%s", place->path);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0)
        snprintf(identity, JRI_STREAM_ADDRESS_SIZE, "uid=%u,gid=%u,pid=%d", (unsigned)who.uid,
                 (unsigned)who.gid, (int)who.pid);
}

uint32_t jri_stream_acknowledged(int fd)
{
    struct tcp_info info;
    socklen_t size = sizeof(info);

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) ||
        size < offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof(info.tcpi_bytes_acked))
        return 0;
    return (uint32_t)info.tcpi_bytes_acked;
}

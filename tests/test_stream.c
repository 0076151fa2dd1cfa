/* SPDX-License-Identifier: MIT */
/*
 * test_stream.c - where unix: and tcp: listen: URLs, socket files, ports
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <jrpc/jrpc.h>

#include "ask.h"
#include "stream_place.h"

static int run_ping(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_string(call, "pong");
}

static const jrpc_method methods[] = {JRPC_METHOD("ping", run_ping, NULL, NULL), JRPC_METHOD_END};

typedef struct place {
    jrpc_service *service;
    jrpc_server *server;
    char folder[FOLDER_SIZE], path[64], url[128]; /* of a socket in it */
} place;

static int open_place(void **state)
{
    place *at = calloc(1, sizeof(*at));

    assert_non_null(at);
    at->service = new_service(NULL, methods, NULL);
    assert_int_equal(jrpc_server_new(NULL, NULL, &at->server), 0);
    make_folder(at->folder);
    snprintf(at->path, sizeof(at->path), "%s/socket", at->folder);
    snprintf(at->url, sizeof(at->url), "unix:%s", at->path);
    *state = at;
    return 0;
}

static int close_place(void **state)
{
    place *at = *state;

    jrpc_server_free(at->server);
    jrpc_service_free(at->service);
    remove_folder(at->folder);
    free(at);
    return 0;
}

static jrpc_listener *listen_at(place *at, const char *url)
{
    jrpc_listener *listener = NULL;

    if (jrpc_server_listen(at->server, at->service, url, NULL, &listener))
        fail_msg("%s: %s", url, jrpc_server_problem(at->server)->text);
    return listener;
}

static void refuse_at(place *at, const char *url, int expected, int column, const char *why)
{
    int status = jrpc_server_listen(at->server, at->service, url, NULL, NULL);
    const jrpc_problem *problem = jrpc_server_problem(at->server);

    assert_non_null(problem);
    if (status != expected || problem->code != expected || problem->column != column ||
        strcmp(problem->text, why) != 0)
        fail_msg("%s: expected %d, column %d: %s\nbut got %d, column %d: %s", url, expected, column,
                 why, status, problem->column, problem->text);
}

/*
 * URLs
 */

#define LONG_PATH                                                                                  \
    "/2345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"    \
    "012345678901234567"
#define WANTS_PATH "expected a path, as in unix:/run/name.sock"

static void bad_urls_are_refused(void **state)
{
    static const struct {
        const char *url;
        int column;
        const char *why;
    } rows[] = {
        {"unix:", 6, WANTS_PATH ", or unix:@name"},
        {"unix:@", 6, WANTS_PATH ", or unix:@name"},
        {"unix:?mode=0600", 6, WANTS_PATH ", or unix:@name"},
        {"unix://run/a.sock", 6, WANTS_PATH},
        {"unix:" LONG_PATH "8", 6, "the path is longer than 107 bytes"},
        {"unix:/a?mode=9", 14, "mode: '9' is not a file mode, octal and at most 0777 (try 0600)"},
        {"unix:/a?mode=01777", 14,
         "mode: '01777' is not a file mode, octal and at most 0777 (try 0600)"},
        {"unix:@a?mode=0600", 0, "mode: an abstract socket has no permissions"},
        {"unix:/a?framing=lines", 17, "framing: 'lines' is not one of auto|line|header"},
        {"unix:/a?backlog=0", 17, "backlog: '0' is not a number from 1 to 65535"},
        {"unix:/a?backlog=65536", 17, "backlog: '65536' is not a number from 1 to 65535"},
        {"unix:/a?keepalive=1", 9, "unknown option 'keepalive'"},
        {"unix:/a?modes=0600", 9, "unknown option 'modes'; did you mean mode?"},
        {"unix:/a?message_max=1", 9, "option 'message_max' has no effect here"},
        {"tcp:", 5, "expected a host and a port, as in tcp://127.0.0.1:4000"},
        {"tcp:4000", 5, "expected a host and a port, as in tcp://127.0.0.1:4000"},
        {"tcp://127.0.0.1", 5, "expected a port; 0 for any that is free"},
        {"tcp://[::1]", 5, "expected a port; 0 for any that is free"},
        {"tcp://127.0.0.1:0/", 5, "tcp: has no path"},
        {"tcp://127.0.0.1:0/rpc", 5, "tcp: has no path"},
        {"tcp://127.0.0.1:0?keepalive=-1", 29, "keepalive: '-1' is not a number from 0 to 86400"},
        {"tcp://127.0.0.1:0?mode=0600", 19, "unknown option 'mode'"},
        {"tcp://127.0.0.1:0?framing=", 27, "framing: '' is not one of auto|line|header"},
    };
    place *at = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        refuse_at(at, rows[i].url, -EINVAL, rows[i].column, rows[i].why);
}

static void longest_path_is_taken(void **state)
{
    place *at = *state;
    char path[108], url[128];
    size_t len = strlen(at->folder);

    memset(path, 'x', sizeof(path));
    memcpy(path, at->folder, len);
    path[len] = '/';
    path[107] = '\0';
    snprintf(url, sizeof(url), "unix:%s", path);
    listen_at(at, url);
    int fd = connect_to(url);
    assert_true(fd >= 0);
    close(fd);
}

/*
 * Socket files
 */

static mode_t mode_of(const char *path)
{
    struct stat about;

    assert_int_equal(lstat(path, &about), 0);
    assert_true(S_ISSOCK(about.st_mode));
    return about.st_mode & 07777;
}

static void file_has_its_mode_whatever_the_umask(void **state)
{
    static const struct {
        const char *option;
        mode_t mode;
    } rows[] = {
        {"", 0600}, {"?mode=0600", 0600}, {"?mode=0", 0}, {"?mode=666", 0666}, {"?mode=0777", 0777},
    };
    static const mode_t masks[] = {0, 022, 077, 0777};
    place *at = *state;
    char url[160];

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        for (size_t k = 0; k < sizeof(masks) / sizeof(*masks); k++) {
            mode_t old = umask(masks[k]);
            snprintf(url, sizeof(url), "%s%s", at->url, rows[i].option);
            jrpc_listener *listener = listen_at(at, url);
            umask(old);
            assert_int_equal(mode_of(at->path), rows[i].mode);
            jrpc_listener_close(listener);
            assert_int_equal(access(at->path, F_OK), -1);
            assert_int_equal(errno, ENOENT);
        }
}

/* As a server leaves it that was killed. */
static void leave_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    close(fd);
}

static void stale_file_is_replaced(void **state)
{
    place *at = *state;

    leave_socket(at->path);
    assert_int_equal(connect_to(at->url), -1);
    listen_at(at, at->url);
    assert_int_equal(mode_of(at->path), 0600);
    int fd = connect_to(at->url);
    assert_true(fd >= 0);
    close(fd);
}

static void live_socket_is_left_alone(void **state)
{
    place *at = *state;
    char url[128];

    for (size_t i = 0; i < 2; i++) {
        snprintf(url, sizeof(url), "unix:%s%s", i ? "@" : "", i ? at->folder : at->path);
        listen_at(at, url);
        refuse_at(at, url, -EADDRINUSE, 0,
                  i ? "address already in use" : "address already in use: somebody listens there");
        int fd = connect_to(url);
        assert_true(fd >= 0);
        close(fd);
    }
}

enum { A_FILE, A_FOLDER, A_LINK, N_KINDS };

static void make_foreign(const place *at, int kind)
{
    char target[80];

    snprintf(target, sizeof(target), "%s/elsewhere", at->folder);
    if (kind == A_FOLDER)
        assert_int_equal(mkdir(at->path, 0700), 0);
    else if (kind == A_LINK)
        assert_int_equal(symlink(target, at->path), 0);
    else
        close(open(at->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}

static void foreign_file_is_kept(void **state)
{
    place *at = *state;
    struct stat before, after;

    for (int kind = 0; kind < N_KINDS; kind++) {
        make_foreign(at, kind);
        assert_int_equal(lstat(at->path, &before), 0);
        refuse_at(at, at->url, -EADDRINUSE, 0,
                  "address already in use: there is a file that is not a socket");
        assert_int_equal(lstat(at->path, &after), 0);
        assert_int_equal(after.st_ino, before.st_ino);
        assert_int_equal(remove(at->path), 0);
    }
}

static void file_of_another_is_not_removed(void **state)
{
    place *at = *state;

    for (int is_socket = 0; is_socket < 2; is_socket++) {
        jrpc_listener *listener = listen_at(at, at->url);
        char moved[80];
        snprintf(moved, sizeof(moved), "%s/moved", at->folder);
        assert_int_equal(rename(at->path, moved), 0); /* so that its number is not used again */
        if (is_socket)
            leave_socket(at->path);
        else
            make_foreign(at, A_FILE);
        jrpc_listener_close(listener);
        assert_int_equal(remove(at->path), 0);
        assert_int_equal(remove(moved), 0);
    }
}

static void missing_folder_is_told(void **state)
{
    place *at = *state;
    char url[160];

    snprintf(url, sizeof(url), "unix:%s/absent/socket", at->folder);
    refuse_at(at, url, -ENOENT, 0, "no such file or directory");
}

/*
 * Ports
 */

static void check_connects(const char *url)
{
    int fd = connect_to(url);

    if (fd < 0)
        fail_msg("%s: nobody listens", url);
    close(fd);
}

static unsigned port_of(const char *address, const char *prefix)
{
    unsigned port = 0;
    int len = 0;

    assert_memory_equal(address, prefix, strlen(prefix));
    assert_int_equal(sscanf(address + strlen(prefix), "%u%n", &port, &len), 1);
    assert_string_equal(address + strlen(prefix) + len, "");
    assert_in_range(port, 1, 65535);
    return port;
}

static void kernel_chooses_port_0_and_the_listener_tells(void **state)
{
    place *at = *state;
    char url[64];

    const char *address = jrpc_listener_address(listen_at(at, "tcp://127.0.0.1:0?backlog=5"));
    unsigned port = port_of(address, "tcp://127.0.0.1:");
    check_connects(address);
    refuse_at(at, address, -EADDRINUSE, 0, "address already in use");
    snprintf(url, sizeof(url), "tcp://localhost:%u", port);
    int status = jrpc_server_listen(at->server, at->service, url, NULL, NULL);
    assert_true(status == 0 || status == -EADDRINUSE); /* by its IPv6 address, or not */

    address = jrpc_listener_address(listen_at(at, "tcp://127.0.0.1:0?framing=header"));
    assert_non_null(strstr(address, "?framing=header"));
    check_connects(address);
}

static void all_interfaces_take_both_kinds(void **state)
{
    place *at = *state;
    char url[64];
    unsigned port = port_of(jrpc_listener_address(listen_at(at, "tcp://*:0")), "tcp://*:");
    int has_6 = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(url, sizeof(url), "tcp://127.0.0.1:%u", port);
    check_connects(url);
    if (has_6 < 0)
        return;
    close(has_6);
    snprintf(url, sizeof(url), "tcp://[::1]:%u", port);
    check_connects(url);
    check_connects(jrpc_listener_address(listen_at(at, "tcp://[::1]:0")));
}

static void unknown_host_is_told(void **state)
{
    place *at = *state;
    int status = jrpc_server_listen(at->server, at->service, "tcp://host.invalid:0", NULL, NULL);
    const jrpc_problem *problem = jrpc_server_problem(at->server);

    assert_int_equal(status, -EADDRNOTAVAIL);
    assert_memory_equal(problem->text, "address not available: ", 23);
    assert_string_equal(problem->source, "tcp://host.invalid:0");
    refuse_at(at, "tcp://192.0.2.1:0", -EADDRNOTAVAIL, 0, "address not available");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_place, close_place)
    static const struct CMUnitTest tests[] = {
        TEST(bad_urls_are_refused),
        TEST(longest_path_is_taken),
        TEST(file_has_its_mode_whatever_the_umask),
        TEST(stale_file_is_replaced),
        TEST(live_socket_is_left_alone),
        TEST(foreign_file_is_kept),
        TEST(file_of_another_is_not_removed),
        TEST(missing_folder_is_told),
        TEST(kernel_chooses_port_0_and_the_listener_tells),
        TEST(all_interfaces_take_both_kinds),
        TEST(unknown_host_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

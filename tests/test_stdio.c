/* SPDX-License-Identifier: MIT */
/*
 * test_stdio.c - a program on standard input and output: the guard, files, ends and signals
 *
 * Each case forks a program that calls jrpc_serve() and then prints "bye".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <jrpc/jrpc.h>

#include "ask.h"

enum { N_SIGNALS = 20, N_CALLS = 1000, PATIENCE_MS = 30000 };

#define CALL(method, params, id)                                                                   \
    "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":" params ",\"id\":" id "}"
#define RESULT(result, id) "{\"jsonrpc\":\"2.0\",\"result\":" result ",\"id\":" id "}"
#define LISTENING "listening on stdio:\n"
#define BAD                                                                                        \
    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,\"message\":\"Parse error\"},\"id\":null}"

/*
 * The program
 */

static int run_echo(jrpc_call *call, void *user)
{
    size_t len;
    const char *text = jrpc_arg_raw(call, 0, &len);

    (void)user;
    return jrpc_reply_raw(call, text, len);
}

static int run_print(jrpc_call *call, void *user)
{
    (void)user;
    printf("noise\n");
    fflush(stdout);
    int c = getchar(); /* nothing can be read either */
    clearerr(stdin);
    return jrpc_reply_integer(call, c);
}

/* Waits for a byte of the test's. */
static int run_block(jrpc_call *call, void *user)
{
    char byte;

    return read(*(int *)user, &byte, 1) == 1 ? jrpc_reply_string(call, "late") : -EIO;
}

static const jrpc_method methods[] = {
    JRPC_METHOD("echo", run_echo, "value: any", NULL),
    JRPC_METHOD("print", run_print, NULL, NULL),
    JRPC_METHOD_FLAGS("block", run_block, NULL, NULL, JRPC_BLOCKING, 0),
    JRPC_METHOD_END,
};

typedef struct program {
    pid_t pid;
    int err;     /* a file: its standard error */
    int trigger; /* lets a blocking call go */
} program;

static void start(program *out, int in_fd, int out_fd, const char *urls)
{
    int trigger[2];

    assert_int_equal(pipe2(trigger, O_CLOEXEC), 0);
    out->trigger = trigger[1];
    out->err = memfd_create("stderr", MFD_CLOEXEC);
    assert_true(out->err >= 0);
    fflush(NULL);
    out->pid = fork();
    assert_true(out->pid >= 0);
    if (out->pid) {
        close(trigger[0]);
        return;
    }
    dup2(in_fd, STDIN_FILENO);
    dup2(out_fd, STDOUT_FILENO);
    dup2(out->err, STDERR_FILENO);
    /* As after exec: nobody else's ends are held open. */
    dup2(trigger[0], 3);
    close_range(4, ~0u, 0);
    int control = 3;
    jrpc_service *service = new_service(NULL, methods, &control);
    int status = jrpc_serve(service, urls);
    jrpc_service_free(service);
    printf("bye\n");
    fflush(stdout);
    _exit(status ? 2 : 0);
}

/* Its exit status, and what it said on standard error. */
static int finish(program *from, char *said, size_t size)
{
    int status;

    assert_int_equal(waitpid(from->pid, &status, 0), from->pid);
    ssize_t n = pread(from->err, said, size - 1, 0);
    assert_true(n >= 0);
    said[n] = '\0';
    close(from->err);
    close(from->trigger);
    if (!WIFEXITED(status)) {
        print_error("ended by signal %d, having said: %s\n", WTERMSIG(status), said);
        return -1;
    }
    return WEXITSTATUS(status);
}

static void check_end(program *from, const char *expected_said)
{
    char said[4096];
    int status = finish(from, said, sizeof(said));

    assert_string_equal(said, expected_said);
    assert_int_equal(status, 0);
}

/* A file with this text, read from its start. */
static int file_of(const char *text)
{
    int fd = memfd_create("file", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

/* Everything up to the end, to be freed. */
static char *read_all(int fd)
{
    char *text = NULL;
    size_t len = 0, cap = 0;
    ssize_t n;

    do {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (cap - len < 4096) {
            cap = cap * 2 + 8192;
            text = realloc(text, cap);
            assert_non_null(text);
        }
        assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
        n = read(fd, text + len, cap - len - 1);
        len += n > 0 ? (size_t)n : 0;
    } while (n > 0);
    text[len] = '\0';
    return text;
}

static void make_pipe(int ends[2])
{
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
}

/*
 * What is sent and what comes back
 */

static const struct {
    const char *name, *sent, *expected, *said;
} rows[] = {
    {"lines", CALL("echo", "[1]", "1") "\n\r\n" CALL("echo", "[2]", "2") "\r\n",
     RESULT("1", "1") "\n" RESULT("2", "2") "\nbye\n", LISTENING},
    {"nothing", "", "bye\n", LISTENING},
    {"blank lines", "\n \n\r\n", "bye\n", LISTENING},
    {"an unterminated last line", CALL("echo", "[1]", "1"), RESULT("1", "1") "\nbye\n", LISTENING},
    {"headers", "Content-Length: 57\r\n\r\n" CALL("echo", "[\"abc\"]", "1"),
     "Content-Length: 39\r\n\r\n" RESULT("\"abc\"", "1") "bye\n", LISTENING},
    {"a broken header", "Content-Length: x\r\n\r\n" CALL("echo", "[1]", "1"), NULL, LISTENING},
    {"noise", CALL("print", "[]", "1") "\n", RESULT("-1", "1") "\nbye\n", LISTENING "noise\n"},
    {"no JSON", "hello\n" CALL("echo", "[1]", "1") "\n", BAD "\n" RESULT("1", "1") "\nbye\n",
     LISTENING},
};

enum { BY_PIPES, BY_FILES, BY_SOCKETS, N_WAYS };

static char *converse(const char *sent, int way, const char *said)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    program child;

    if (way == BY_FILES) {
        in[0] = file_of(sent);
        out[1] = file_of("");
        out[0] = dup(out[1]);
    } else if (way == BY_SOCKETS) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out), 0);
    } else {
        make_pipe(in);
        make_pipe(out);
    }
    start(&child, in[0], out[1], "stdio:");
    if (way != BY_FILES) {
        close(out[1]);
        assert_int_equal(write(in[1], sent, strlen(sent)), strlen(sent));
        close(in[1]);
    }
    char *text = way == BY_FILES ? NULL : read_all(out[0]);
    check_end(&child, said);
    if (way == BY_FILES) {
        lseek(out[0], 0, SEEK_SET);
        text = read_all(out[0]);
        close(out[1]);
    }
    /* What is shared with others is as it was. */
    assert_int_equal(fcntl(in[0], F_GETFL) & O_NONBLOCK, 0);
    close(in[0]);
    close(out[0]);
    return text;
}

static void messages_are_answered_by_any_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        for (int way = 0; way < N_WAYS; way++) {
            char *text = converse(rows[i].sent, way, rows[i].said);
            bool is_right = rows[i].expected
                                ? !strcmp(text, rows[i].expected)
                                : strstr(text, "\"error\"") && !strstr(text, "\"result\"");
            if (!is_right)
                fail_msg("%s, way %d: expected %s\nbut got %s", rows[i].name, way, rows[i].expected,
                         text);
            free(text);
        }
}

static void calls_in_flight_are_answered_after_the_end_of_input(void **state)
{
    int in = file_of(CALL("block", "[]", "1") "\n" CALL("echo", "[2]", "2") "\n"), out[2];
    program child;
    char first[128] = "";
    (void)state;

    make_pipe(out);
    start(&child, in, out[1], "stdio:");
    close(in);
    close(out[1]);
    assert_true(read(out[0], first, sizeof(first) - 1) > 0);
    assert_string_equal(first, RESULT("2", "2") "\n");
    assert_int_equal(write(child.trigger, "x", 1), 1);
    char *text = read_all(out[0]);
    assert_string_equal(text, RESULT("\"late\"", "1") "\nbye\n");
    free(text);
    check_end(&child, LISTENING);
    close(out[0]);
}

static void null_device_on_either_side_is_fine(void **state)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), out[2];
    int in = file_of(CALL("echo", "[1]", "1") "\n");
    program child;
    (void)state;

    make_pipe(out);
    start(&child, null, out[1], "stdio:");
    close(out[1]);
    char *text = read_all(out[0]);
    assert_string_equal(text, "bye\n");
    free(text);
    check_end(&child, LISTENING);
    start(&child, in, null, "stdio:");
    check_end(&child, LISTENING);
    close(null);
    close(out[0]);
    close(in);
}

static void closed_output_ends_quietly(void **state)
{
    int in[2], out[2];
    program child;
    (void)state;

    for (int has_input_end = 0; has_input_end < 2; has_input_end++) {
        make_pipe(in);
        make_pipe(out);
        start(&child, in[0], out[1], "stdio:");
        close(in[0]);
        close(out[1]);
        close(out[0]);
        const char *sent =
            has_input_end ? CALL("block", "[]", "1") "\n" : CALL("echo", "[1]", "1") "\n";
        assert_int_equal(write(in[1], sent, strlen(sent)), strlen(sent));
        if (has_input_end) {
            close(in[1]); /* nobody sends, nobody reads: its call is cancelled */
            assert_int_equal(write(child.trigger, "x", 1), 1);
        }
        check_end(&child, LISTENING);
        if (!has_input_end)
            close(in[1]);
    }
}

static void missing_descriptor_is_told_in_one_line(void **state)
{
    program child;
    char said[1024];
    (void)state;

    start(&child, STDIN_FILENO, STDOUT_FILENO, "fd:77,78");
    assert_int_equal(finish(&child, said, sizeof(said)), 2);
    assert_string_equal(said, "fd:77,78: the input descriptor: bad file descriptor\n");
}

static void second_stdio_is_refused(void **state)
{
    static const char *const urls[] = {"stdio: stdio:", "stdio:?guard=no stdio:?guard=no"};
    int in[2], out[2];
    program child;
    char said[1024];
    (void)state;

    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        make_pipe(in);
        make_pipe(out);
        start(&child, in[0], out[1], urls[i]);
        assert_int_equal(finish(&child, said, sizeof(said)), 2);
        assert_non_null(strstr(said, "standard input and output are in use already, by another "
                                     "stdio: of this process\n"));
        for (int k = 0; k < 2; k++) {
            close(in[k]);
            close(out[k]);
        }
    }
}

/* Every answer that was begun is whole, in order and without a gap. */
static size_t count_answers(const char *text)
{
    size_t n = 0;
    char expected[128];

    while (*text && strcmp(text, "bye\n")) {
        int len = snprintf(expected, sizeof(expected), RESULT("%zu", "%zu") "\n", n, n);
        if (strncmp(text, expected, (size_t)len)) {
            assert_non_null(strstr(text, "-32000")); /* the rest came too late */
            for (; *text && strcmp(text, "bye\n"); text = strchr(text, '\n') + 1)
                assert_non_null(strchr(text, '\n'));
            break;
        }
        text += len;
        n++;
    }
    assert_string_equal(text, "bye\n");
    return n;
}

static void signal_in_the_middle_tears_no_answer(void **state)
{
    char *sent = malloc(N_CALLS * 80 + 1), *at = sent;
    (void)state;

    assert_non_null(sent);
    for (int i = 0; i < N_CALLS; i++)
        at += sprintf(at, CALL("echo", "[%d]", "%d") "\n", i, i);
    for (int i = 0; i < N_SIGNALS; i++) {
        int in[2], out[2];
        program child;
        char first;
        make_pipe(in);
        make_pipe(out);
        fcntl(in[1], F_SETPIPE_SZ, 1 << 18);
        start(&child, in[0], out[1], "stdio:");
        close(in[0]);
        close(out[1]);
        assert_int_equal(write(in[1], sent, (size_t)(at - sent)), at - sent);
        assert_int_equal(read(out[0], &first, 1), 1);
        kill(child.pid, SIGTERM);
        char *text = read_all(out[0]), *whole = NULL;
        assert_true(asprintf(&whole, "%c%s", first, text) > 0);
        assert_true(count_answers(whole) > 0);
        free(text);
        free(whole);
        check_end(&child, LISTENING);
        close(in[1]);
        close(out[0]);
    }
    free(sent);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_answered_by_any_way),
        cmocka_unit_test(calls_in_flight_are_answered_after_the_end_of_input),
        cmocka_unit_test(null_device_on_either_side_is_fine),
        cmocka_unit_test(closed_output_ends_quietly),
        cmocka_unit_test(missing_descriptor_is_told_in_one_line),
        cmocka_unit_test(second_stdio_is_refused),
        cmocka_unit_test(signal_in_the_middle_tears_no_answer),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

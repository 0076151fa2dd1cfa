/* SPDX-License-Identifier: MIT */
/*
 * demo.c - the demo service on whatever endpoints the command line asks for
 *
 *     demo [--listen URL]... [--stdio] [--set OPTION=VALUE]... [--config FILE]
 *
 * What jrpc_serve() does, done by hand: with options from files, environment and command line, and
 * with the loop, on which two of the methods wait. Its methods are in demo_service.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include <jrpc/jrpc.h>

#include "demo_service.h"

enum { BAD_USAGE = 2 };

#define PING "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1}"

/* Where it listens if it is not told: those of them that this build has; and how to call it there.
 */
static const struct {
    const char *url, *hint;
} defaults[] = {
    {"http://127.0.0.1:5000",
     "  in a browser:  http://127.0.0.1:5000/\n"
     "  curl http://127.0.0.1:5000/ -H 'Content-Type: application/json' -d '" PING "'\n"
     "  python3 -m websockets ws://127.0.0.1:5000/    then type  " PING},
    {"zmq+tcp://127.0.0.1:5555", "  python3 -c 'import zmq; s = zmq.Context().socket(zmq.REQ); "
                                 "s.connect(\"tcp://127.0.0.1:5555\"); s.send(b\"\"\"" PING
                                 "\"\"\"); print(s.recv().decode())'"},
    {"unix:/tmp/jrpc-demo.sock", "  echo '" PING "' | socat - UNIX-CONNECT:/tmp/jrpc-demo.sock"},
};
enum { N_DEFAULTS = sizeof(defaults) / sizeof(defaults[0]) };

struct demo {
    jrpc_options *options;
    const char **urls; /* as given */
    size_t n_urls;
    jrpc_server *server;
    jrpc_service *service;
    uv_signal_t interrupt, terminate;
};

/*
 * The command line
 */

static void print_help(void)
{
    fputs(
        "Usage: demo [--listen URL]... [--stdio] [--set OPTION=VALUE]... [--config FILE]\n"
        "\n"
        "Serves the demo's methods by JSON-RPC 2.0 until SIGINT, SIGTERM or, on stdin and\n"
        "stdout, the end of input. A second signal quits at once.\n"
        "\n"
        "  --listen URL        listen there; may be given several times\n"
        "  --stdio             the same as --listen stdio:, requests on stdin, answers on stdout\n"
        "  --set OPTION=VALUE  set an option or a limit, see below; goes before file and\n"
        "                      environment (JRPC_ and the option's name in capitals)\n"
        "  --config FILE       read options there, not in ~/.jsonrpcserverrc and\n"
        "                      ./.jsonrpcserverrc\n"
        "  -h, --help, --version\n"
        "\n"
        "Without --listen and --stdio it listens on those of these that this build has:\n",
        stdout);
    for (size_t i = 0; i < N_DEFAULTS; i++)
        printf("  %s\n", defaults[i].url);

    puts("\nOptions and their defaults:");
#define FLAG(name, value, help) printf("  %-22s %-10s %s\n", #name, (value) ? "yes" : "no", help);
#define SIZE(name, value, max, unit, help) printf("  %-22s %-10lld %s\n", #name, value##LL, help);
#define TIME(name, value, help) printf("  %-22s %-10d %s\n", #name, value, help);
    JRPC_OPTIONS(FLAG, SIZE, TIME)
}

/* One line: what is wrong, and where. */
static void print_problem(const char *what, const jrpc_problem *problem, int status)
{
    if (!problem)
        fprintf(stderr, "demo: %s: %s\n", what, strerror(-status));
    else if (problem->line)
        fprintf(stderr, "demo: %s:%d: %s\n", problem->source, problem->line, problem->text);
    else if (problem->column)
        fprintf(stderr, "demo: %s: column %d: %s\n", problem->source, problem->column,
                problem->text);
    else
        fprintf(stderr, "demo: %s: %s\n", *problem->source ? problem->source : what, problem->text);
}

static int set_option(jrpc_options *options, const char *assignment)
{
    char name[64];
    const char *equals = strchr(assignment, '=');
    size_t len = equals ? (size_t)(equals - assignment) : 0;

    if (!len || len >= sizeof(name)) {
        fprintf(stderr, "demo: --set %s: expected OPTION=VALUE\n", assignment);
        return -EINVAL;
    }
    memcpy(name, assignment, len);
    name[len] = '\0';
    int status = jrpc_options_set(options, name, equals + 1);
    if (status)
        print_problem("--set", jrpc_options_problem(options), status);
    return status;
}

/* A file that cannot be read is fatal if it was asked for; a bad line in one is not. */
static int load_options(jrpc_options *options, const char *path)
{
    int status = jrpc_options_load(options, path);
    const jrpc_problem *problem = jrpc_options_problem(options);

    if (status || problem)
        print_problem(path ? path : "configuration", problem, status);
    return status;
}

static int read_arguments(struct demo *demo, int argc, char **argv)
{
    static const struct option known[] = {
        {"listen", required_argument, NULL, 'l'},
        {"stdio", no_argument, NULL, 'i'},
        {"set", required_argument, NULL, 's'},
        {"config", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    const char *config = NULL;
    int option, status = 0;

    while (!status && (option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case 'l':
        case 'i':
            demo->urls[demo->n_urls++] = option == 'i' ? "stdio:" : optarg;
            break;
        case 's':
            status = set_option(demo->options, optarg);
            break;
        case 'c':
            config = optarg;
            break;
        case 'h':
            print_help();
            exit(EXIT_SUCCESS);
        case 'v':
            printf("demo %u.%u.%u\n", jrpc_version() / 10000, jrpc_version() / 100 % 100,
                   jrpc_version() % 100);
            exit(EXIT_SUCCESS);
        default: /* getopt has said why */
            fputs("demo: see --help\n", stderr);
            return -EINVAL;
        }
    }
    if (!status && optind < argc) {
        fprintf(stderr, "demo: unexpected argument '%s'; see --help\n", argv[optind]);
        return -EINVAL;
    }
    return status ? status : load_options(demo->options, config);
}

/*
 * The server
 */

static int listen_on(struct demo *demo, const char *url)
{
    jrpc_listener *listener;

    int status =
        jrpc_server_listen(demo->server, demo->service, url, /* options */ NULL, &listener);
    if (!status)
        fprintf(stderr, "listening on %s\n", jrpc_listener_address(listener));
    return status;
}

static int listen_on_given(struct demo *demo)
{
    int status = 0;

    for (size_t i = 0; i < demo->n_urls && !status; i++) {
        status = listen_on(demo, demo->urls[i]);
        if (status)
            print_problem(demo->urls[i], jrpc_server_problem(demo->server), status);
    }
    return status;
}

static int listen_on_defaults(struct demo *demo)
{
    size_t n_listening = 0;

    for (size_t i = 0; i < N_DEFAULTS; i++) {
        int status = listen_on(demo, defaults[i].url);
        if (status && status != -ENOTSUP) {
            print_problem(defaults[i].url, jrpc_server_problem(demo->server), status);
            return status;
        }
        if (!status)
            fprintf(stderr, "%s\n", defaults[i].hint);
        n_listening += !status;
    }
    if (n_listening)
        return 0;
    fputs("demo: this build listens on stdio: and fd:IN,OUT only; try demo --stdio\n", stderr);
    return -ENOTSUP;
}

/* The first asks, the second means it. */
static void signalled(uv_signal_t *handle, int number)
{
    struct demo *demo = handle->data;

    if (jrpc_server_stop(demo->server, /* stopped */ NULL, /* user */ NULL) == -EALREADY)
        _Exit(128 + number);
}

static void watch_signal(struct demo *demo, uv_signal_t *handle, int number)
{
    uv_signal_init(jrpc_server_loop(demo->server), handle);
    handle->data = demo;
    uv_signal_start(handle, signalled, number);
    uv_unref((uv_handle_t *)handle);
}

/* Signals are watched before it says that it listens: whoever reads that may send one. */
static int serve(struct demo *demo)
{
    watch_signal(demo, &demo->interrupt, SIGINT);
    watch_signal(demo, &demo->terminate, SIGTERM);
    int status = demo->n_urls ? listen_on_given(demo) : listen_on_defaults(demo);
    if (!status)
        status = jrpc_server_run(demo->server);
    uv_close((uv_handle_t *)&demo->interrupt, NULL);
    uv_close((uv_handle_t *)&demo->terminate, NULL);
    if (!status) /* else jrpc_server_free() runs the loop */
        uv_run(jrpc_server_loop(demo->server), UV_RUN_NOWAIT);
    return status;
}

static int set_up(struct demo *demo)
{
    int status = jrpc_server_new(demo->options, /* loop */ NULL, &demo->server);
    if (!status)
        status = jrpc_service_new(demo->options, &demo->service);
    if (!status)
        status = jrpc_service_set_info(demo->service, "jrpc demo", "1.0.0",
                                       "Methods to try a client with.");
    if (!status)
        status = demo_service_add(demo->service, jrpc_server_loop(demo->server));
    if (status)
        print_problem("cannot start", demo->service ? jrpc_service_problem(demo->service) : NULL,
                      status);
    return status;
}

/* Started without one of them, another file would get its number and be written to. */
static void open_missing_fds(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
            _Exit(BAD_USAGE);
}

int main(int argc, char **argv)
{
    struct demo demo = {.urls = calloc((size_t)argc, sizeof(char *))}; /* one each, at most */
    int status = demo.urls ? jrpc_options_new(&demo.options) : -ENOMEM;

    open_missing_fds();
    signal(SIGPIPE, SIG_IGN);
    if (!status)
        status = read_arguments(&demo, argc, argv);
    if (!status)
        status = set_up(&demo);
    if (!status)
        status = serve(&demo);

    jrpc_server_free(demo.server);
    jrpc_service_free(demo.service);
    jrpc_options_free(demo.options);
    free(demo.urls);
    return status ? BAD_USAGE : EXIT_SUCCESS;
}

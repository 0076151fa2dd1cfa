/* SPDX-License-Identifier: MIT */
/*
 * zmq_curve.c - an endpoint's CURVE options, and a socket set up by them
 *
 * A socket with keys but without clients= would let in everybody who knows its public key, which is
 * no secret; so that has to be said: clients=any.
 */
#define _GNU_SOURCE
#include "zmq_curve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "zmq_zap.h"

/* ZAP_ENFORCE_DOMAIN: libzmq 4.3 has the option, but names it only among its drafts. */
enum { PATH_SHOWN = 96, ZAP_ENFORCE_DOMAIN = 93 };

struct jri_zmq_curve {
    jri_zmq_certificate own, broker; /* broker: of a client */
    bool is_client;
    jri_zmq_clients *clients; /* of a server */
    jri_zmq_zap *zap;
};

typedef struct options {
    const char *key, *clients, *server;
    bool is_connecting;
} options;

static int column_of(const jrpc_url *url, const char *name)
{
    for (size_t i = 0; i < url->n_options; i++)
        if (!strcmp(url->options[i].name, name))
            return url->options[i].column;
    return 0;
}

static int refuse(const jrpc_url *url, const char *name, const char *why, jrpc_problem *problem)
{
    return jrpc_url_fault(url, column_of(url, name), problem, "%s: %s", name, why);
}

/* The same about a file. Of a long name the end is shown. */
static int refuse_file(const jrpc_url *url, const char *name, const char *file, const char *why,
                       jrpc_problem *problem)
{
    size_t len = strlen(file);
    bool is_cut = len > PATH_SHOWN;

    return jrpc_url_fault(url, column_of(url, name), problem, "%s: %s%s: %s", name,
                          is_cut ? "..." : "", is_cut ? file + len - PATH_SHOWN : file, why);
}

static int take_options(const jrpc_url *url, options *out, jrpc_problem *problem)
{
    int status = jrpc_url_string(url, "curve_key", &out->key, problem);

    if (!status)
        status = jrpc_url_string(url, "clients", &out->clients, problem);
    if (!status)
        status = jrpc_url_string(url, "server_key", &out->server, problem);
    if (!status)
        status = jrpc_url_boolean(url, "connect", &out->is_connecting, problem);
    return status;
}

static int check_options(const jrpc_url *url, const options *given, jrpc_problem *problem)
{
    if (given->clients && !given->key)
        return refuse(url, "clients", "it needs curve_key=FILE, the server's certificate", problem);
    if (given->server && !given->key)
        return refuse(url, "server_key", "it needs curve_key=FILE, a certificate of our own",
                      problem);
    if (!strcmp(url->scheme, "zmq+inproc"))
        return refuse(url, "curve_key", "inproc has no CURVE: both ends are in this process",
                      problem);
    if (given->is_connecting && given->clients)
        return refuse(url, "clients", "with connect=1 it is the broker who knows clients", problem);
    if (given->is_connecting && !given->server)
        return refuse(url, "curve_key",
                      "with connect=1 it needs server_key=FILE, the broker's public certificate",
                      problem);
    if (!given->is_connecting && given->server)
        return refuse(url, "server_key", "it is for connect=1", problem);
    if (!given->is_connecting && !given->clients)
        return refuse(url, "curve_key",
                      "it needs clients=DIR, the folder of the clients' public certificates, or "
                      "clients=any",
                      problem);
    if (!zmq_has("curve"))
        return refuse(url, "curve_key", "this libzmq was built without CURVE", problem);
    return 0;
}

/* The problem says -EINVAL by itself; the caller learns more. */
static int fail(int status, jrpc_problem *problem)
{
    if (problem)
        problem->code = status;
    return status;
}

/* FILE means FILE_secret where there is one, as for all who make these certificates. */
static int read_own(const jrpc_url *url, const char *file, jri_zmq_certificate *out,
                    jrpc_problem *problem)
{
    static const char tail[] = "_secret";
    size_t len = strlen(file);
    char *secret = malloc(len + sizeof(tail));
    const char *why, *read = secret;

    if (!secret)
        return -ENOMEM;
    memcpy(secret, file, len);
    memcpy(secret + len, tail, sizeof(tail));
    int status = jri_zmq_certificate_read(AT_FDCWD, secret, /* is_secret */ true, out, &why);
    if (status == -ENOENT || status == -ENAMETOOLONG) {
        read = file;
        status = jri_zmq_certificate_read(AT_FDCWD, file, /* is_secret */ true, out, &why);
    }
    if (status && status != -ENOMEM) {
        refuse_file(url, "curve_key", read, why, problem);
        fail(status, problem);
    }
    free(secret);
    return status;
}

static int read_broker(const jrpc_url *url, const char *file, jri_zmq_certificate *out,
                       jrpc_problem *problem)
{
    const char *why;
    int status = jri_zmq_certificate_read(AT_FDCWD, file, /* is_secret */ false, out, &why);

    if (status && status != -ENOMEM) {
        refuse_file(url, "server_key", file, why, problem);
        fail(status, problem);
    }
    return status;
}

static int open_clients(const jrpc_url *url, const char *folder, jri_zmq_clients **out,
                        jrpc_problem *problem)
{
    bool is_any = !strcmp(folder, "any");
    int status = jri_zmq_clients_new(is_any ? NULL : folder, out);

    if (status && status != -ENOMEM) {
        refuse_file(url, "clients", folder, uv_strerror(status), problem);
        fail(status, problem);
    }
    return status;
}

int jri_zmq_curve_open(const jrpc_url *url, jrpc_problem *problem, jri_zmq_curve **out)
{
    options given = {0};
    int status = take_options(url, &given, problem);

    if (status)
        return status;
    if (!given.key && !given.clients && !given.server) {
        *out = NULL;
        return 0;
    }
    status = check_options(url, &given, problem);
    if (status)
        return status;

    jri_zmq_curve *curve = calloc(1, sizeof(*curve));
    if (!curve)
        return -ENOMEM;
    curve->is_client = given.is_connecting;
    status = read_own(url, given.key, &curve->own, problem);
    if (!status)
        status = curve->is_client ? read_broker(url, given.server, &curve->broker, problem)
                                  : open_clients(url, given.clients, &curve->clients, problem);
    if (status)
        jri_zmq_curve_free(curve);
    else
        *out = curve;
    return status;
}

static int set_key(void *socket, int option, const char *key)
{
    return zmq_setsockopt(socket, option, key, JRI_ZMQ_KEY_SIZE - 1) ? -errno : 0;
}

static int set_flag(void *socket, int option)
{
    const int yes = 1;

    return zmq_setsockopt(socket, option, &yes, sizeof(yes)) ? -errno : 0;
}

static int apply_client(const jri_zmq_curve *curve, void *socket)
{
    int status = set_key(socket, ZMQ_CURVE_SERVERKEY, curve->broker.public_key);

    if (!status)
        status = set_key(socket, ZMQ_CURVE_PUBLICKEY, curve->own.public_key);
    return status ? status : set_key(socket, ZMQ_CURVE_SECRETKEY, curve->own.secret_key);
}

static int apply_server(const jri_zmq_curve *curve, void *socket)
{
    const char *domain = jri_zmq_zap_domain(curve->zap);
    int status = set_flag(socket, ZMQ_CURVE_SERVER);

    if (!status)
        status = set_key(socket, ZMQ_CURVE_SECRETKEY, curve->own.secret_key);
    if (!status && zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, domain, strlen(domain)))
        status = -errno;
    /* Without it, whoever comes while there is no handler is let in. */
    return status ? status : set_flag(socket, ZAP_ENFORCE_DOMAIN);
}

int jri_zmq_curve_apply(jri_zmq_curve *curve, void *context, void *socket, jrpc_problem *problem)
{
    const char *what = "CURVE";
    int status;

    if (!curve)
        return 0;
    if (curve->is_client) {
        status = apply_client(curve, socket);
    } else {
        status = curve->zap ? -EALREADY : jri_zmq_zap_add(context, curve->clients, &curve->zap);
        if (status == -EADDRINUSE)
            what = "the application has a ZAP handler of its own in this context";
        if (!status)
            status = apply_server(curve, socket);
    }
    if (status && problem) {
        problem->code = status;
        snprintf(problem->text, sizeof(problem->text), "%s: %s", what, uv_strerror(status));
    }
    return status;
}

const char *jri_zmq_curve_identity(const jri_zmq_curve *curve, zmq_msg_t *message)
{
    if (!curve)
        return NULL;
    if (!curve->is_client)
        return zmq_msg_gets(message, "User-Id");
    return *curve->broker.name ? curve->broker.name : curve->broker.public_key;
}

bool jri_zmq_curve_report(jri_zmq_curve *curve, char *to, size_t size)
{
    return curve && curve->clients && jri_zmq_clients_report(curve->clients, to, size);
}

void jri_zmq_curve_free(jri_zmq_curve *curve)
{
    if (!curve)
        return;
    jri_zmq_zap_remove(curve->zap);
    jri_zmq_clients_free(curve->clients);
    jri_zmq_certificate_wipe(&curve->own);
    free(curve);
}

/* SPDX-License-Identifier: MIT */
/*
 * curve_certificate.c - makes a certificate for zmq+…: endpoints with CURVE
 *
 *     curve_certificate NAME FILE
 *
 * FILE is public, to be given to the other side. FILE_secret has the secret key, too, and is for
 * its owner's eyes alone. NAME is what a server calls the client. Files that exist already stay.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

enum { KEY_SIZE = 41, NAME_MAX_LEN = 255 };

static int fail(const char *file, int error)
{
    fprintf(stderr, "curve_certificate: %s: %s\n", file, strerror(error));
    return 1;
}

/* Nobody else may read a secret, not even until its mode is changed. secret NULL: none. */
static int write_certificate(const char *file, const char *name, const char *public_key,
                             const char *secret_key)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, secret_key ? 0600 : 0644);
    FILE *to = fd < 0 ? NULL : fdopen(fd, "w");

    if (!to)
        return fail(file, errno);
    fprintf(to, "#   ZeroMQ CURVE %s Certificate\n", secret_key ? "**Secret**" : "Public");
    if (secret_key)
        fprintf(to, "#   Do not give this file to others, nor change its permissions.\n");
    fprintf(to, "\nmetadata\n    name = \"%s\"\ncurve\n    public-key = \"%s\"\n", name,
            public_key);
    if (secret_key)
        fprintf(to, "    secret-key = \"%s\"\n", secret_key);
    int is_bad = ferror(to);
    if (fclose(to) || is_bad) {
        int error = errno;
        unlink(file);
        return fail(file, error);
    }
    return 0;
}

/* What a certificate can hold. */
static int is_name(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < ' ' || name[i] == 0x7f || name[i] == '"')
            return 0;
    return len > 0 && len <= NAME_MAX_LEN;
}

int main(int argc, char **argv)
{
    char public_key[KEY_SIZE], secret_key[KEY_SIZE];
    char *secret_file;

    if (argc != 3 || !is_name(argv[1])) {
        fprintf(stderr, "Usage: curve_certificate NAME FILE\n"
                        "Makes FILE, public, and FILE_secret. NAME: up to 255 bytes, no quotes\n");
        return 2;
    }
    if (zmq_curve_keypair(public_key, secret_key))
        return fail("libzmq", errno);
    if (asprintf(&secret_file, "%s_secret", argv[2]) < 0)
        return fail(argv[2], ENOMEM);

    int status = write_certificate(secret_file, argv[1], public_key, secret_key);
    if (!status) {
        status = write_certificate(argv[2], argv[1], public_key, /* secret_key */ NULL);
        if (status)
            unlink(secret_file);
    }
    explicit_bzero(secret_key, sizeof(secret_key));
    if (!status)
        printf("%s is public, %s is secret\n", argv[2], secret_file);
    free(secret_file);
    return status;
}

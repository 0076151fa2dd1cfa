/* SPDX-License-Identifier: MIT */
/*
 * zmq_certificates.h - CURVE certificates in a temporary folder, the current one meanwhile
 *
 * Include after cmocka.h.
 */
#ifndef TEST_ZMQ_CERTIFICATES_H
#define TEST_ZMQ_CERTIFICATES_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zmq.h>

typedef struct keys {
    char public_key[41], secret_key[41];
} keys;

static inline keys make_keys(void)
{
    keys made;

    assert_int_equal(zmq_curve_keypair(made.public_key, made.secret_key), 0);
    return made;
}

static inline void write_file(const char *path, mode_t mode, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

/* As czmq writes them. name NULL: none. */
static inline void write_public(const char *path, const char *name, const keys *pair)
{
    char text[512];

    snprintf(text, sizeof(text),
             "#   ZeroMQ CURVE Public Certificate\n\nmetadata\n%s%s%s"
             "curve\n    public-key = \"%s\"\n",
             name ? "    name = \"" : "", name ? name : "", name ? "\"\n" : "", pair->public_key);
    write_file(path, 0644, text);
}

static inline void write_secret(const char *path, const keys *pair)
{
    char text[512];

    snprintf(text, sizeof(text), "curve\n    public-key = \"%s\"\n    secret-key = \"%s\"\n",
             pair->public_key, pair->secret_key);
    write_file(path, 0600, text);
}

static inline void enter_folder(char path[64])
{
    snprintf(path, 64, "/tmp/jrpc-curve-XXXXXX");
    assert_non_null(mkdtemp(path));
    assert_int_equal(chdir(path), 0);
}

static inline int remove_one(const char *path, const struct stat *about, int kind, struct FTW *at)
{
    (void)about;
    (void)kind;
    (void)at;
    return remove(path);
}

static inline void leave_folder(const char *path)
{
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * zmq_certificate.h - one CURVE certificate: a file with a key, or with a pair of them
 *
 * The format is that of czmq's zcert and of pyzmq's zmq.auth: ZPL (https://rfc.zeromq.org/spec/4),
 * of which three lines count:
 *
 *     metadata
 *         name = "alice"
 *     curve
 *         public-key = "…"        40 characters of Z85
 *         secret-key = "…"        only in NAME_secret
 *
 * czmq's own reader is not used: it aborts without memory, prints lines that it cannot read, those
 * of secret keys too, and takes a key that is no Z85 for another key.
 */
#ifndef JRI_ZMQ_CERTIFICATE_H
#define JRI_ZMQ_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>

enum {
    JRI_ZMQ_KEY_SIZE = 41,    /* Z85 and a NUL */
    JRI_ZMQ_NAME_SIZE = 256,  /* and a NUL: what ZAP may tell of a user */
    JRI_ZMQ_FILE_MAX = 65536, /* a certificate has some 400 bytes */
};

/* secret_key and name are "" if there is none. */
typedef struct jri_zmq_certificate {
    char public_key[JRI_ZMQ_KEY_SIZE], secret_key[JRI_ZMQ_KEY_SIZE], name[JRI_ZMQ_NAME_SIZE];
} jri_zmq_certificate;

/**
 * jri_zmq_certificate_parse() - read the text of a certificate
 * @out:  on failure cleared
 * @why:  on failure the reason, static
 *
 * Return: 0; -EBADMSG.
 */
int jri_zmq_certificate_parse(const char *text, size_t len, jri_zmq_certificate *out,
                              const char **why);

/**
 * jri_zmq_certificate_read() - read a file
 * @folder:     descriptor of the folder that @path is relative to, or AT_FDCWD
 * @is_secret:  it must have a secret key, too, and be its owner's alone
 *
 * Return: 0; -EBADMSG it is none; -EPERM others can read it; -ENOMEM; what reading gives.
 */
int jri_zmq_certificate_read(int folder, const char *path, bool is_secret, jri_zmq_certificate *out,
                             const char **why);

/* No trace of the keys stays in memory. */
void jri_zmq_certificate_wipe(jri_zmq_certificate *certificate);

#endif

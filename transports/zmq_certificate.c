/* SPDX-License-Identifier: MIT */
/*
 * zmq_certificate.c - reading CURVE certificates
 *
 * Which of them are trusted is left to others.
 */
#define _GNU_SOURCE
#include "zmq_certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uv.h>
#include <zmq.h>

#include "../core/json_write.h"

/* Items stand this far to the right of their section. */
enum { INDENT = 4, KEY_BYTES = 32 };

/* A run of bytes inside the text. */
typedef struct slice {
    const char *start;
    size_t len;
} slice;

typedef struct line {
    size_t indent;
    slice name, value; /* a line without "=" has an empty value */
} line;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static slice trim(slice text)
{
    while (text.len && is_blank(text.start[0])) {
        text.start++;
        text.len--;
    }
    while (text.len && is_blank(text.start[text.len - 1]))
        text.len--;
    return text;
}

static slice cut_at(slice text, char c)
{
    const char *found = text.len ? memchr(text.start, c, text.len) : NULL;

    if (found)
        text.len = (size_t)(found - text.start);
    return text;
}

/* What is quoted ends at the quote, what is not at a comment. */
static slice unquote(slice text)
{
    text = trim(text);
    if (!text.len || (text.start[0] != '"' && text.start[0] != '\''))
        return trim(cut_at(text, '#'));
    return cut_at((slice){text.start + 1, text.len - 1}, text.start[0]);
}

/* The next line, *text moved behind it. */
static line next_line(slice *text)
{
    slice whole = cut_at(*text, '\n');
    line out = {0};

    text->start += whole.len;
    text->len -= whole.len;
    if (text->len) {
        text->start++;
        text->len--;
    }
    while (out.indent < whole.len && whole.start[out.indent] == ' ')
        out.indent++;
    slice name = cut_at(cut_at(whole, '='), '#');
    out.name = trim(name);
    if (name.len < whole.len && name.start[name.len] == '=')
        out.value = unquote((slice){name.start + name.len + 1, whole.len - name.len - 1});
    return out;
}

static bool is_word(slice text, const char *word)
{
    return text.len == strlen(word) && !memcmp(text.start, word, text.len);
}

/* An item of a section; as with all that read this format, the first of its name. */
static bool find(slice text, const char *section, const char *name, slice *out)
{
    bool is_inside = false;

    while (text.len) {
        line at = next_line(&text);
        if (!at.name.len)
            continue;
        if (!at.indent)
            is_inside = is_word(at.name, section);
        else if (is_inside && at.indent == INDENT && is_word(at.name, name)) {
            *out = at.value;
            return true;
        }
    }
    return false;
}

static bool read_key(slice text, char to[JRI_ZMQ_KEY_SIZE])
{
    uint8_t bytes[KEY_BYTES];

    if (text.len != JRI_ZMQ_KEY_SIZE - 1 || memchr(text.start, 0, text.len))
        return false;
    memcpy(to, text.start, text.len);
    to[text.len] = 0;
    bool is_key = zmq_z85_decode(bytes, to);
    explicit_bzero(bytes, sizeof(bytes));
    return is_key;
}

static bool is_pair(const jri_zmq_certificate *certificate)
{
    char public_key[JRI_ZMQ_KEY_SIZE];

    return !zmq_curve_public(public_key, certificate->secret_key) &&
           !strcmp(public_key, certificate->public_key);
}

/* A name is shown, logged and compared: what would not survive that is none. */
static bool read_name(slice text, char to[JRI_ZMQ_NAME_SIZE])
{
    if (text.len >= JRI_ZMQ_NAME_SIZE)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.start[i] < ' ' || text.start[i] == 0x7f)
            return false;
    if (jri_utf8_check(text.start, text.len) != text.len)
        return false;
    memcpy(to, text.start, text.len);
    to[text.len] = 0;
    return true;
}

static const char *parse(slice text, jri_zmq_certificate *out)
{
    slice value;

    if (!find(text, "curve", "public-key", &value))
        return "not a certificate: it has no public-key";
    if (!read_key(value, out->public_key))
        return "its public-key is not 40 characters of Z85";
    if (find(text, "curve", "secret-key", &value)) {
        if (!read_key(value, out->secret_key))
            return "its secret-key is not 40 characters of Z85";
        if (!is_pair(out))
            return "its public-key and secret-key do not belong together";
    }
    if (find(text, "metadata", "name", &value) && value.len && !read_name(value, out->name))
        return "its name is longer than 255 bytes, not UTF-8, or has control characters";
    return NULL;
}

int jri_zmq_certificate_parse(const char *text, size_t len, jri_zmq_certificate *out,
                              const char **why)
{
    *out = (jri_zmq_certificate){0};
    const char *fault = parse((slice){text, len}, out);
    if (!fault)
        return 0;
    jri_zmq_certificate_wipe(out);
    *why = fault;
    return -EBADMSG;
}

/* So many bytes, or fewer at the end of the file; negative errno. */
static ssize_t read_all(int fd, char *to, size_t max)
{
    size_t len = 0;

    while (len < max) {
        ssize_t n = read(fd, to + len, max - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (!n)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

static int read_file(int fd, bool is_secret, jri_zmq_certificate *out, const char **why)
{
    struct stat about;

    if (fstat(fd, &about))
        return -errno;
    if (!S_ISREG(about.st_mode)) {
        *why = "not a regular file";
        return -EBADMSG;
    }
    /* As ssh has it: a key that others could have read is not secret. */
    if (is_secret && (about.st_mode & (S_IRWXG | S_IRWXO))) {
        *why = "others than its owner may read or change it (chmod 600)";
        return -EPERM;
    }
    char *text = malloc(JRI_ZMQ_FILE_MAX + 1);
    if (!text)
        return -ENOMEM;
    ssize_t len = read_all(fd, text, JRI_ZMQ_FILE_MAX + 1);
    int status = len < 0 ? (int)len : 0;
    if (len > JRI_ZMQ_FILE_MAX) {
        *why = "not a certificate: it is larger than 64 KiB";
        status = -EBADMSG;
    }
    if (!status)
        status = jri_zmq_certificate_parse(text, (size_t)len, out, why);
    explicit_bzero(text, JRI_ZMQ_FILE_MAX + 1);
    free(text);
    return status;
}

int jri_zmq_certificate_read(int folder, const char *path, bool is_secret, jri_zmq_certificate *out,
                             const char **why)
{
    *out = (jri_zmq_certificate){0};
    *why = NULL;
    /* Not to wait for the writer of a pipe. */
    int fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int status = fd < 0 ? -errno : read_file(fd, is_secret, out, why);
    if (fd >= 0)
        close(fd);
    if (!status && is_secret && !*out->secret_key) {
        *why = "it has no secret-key";
        status = -EBADMSG;
    }
    if (!status)
        return 0;
    jri_zmq_certificate_wipe(out);
    if (!*why)
        *why = uv_strerror(status);
    return status;
}

void jri_zmq_certificate_wipe(jri_zmq_certificate *certificate)
{
    explicit_bzero(certificate, sizeof(*certificate));
}

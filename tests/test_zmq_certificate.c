/* SPDX-License-Identifier: MIT */
/*
 * test_zmq_certificate.c - what is a certificate, and why something is none
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edge.h"
#include "zmq_certificate.h"
#include "zmq_certificates.h"

/* A pair from the ZeroMQ manual, of zmq_curve_keypair(). */
#define PUBLIC "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define SECRET "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"
#define OTHER "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"

static const struct {
    const char *name, *text;
    const char *public_key, *secret_key, *called; /* what is read */
    const char *why;                              /* or why it is none */
} texts[] = {
    {"czmq_public",
     "#   ****  Generated on 2026-11-23 14:56:19 by CZMQ  ****\n"
     "#   ZeroMQ CURVE Public Certificate\n\nmetadata\n    name = \"al ice\"\n"
     "curve\n    public-key = \"" PUBLIC "\"\n",
     PUBLIC, "", "al ice", NULL},
    {"pyzmq_secret",
     "metadata\n    email = x y\n    name = bob b\ncurve\n"
     "    public-key = \"" PUBLIC "\"\n    secret-key = \"" SECRET "\"\n",
     PUBLIC, SECRET, "bob b", NULL},
    {"line_ends_of_windows",
     "metadata\r\n    name = bob\r\ncurve\r\n    public-key = \"" PUBLIC "\"\r\n", PUBLIC, "",
     "bob", NULL},
    {"no_metadata_and_no_last_line_end", "curve\n    public-key = \"" PUBLIC "\"", PUBLIC, "", "",
     NULL},
    {"quotes_of_the_other_kind", "curve\n    public-key='" PUBLIC "'\n", PUBLIC, "", "", NULL},
    {"comments",
     "metadata # m\n    name = bob # b\ncurve # c\n    public-key = \"" PUBLIC "\" # k\n", PUBLIC,
     "", "bob", NULL},
    {"other_sections_are_others",
     "curves\n    public-key = \"" OTHER "\"\ncurve\n"
     "    public-key = \"" PUBLIC "\"\nmore\n    secret-key = no\n",
     PUBLIC, "", "", NULL},
    {"deeper_items_are_others",
     "curve\n    old\n        public-key = \"" OTHER "\"\n    public-key = \"" PUBLIC "\"\n",
     PUBLIC, "", "", NULL},
    {"first_of_two",
     "metadata\n    name = a\n    name = b\ncurve\n    public-key = \"" PUBLIC
     "\"\n    public-key = \"" OTHER "\"\n",
     PUBLIC, "", "a", NULL},
    {"empty_name_is_none", "metadata\n    name =\ncurve\n    public-key = \"" PUBLIC "\"\n", PUBLIC,
     "", "", NULL},
    {"utf8_name", "metadata\n    name = Zo\xc3\xab\ncurve\n    public-key = \"" PUBLIC "\"\n",
     PUBLIC, "", "Zo\xc3\xab", NULL},
    {"empty", "", NULL, NULL, NULL, "not a certificate: it has no public-key"},
    {"pem", "-----BEGIN PRIVATE KEY-----\nMIIE\n", NULL, NULL, NULL,
     "not a certificate: it has no public-key"},
    {"key_outside_its_section", "public-key = \"" PUBLIC "\"\n", NULL, NULL, NULL,
     "not a certificate: it has no public-key"},
    {"key_without_indent", "curve\npublic-key = \"" PUBLIC "\"\n", NULL, NULL, NULL,
     "not a certificate: it has no public-key"},
    {"short_key", "curve\n    public-key = \"abc\"\n", NULL, NULL, NULL,
     "its public-key is not 40 characters of Z85"},
    {"long_key", "curve\n    public-key = \"" PUBLIC "0\"\n", NULL, NULL, NULL,
     "its public-key is not 40 characters of Z85"},
    {"key_without_value", "curve\n    public-key\n", NULL, NULL, NULL,
     "its public-key is not 40 characters of Z85"},
    {"regression_key_that_is_no_z85",
     "curve\n    public-key = \"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{h ~\"\n", NULL, NULL, NULL,
     "its public-key is not 40 characters of Z85"},
    {"secret_that_is_no_z85",
     "curve\n    public-key = \"" PUBLIC "\"\n    secret-key = \"secret\"\n", NULL, NULL, NULL,
     "its secret-key is not 40 characters of Z85"},
    {"keys_of_two_pairs",
     "curve\n    public-key = \"" OTHER "\"\n    secret-key = \"" SECRET "\"\n", NULL, NULL, NULL,
     "its public-key and secret-key do not belong together"},
    {"name_with_a_control_character",
     "metadata\n    name = a\x1b[2J\ncurve\n    public-key = \"" PUBLIC "\"\n", NULL, NULL, NULL,
     "its name is longer than 255 bytes, not UTF-8, or has control characters"},
    {"name_that_is_no_utf8",
     "metadata\n    name = Zo\xeb\ncurve\n    public-key = \"" PUBLIC "\"\n", NULL, NULL, NULL,
     "its name is longer than 255 bytes, not UTF-8, or has control characters"},
};

static void texts_are_read_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        jri_zmq_certificate read;
        const char *why = NULL;
        struct edge edge = edge_new(strlen(texts[i].text));
        const char *text = edge_place(&edge, texts[i].text, strlen(texts[i].text));
        int status = jri_zmq_certificate_parse(text, strlen(texts[i].text), &read, &why);
        print_message("%s: %s\n", texts[i].name, why ? why : "read");
        if (texts[i].why) {
            assert_int_equal(status, -EBADMSG);
            assert_string_equal(why, texts[i].why);
            assert_string_equal(read.secret_key, "");
        } else {
            assert_int_equal(status, 0);
            assert_string_equal(read.public_key, texts[i].public_key);
            assert_string_equal(read.secret_key, texts[i].secret_key);
            assert_string_equal(read.name, texts[i].called);
        }
        edge_free(&edge);
    }
}

/* Cut anywhere, it is another certificate, or none; nothing beyond the cut is looked at. */
static void no_byte_beyond_the_end_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        size_t len = strlen(texts[i].text);
        struct edge edge = edge_new(len);
        for (size_t cut = 0; cut <= len; cut++) {
            jri_zmq_certificate read;
            const char *why = NULL;
            const char *text = edge_place(&edge, texts[i].text, cut);
            int status = jri_zmq_certificate_parse(text, cut, &read, &why);
            assert_true(status ? why && !*read.public_key : strlen(read.public_key) == 40);
        }
        edge_free(&edge);
    }
}

static void zero_byte_in_a_key_is_refused(void **state)
{
    char text[] = "curve\n    public-key = \"" PUBLIC "\"\n";
    jri_zmq_certificate read;
    const char *why;

    (void)state;
    *strstr(text, "IaLV") = 0;
    assert_int_equal(jri_zmq_certificate_parse(text, sizeof(text) - 1, &read, &why), -EBADMSG);
    assert_string_equal(why, "its public-key is not 40 characters of Z85");
}

static void name_has_its_limit(void **state)
{
    char text[512], name[257];
    jri_zmq_certificate read;
    const char *why;

    (void)state;
    memset(name, 'n', sizeof(name));
    for (int len = 255; len <= 256; len++) {
        snprintf(text, sizeof(text), "metadata\n    name = %.*s\ncurve\n    public-key = \"%s\"\n",
                 len, name, PUBLIC);
        int status = jri_zmq_certificate_parse(text, strlen(text), &read, &why);
        assert_int_equal(status, len == 255 ? 0 : -EBADMSG);
        assert_int_equal(strlen(read.name), len == 255 ? 255 : 0);
    }
}

#define PAIR "curve\n    public-key = \"" PUBLIC "\"\n    secret-key = \"" SECRET "\"\n"

static const struct {
    const char *name, *text; /* NULL: no file */
    mode_t mode;
    bool is_secret;
    int status;
    const char *why;
} files[] = {
    {"of_the_owner_alone", PAIR, 0600, true, 0, NULL},
    {"not_to_be_written", PAIR, 0400, true, 0, NULL},
    {"public_for_all", PAIR, 0644, false, 0, NULL},
    {"others_can_read_it", PAIR, 0604, true, -EPERM,
     "others than its owner may read or change it (chmod 600)"},
    {"the_group_can_read_it", PAIR, 0640, true, -EPERM,
     "others than its owner may read or change it (chmod 600)"},
    {"the_group_can_write_it", PAIR, 0620, true, -EPERM,
     "others than its owner may read or change it (chmod 600)"},
    {"no_secret_key", "curve\n    public-key = \"" PUBLIC "\"\n", 0600, true, -EBADMSG,
     "it has no secret-key"},
    {"none_at_all", "hello\n", 0600, false, -EBADMSG, "not a certificate: it has no public-key"},
    {"missing", NULL, 0, false, -ENOENT, "no such file or directory"},
};

static void files_are_read_or_refused(void **state)
{
    char folder[64];

    (void)state;
    enter_folder(folder);
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        jri_zmq_certificate read;
        const char *why;
        print_message("%s\n", files[i].name);
        if (files[i].text)
            write_file(files[i].name, files[i].mode, files[i].text);
        assert_int_equal(
            jri_zmq_certificate_read(AT_FDCWD, files[i].name, files[i].is_secret, &read, &why),
            files[i].status);
        if (files[i].why)
            assert_string_equal(why, files[i].why);
        assert_string_equal(read.public_key, files[i].status ? "" : PUBLIC);
    }
    leave_folder(folder);
}

static void what_is_no_file_is_refused(void **state)
{
    char folder[64];
    jri_zmq_certificate read;
    const char *why;

    (void)state;
    enter_folder(folder);
    assert_int_equal(jri_zmq_certificate_read(AT_FDCWD, ".", false, &read, &why), -EBADMSG);
    assert_string_equal(why, "not a regular file");
    /* Nobody will ever write to it. */
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_int_equal(jri_zmq_certificate_read(AT_FDCWD, "pipe", true, &read, &why), -EBADMSG);
    assert_string_equal(why, "not a regular file");
    leave_folder(folder);
}

static void file_has_its_limit(void **state)
{
    char folder[64];
    char *text = calloc(1, JRI_ZMQ_FILE_MAX + 2);
    jri_zmq_certificate read;
    const char *why;

    (void)state;
    assert_non_null(text);
    enter_folder(folder);
    memset(text, '\n', JRI_ZMQ_FILE_MAX);
    memcpy(text, PAIR, strlen(PAIR));
    write_file("largest", 0644, text);
    text[JRI_ZMQ_FILE_MAX] = '\n';
    write_file("larger", 0644, text);
    assert_int_equal(jri_zmq_certificate_read(AT_FDCWD, "largest", false, &read, &why), 0);
    assert_int_equal(jri_zmq_certificate_read(AT_FDCWD, "larger", false, &read, &why), -EBADMSG);
    assert_string_equal(why, "not a certificate: it is larger than 64 KiB");
    leave_folder(folder);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_read_or_refused),
        cmocka_unit_test(no_byte_beyond_the_end_is_read),
        cmocka_unit_test(zero_byte_in_a_key_is_refused),
        cmocka_unit_test(name_has_its_limit),
        cmocka_unit_test(files_are_read_or_refused),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(file_has_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * test_conformance.c - every case of tests/cases, on every way through dispatch
 *
 * A file holds an array of cases:
 *
 *   name          the behaviour, unique in its file
 *   options       {"option": "value"}, as jrpc_options_set() takes them
 *   send          the message: a string, or an array of parts to be put together:
 *                 strings, {"base64": "…"}, {"repeat": "…", "times": n}
 *   expect        the answer as a value; null: silence
 *   text          the answer byte for byte, on the text path, as `send` is written; may stand
 *                 instead of expect
 *   codes         [0, -32601]: of each answer, 0 a result
 *   http_status   of the whole
 *   logs          the lines logged, on the text path
 *   prefixes      true: not the message is sent but every shorter beginning of it
 *   text_only     why the value path rightly differs: it is not taken
 *
 * Whatever the case says, every answer must keep the laws of laws.h. Ids are compared as text.
 */
#define _GNU_SOURCE
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jrpc/service.h>

#include "comma_locale.h"
#include "laws.h"
#include "toy.h"

/* One way through dispatch. */
struct path {
    const char *name;
    bool is_value, is_async;
};

/* One case on one path, and what came out of it. */
struct run {
    const struct path *path;
    const char *file, *name;
    json_t *row;
    char *sent;
    size_t sent_len;
    size_t n_cut; /* bytes of the message that are not sent */
    json_t *logs; /* lines */
    bool is_done;
    bool is_wanted;
    char *text;
    size_t len;
    int http_status;
    json_t *codes, *value;
    unsigned n_faults;
};

static void complain(struct run *run, const char *what, const char *expected, const char *seen)
{
    print_error("%s: %s (%s, %zu bytes sent): %s\n    expected %.500s\n    but got  %.500s\n",
                run->file, run->name, run->path->name, run->sent_len, what, expected, seen);
    run->n_faults++;
}

static void complain_values(struct run *run, const char *what, const json_t *expected,
                            const json_t *seen)
{
    char *left = expected ? json_dumps(expected, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    char *right = seen ? json_dumps(seen, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

    complain(run, what, left ? left : "nothing", right ? right : "nothing");
    free(left);
    free(right);
}

/*
 * What is sent
 */

static int sextet(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static void write_base64(FILE *to, const char *text)
{
    unsigned bits = 0;
    int n_bits = 0;

    for (; sextet(*text) >= 0; text++) {
        bits = bits << 6 | (unsigned)sextet(*text);
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            fputc((int)(bits >> n_bits & 0xFF), to);
        }
    }
}

static void write_part(FILE *to, const json_t *part)
{
    const json_t *repeated = json_object_get(part, "repeat");
    const json_t *text = repeated ? repeated : part;
    const char *base64 = json_string_value(json_object_get(part, "base64"));
    json_int_t times = repeated ? json_integer_value(json_object_get(part, "times")) : 1;

    if (base64)
        write_base64(to, base64);
    else if (!json_is_string(text))
        fail_msg("a part of \"send\" is neither a string, base64 nor repeat");
    for (json_int_t i = 0; !base64 && i < times; i++)
        fwrite(json_string_value(text), 1, json_string_length(text), to);
}

/* A string or parts of one put together, new, NUL-terminated. */
static char *build_message(const json_t *send, size_t *len)
{
    char *built = NULL;
    const json_t *part;
    size_t i;
    FILE *to = open_memstream(&built, len);

    assert_non_null(to);
    if (json_is_array(send)) {
        json_array_foreach(send, i, part) {
            write_part(to, part);
        }
    } else {
        write_part(to, send);
    }
    assert_int_equal(fclose(to), 0);
    return built;
}

/* What is sent of it, in memory that ends where it ends, so that reading on is seen. */
static void make_message(struct run *run)
{
    size_t len;
    char *built = build_message(json_object_get(run->row, "send"), &len);

    run->sent_len = len - run->n_cut;
    run->sent = malloc(run->sent_len ? run->sent_len : 1);
    assert_non_null(run->sent);
    memcpy(run->sent, built, run->sent_len);
    free(built);
}

/*
 * Running
 */

static void note_line(const jrpc_log_record *record, void *user)
{
    struct run *run = user;
    json_array_append_new(run->logs, json_stringn(record->text, record->len));
}

static jrpc_service *make_service(struct run *run, struct toy *toy)
{
    jrpc_hooks hooks = JRPC_HOOKS_INIT;
    jrpc_service *service = NULL;
    jrpc_options *options = NULL;
    const char *name;
    json_t *value;

    assert_int_equal(jrpc_options_new(&options), 0);
    json_object_foreach(json_object_get(run->row, "options"), name, value) {
        if (jrpc_options_set(options, name, json_string_value(value)))
            fail_msg("%s: %s: %s", run->file, run->name, jrpc_options_problem(options)->text);
    }
    assert_int_equal(jrpc_service_new(options, &service), 0);
    jrpc_options_free(options);
    hooks.logged = note_line;
    assert_int_equal(jrpc_service_set_hooks(service, &hooks, run), 0);
    if (toy_add(service, toy))
        fail_msg("%s", jrpc_service_problem(service)->text);
    return service;
}

/* Everything that is to be known of a response, which is only borrowed. */
static void take(int status, jrpc_response *response, void *user)
{
    struct run *run = user;
    const char *text = jrpc_response_text(response, &run->len);

    assert_int_equal(status, 0);
    assert_false(run->is_done);
    assert_int_equal(text[run->len], '\0');
    run->is_done = true;
    run->is_wanted = jrpc_response_is_wanted(response);
    run->text = malloc(run->len + 1);
    assert_non_null(run->text);
    memcpy(run->text, text, run->len + 1);
    run->http_status = jrpc_response_http_status(response);
    run->value = json_incref(jrpc_response_json(response));
    run->codes = json_array();
    for (size_t i = 0; i < jrpc_response_count(response); i++)
        json_array_append_new(run->codes, json_integer(jrpc_response_code(response, i)));
}

static void dispatch(struct run *run)
{
    jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;
    jrpc_response *response = NULL;
    struct toy toy = {.n_held = 0};
    jrpc_service *service = make_service(run, &toy);

    options.codec = run->path->is_value ? jrpc_codec_jansson() : NULL;
    options.done = take;
    options.user = run;
    if (run->path->is_async) {
        assert_int_equal(jrpc_dispatch_async(service, run->sent, run->sent_len, &options, NULL), 0);
    } else {
        assert_int_equal(jrpc_dispatch(service, run->sent, run->sent_len, &options, &response), 0);
        take(0, response, run);
        jrpc_response_free(response);
    }
    toy_release(&toy);
    if (!run->is_done)
        complain(run, "answer", "one", "none");
    jrpc_service_free(service);
}

/*
 * Comparing
 */

static void check_laws(struct run *run)
{
    const char *fault = run->is_wanted ? answer_fault(run->text, run->len) : NULL;
    const char *id = NULL;

    if (run->is_wanted && !fault && !run->path->is_value)
        id = id_fault(run->sent, run->sent_len, run->text, run->len);
    if (fault)
        complain(run, fault, "an answer", run->text);
    if (id)
        complain(run, id, "the id as it was sent", run->text);
    if (run->is_wanted != (run->len != 0))
        complain(run, "text", run->is_wanted ? "some" : "none", run->text);
    if (run->is_wanted != (json_array_size(run->codes) != 0))
        complain_values(run, "codes", NULL, run->codes);
}

/* The text as jansson reads it, and the value the response gives. */
static void check_value(struct run *run, const json_t *expect)
{
    const json_t *expected = json_is_null(expect) ? NULL : expect;
    json_t *read =
        json_loadb(run->text, run->len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, /* error */ NULL);

    if (expected ? !json_equal(expected, read) : run->is_wanted)
        complain_values(run, "answer", expected, read);
    if (read ? !json_equal(read, run->value) : run->value != NULL)
        complain_values(run, "value of the response", read, run->value);
    json_decref(read);
}

static void check_text(struct run *run, const json_t *text)
{
    size_t len;
    char *expected = build_message(text, &len);

    if (len != run->len || memcmp(expected, run->text, len))
        complain(run, "text", expected, run->text);
    free(expected);
}

static void check(struct run *run)
{
    const json_t *expect = json_object_get(run->row, "expect");
    const json_t *text = json_object_get(run->row, "text");
    const json_t *codes = json_object_get(run->row, "codes");
    const json_t *logs = json_object_get(run->row, "logs");
    json_t *status = json_object_get(run->row, "http_status");
    json_t *seen = json_integer(run->http_status);

    check_laws(run);
    if (expect)
        check_value(run, expect);
    if (text && !run->path->is_value)
        check_text(run, text);
    if (codes && !json_equal(codes, run->codes))
        complain_values(run, "codes", codes, run->codes);
    if (logs && !run->path->is_value && !json_equal(logs, run->logs))
        complain_values(run, "logs", logs, run->logs);
    if (status && !json_equal(status, seen))
        complain_values(run, "http_status", status, seen);
    json_decref(seen);
}

static unsigned check_once(struct run *run)
{
    run->logs = json_array();
    make_message(run);
    dispatch(run);
    if (run->is_done)
        check(run);
    free(run->sent);
    free(run->text);
    json_decref(run->logs);
    json_decref(run->codes);
    json_decref(run->value);
    return run->n_faults;
}

static unsigned check_case(const struct path *path, const char *file, json_t *row)
{
    const char *name = json_string_value(json_object_get(row, "name"));
    struct run run = {.path = path, .file = file, .name = name, .row = row};
    unsigned n_faults = 0;
    size_t len;

    if (!json_is_true(json_object_get(row, "prefixes")))
        return check_once(&run);
    free(build_message(json_object_get(row, "send"), &len));
    for (size_t n = 1; n <= len; n++) {
        struct run cut = run;
        cut.n_cut = n;
        n_faults += check_once(&cut);
    }
    return n_faults;
}

/*
 * Files
 */

/* A misspelt member would be a check that nobody makes. */
static void check_row(const char *file, const json_t *row, json_t *names)
{
    static const char *const known[] = {"name",  "options",     "send", "expect",   "text",
                                        "codes", "http_status", "logs", "prefixes", "text_only"};
    const char *name = json_string_value(json_object_get(row, "name")), *member;
    json_t *value;

    if (!name || json_object_get(names, name))
        fail_msg("%s: a case without a name, or twice '%s'", file, name ? name : "");
    json_object_set_new(names, name, json_true());
    if (!json_object_get(row, "send") ||
        (!json_object_get(row, "expect") && !json_object_get(row, "text")))
        fail_msg("%s: %s: \"send\", \"expect\" or \"text\" is missing", file, name);
    json_object_foreach((json_t *)(uintptr_t)row, member, value) {
        size_t i = 0;
        while (i < sizeof(known) / sizeof(*known) && strcmp(member, known[i]))
            i++;
        if (i == sizeof(known) / sizeof(*known))
            fail_msg("%s: %s: unknown member \"%s\"", file, name, member);
    }
}

static unsigned check_file(const char *file, const struct path *path, size_t *n_cases)
{
    json_error_t error;
    json_t *rows = json_load_file(file, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    json_t *names = json_object(), *row;
    unsigned n_faults = 0;
    size_t i;

    if (!json_is_array(rows))
        fail_msg("%s:%d: %s", file, error.line, rows ? "not an array" : error.text);
    json_array_foreach(rows, i, row) {
        check_row(file, row, names);
        if (path->is_value && json_object_get(row, "text_only"))
            continue;
        n_faults += check_case(path, strrchr(file, '/') + 1, row);
        ++*n_cases;
    }
    json_decref(names);
    json_decref(rows);
    return n_faults;
}

static void check_files(const struct path *path)
{
    unsigned n_faults = 0;
    size_t n_cases = 0;
    glob_t files;

    assert_int_equal(glob(JRPC_SOURCE_DIR "/tests/cases/*.json", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++)
        n_faults += check_file(files.gl_pathv[i], path, &n_cases);
    print_message("%zu cases on the %s\n", n_cases, path->name);
    globfree(&files);
    assert_int_equal(n_faults, 0);
}

static void text_is_answered(void **state)
{
    static const struct path path = {.name = "text path"};
    (void)state;
    check_files(&path);
}

static void values_are_answered_equally(void **state)
{
    static const struct path path = {.name = "value path", .is_value = true};
    (void)state;
    check_files(&path);
}

static void text_is_answered_without_waiting(void **state)
{
    static const struct path path = {.name = "asynchronous text path", .is_async = true};
    (void)state;
    check_files(&path);
}

static void values_are_answered_without_waiting(void **state)
{
    static const struct path path = {
        .name = "asynchronous value path", .is_value = true, .is_async = true};
    (void)state;
    check_files(&path);
}

static int enter_comma_locale(void **state)
{
    static struct comma_locale comma;

    *state = &comma;
    return comma_locale_enter(&comma);
}

static int leave_comma_locale(void **state)
{
    comma_locale_leave(*state);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_answered),
        cmocka_unit_test(values_are_answered_equally),
        cmocka_unit_test(text_is_answered_without_waiting),
        cmocka_unit_test(values_are_answered_without_waiting),
    };
    static const struct CMUnitTest tests_with_a_decimal_comma[] = {
        cmocka_unit_test(text_is_answered),
        cmocka_unit_test(values_are_answered_equally),
    };
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);

    return n_failed + cmocka_run_group_tests(tests_with_a_decimal_comma, enter_comma_locale,
                                             leave_comma_locale);
}

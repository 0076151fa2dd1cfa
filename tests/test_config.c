/* SPDX-License-Identifier: MIT */
/*
 * test_config.c - what a configuration text says, and which files and variables are read
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/config.h"
#include "core/options.h"

/* The parser */

enum { REPORT_MAX = 4096 };

/* All that a text says, one line each: "3 name=value" or "3 !fault". */
static void parse(const char *text, size_t len, char report[REPORT_MAX])
{
    jri_config config;
    jri_assignment found;
    size_t n = 0;
    int status;

    report[0] = '\0';
    jri_config_begin(&config, text, len);
    while ((status = jri_config_next(&config, &found)) != 0) {
        if (status < 0)
            n += (size_t)snprintf(report + n, REPORT_MAX - n, "%d !%s\n", found.line, found.fault);
        else
            n += (size_t)snprintf(report + n, REPORT_MAX - n, "%d %.*s=%.*s\n", found.line,
                                  (int)found.name_len, found.name, (int)found.value_len,
                                  found.value);
        assert_in_range(n, 0, REPORT_MAX - 1);
    }
}

#define TEXT(literal) literal, sizeof(literal) - 1
#define G "[general]\n"

static const struct {
    const char *behaviour, *text;
    size_t len;
    const char *expect;
} texts[] = {
    {"empty_file", TEXT(""), ""},
    {"white_space_only", TEXT(" \t\n\r\n\n  "), ""},
    {"equals_sign", TEXT(G "debug = yes\n"), "2 debug=yes\n"},
    {"colon", TEXT(G "debug: yes\n"), "2 debug=yes\n"},
    {"first_of_both_counts", TEXT(G "a = b:c\nd : e=f\n"), "2 a=b:c\n3 d=e=f\n"},
    {"no_white_space", TEXT(G "debug=yes\n"), "2 debug=yes\n"},
    {"much_white_space", TEXT(G "\t debug \t =  yes \v\n"), "2 debug=yes\n"},
    {"indented_line_is_an_assignment", TEXT(G "a=1\n  b=2\n"), "2 a=1\n3 b=2\n"},
    {"no_line_end_at_the_end", TEXT(G "debug=yes"), "2 debug=yes\n"},
    {"crlf_line_ends", TEXT("[general]\r\ndebug=yes\r\n"), "2 debug=yes\n"},
    {"byte_order_mark", TEXT("\xEF\xBB\xBF[general]\ndebug=yes"), "2 debug=yes\n"},
    {"comments", TEXT("# one\n" G "; two\n  # three\ndebug=yes\n#a=b\n"), "5 debug=yes\n"},
    {"no_comment_behind_a_value", TEXT(G "debug = yes # now\n"), "2 debug=yes # now\n"},
    {"empty_value", TEXT(G "debug =\n"), "2 debug=\n"},
    {"value_with_brackets", TEXT(G "a = [b]\n"), "2 a=[b]\n"},
    {"utf8",
     TEXT(G "gr\xC3\xB6\xC3\x9F"
            "e = \xE2\x82\xAC\n"),
     "2 gr\xC3\xB6\xC3\x9F"
     "e=\xE2\x82\xAC\n"},
    {"other_section_is_not_looked_at", TEXT("[other]\ndebug=yes\nnonsense\n\xFF\n" G "a=b\n"),
     "6 a=b\n"},
    {"section_ends_at_the_next", TEXT(G "a=b\n[other]\nc=d\n"), "2 a=b\n"},
    {"section_may_come_twice", TEXT(G "a=b\n[other]\nc=d\n" G "e=f\n"), "2 a=b\n6 e=f\n"},
    {"section_with_an_empty_name", TEXT("[]\na=b\n"), ""},
    {"section_with_text_behind", TEXT("[general] # mine\na=b\n"), "2 a=b\n"},
    {"section_indented", TEXT("  [general]\na=b\n"), "2 a=b\n"},
    {"section_with_spaces_is_another", TEXT("[ general ]\na=b\n"), ""},
    {"section_in_capitals", TEXT("[General]\na=b\n"),
     "1 !section is not read, did you mean [general]?\n"},
    {"section_without_closing_bracket", TEXT("[general\na=b\n"),
     "1 !a section's name without a closing bracket\n"},
    {"line_before_any_section", TEXT("a=b\n" G "c=d\n"),
     "1 !line outside of a section, put [general] above\n3 c=d\n"},
    {"line_without_a_delimiter", TEXT(G "debug\n"), "2 !neither a [section] nor name = value\n"},
    {"line_without_a_name", TEXT(G "= yes\n"), "2 !a value without a name\n"},
    {"line_with_nul", TEXT(G "de\0bug=yes\nc=d\n"), "2 !line with a NUL byte\n3 c=d\n"},
    {"line_with_latin_1", TEXT(G "gr\xF6sse=1\nc=d\n"), "2 !line is not UTF-8\n3 c=d\n"},
    {"comment_with_latin_1", TEXT(G "# gr\xF6sse\nc=d\n"), "3 c=d\n"},
    {"line_numbers_count_every_line", TEXT("\n#\n\n" G "\n\na=b\n"), "7 a=b\n"},
};

static void a_text_says(void **state)
{
    char report[REPORT_MAX];
    (void)state;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        parse(texts[i].text, texts[i].len, report);
        if (strcmp(report, texts[i].expect) != 0)
            fail_msg("%s:\n%s-- not --\n%s", texts[i].behaviour, report, texts[i].expect);
    }
}

/* Every beginning of every text, its end at an unmapped page. */
static void nothing_behind_the_text_is_read(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char report[REPORT_MAX];
    char *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)state;

    assert_true(map != MAP_FAILED);
    assert_int_equal(mprotect(map + page, page, PROT_NONE), 0);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        for (size_t len = 0; len <= texts[i].len; len++) {
            memcpy(map + page - len, texts[i].text, len);
            parse(map + page - len, len, report);
        }
    }
    parse(NULL, 0, report);
    munmap(map, 2 * page);
}

static void a_line_may_have_1024_bytes(void **state)
{
    char text[JRI_CONFIG_LINE_MAX + 64], report[REPORT_MAX];
    size_t head = strlen(G);
    (void)state;

    memcpy(text, G, head);
    memset(text + head, 'x', sizeof(text) - head);
    text[head + 1] = '=';

    parse(text, head + JRI_CONFIG_LINE_MAX, report);
    assert_memory_equal(report, "2 x=xxx", 7);
    parse(text, head + JRI_CONFIG_LINE_MAX + 1, report);
    assert_string_equal(report, "2 !line is too long\n");
}

/* Loading */

static const char *const file_names[] = {
    "home/.jsonrpcclientrc",
    "home/.jsonrpcserverrc",
    ".jsonrpcclientrc",
    ".jsonrpcserverrc",
    "named.ini",
};

/* Whoever runs the tests may have set some. */
static int unset_variables(void **state)
{
    char name[128];
    (void)state;

    for (char **at = environ; *at;) {
        if (strncmp(*at, "JRPC_", 5) != 0) {
            at++;
            continue;
        }
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(*at, "="), *at);
        if (unsetenv(name) < 0)
            return -1;
        at = environ; /* the list was moved together */
    }
    return 0;
}

/* An empty folder of our own with a home in it. */
static int enter_folder(void **state)
{
    char *folder = strdup("/tmp/jrpc-test-config-XXXXXX");

    if (!folder || !mkdtemp(folder) || chdir(folder) < 0 || mkdir("home", 0700) < 0)
        return -1;
    char *home = NULL;
    if (asprintf(&home, "%s/home", folder) < 0 || setenv("HOME", home, 1) < 0)
        return -1;
    free(home);
    *state = folder;
    return 0;
}

static int leave_folder(void **state)
{
    char *folder = *state;

    for (size_t i = 0; i < sizeof(file_names) / sizeof(file_names[0]); i++)
        if (unlink(file_names[i]) < 0)
            rmdir(file_names[i]);
    unset_variables(state);
    unlink("home");
    rmdir("home");
    int status = chdir("/") < 0 ? -1 : rmdir(folder);
    free(folder);
    return status;
}

static void write_file(const char *name, const char *text, size_t len)
{
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

/* Loads into new options and says what came of it: batch_max, then the problem if there is one. */
static void load(const char *path, int expect_status, char report[REPORT_MAX])
{
    jrpc_options *options = NULL;
    jri_settings settings;

    assert_int_equal(jrpc_options_new(&options), 0);
    int status = jrpc_options_load(options, path);
    assert_int_equal(status, expect_status);

    jri_options_resolve(options, &settings);
    int n = snprintf(report, REPORT_MAX, "%d", (int)settings.batch_max);
    const jrpc_problem *problem = jrpc_options_problem(options);
    if (problem) {
        assert_int_equal(problem->code, status ? status : -EINVAL);
        snprintf(report + n, (size_t)(REPORT_MAX - n), " %s:%d: %s", problem->source, problem->line,
                 problem->text);
    }
    jrpc_options_free(options);
}

static const struct {
    const char *behaviour;
    const char *files[5]; /* the texts of file_names; NULL: there is none */
    const char *variable; /* JRPC_BATCH_MAX */
    const char *path, *expect;
} loads[] = {
    {"nothing_anywhere", {NULL}, NULL, NULL, "1000"},
    {"home_client_file", {G "batch_max=1"}, NULL, NULL, "1"},
    {"home_server_file_over_client_file", {G "batch_max=1", G "batch_max=2"}, NULL, NULL, "2"},
    {"current_folder_over_home", {NULL, G "batch_max=2", G "batch_max=3"}, NULL, NULL, "3"},
    {"server_file_over_client_file",
     {NULL, NULL, G "batch_max=3", G "batch_max=4"},
     NULL,
     NULL,
     "4"},
    {"option_by_option", {NULL, NULL, G "batch_max=3", G "debug=yes"}, NULL, NULL, "3"},
    {"environment_over_files", {NULL, NULL, NULL, G "batch_max=4"}, "5", NULL, "5"},
    {"named_file_alone",
     {NULL, NULL, NULL, G "batch_max=4", "[general]"},
     NULL,
     "named.ini",
     "1000"},
    {"named_file", {NULL, NULL, NULL, NULL, G "batch_max=6"}, NULL, "named.ini", "6"},
    {"environment_over_named_file",
     {NULL, NULL, NULL, NULL, G "batch_max=6"},
     "7",
     "named.ini",
     "7"},
    {"last_of_two_counts", {NULL, NULL, NULL, G "batch_max=4\nbatch_max=5"}, NULL, NULL, "5"},
    {"names_in_capitals", {NULL, NULL, NULL, G "Batch_MAX=4"}, NULL, NULL, "4"},
    {"white_space_in_the_environment", {NULL}, " 5 ", NULL, "5"},
    {"bad_value",
     {NULL, NULL, NULL, G "\nbatch_max=many\n"},
     NULL,
     NULL,
     "1000 ./.jsonrpcserverrc:3: batch_max: 'many' is not a number of requests (try 1000 or 4K)"},
    {"bad_value_leaves_the_weaker_one",
     {NULL, NULL, G "batch_max=3", G "batch_max=-3"},
     NULL,
     NULL,
     "3 ./.jsonrpcserverrc:2: batch_max: -3 is out of range (1 to 1000000 requests, 0 for the "
     "default)"},
    {"misspelt_name",
     {NULL, NULL, NULL, G "btach_max=4\nbatch_max=5\n"},
     NULL,
     NULL,
     "5 ./.jsonrpcserverrc:2: btach_max: no such option, did you mean batch_max?"},
    {"several_problems",
     {NULL, NULL, G "a=b\nc\nbatch_max=5\n", G "e=f"},
     "x",
     NULL,
     "5 ./.jsonrpcclientrc:2: a: no such option (and 3 more)"},
    {"bad_value_in_the_environment",
     {NULL},
     "x",
     NULL,
     "1000 environment:0: JRPC_BATCH_MAX: 'x' is not a number of requests (try 1000 or 4K)"},
    {"empty_value_in_the_environment",
     {NULL},
     "",
     NULL,
     "1000 environment:0: JRPC_BATCH_MAX: '' is not a number of requests (try 1000 or 4K)"},
};

static void a_load_finds(void **state)
{
    char report[REPORT_MAX];

    for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
        assert_int_equal(enter_folder(state), 0);
        for (size_t j = 0; j < sizeof(file_names) / sizeof(file_names[0]); j++)
            if (loads[i].files[j])
                write_file(file_names[j], loads[i].files[j], strlen(loads[i].files[j]));
        if (loads[i].variable)
            setenv("JRPC_BATCH_MAX", loads[i].variable, 1);

        load(loads[i].path, 0, report);
        if (strcmp(report, loads[i].expect) != 0)
            fail_msg("%s: '%s', not '%s'", loads[i].behaviour, report, loads[i].expect);
        assert_int_equal(leave_folder(state), 0);
    }
}

static void set_counts_before_and_after_load(void **state)
{
    jrpc_options *options = NULL;
    jri_settings settings;
    (void)state;

    write_file(".jsonrpcserverrc", TEXT(G "batch_max=4\nid_max=4\n"));
    assert_int_equal(jrpc_options_new(&options), 0);
    assert_int_equal(jrpc_options_set(options, "batch_max", "9"), 0);
    assert_int_equal(jrpc_options_load(options, NULL), 0);
    assert_int_equal(jrpc_options_set(options, "id_max", "9"), 0);
    jri_options_resolve(options, &settings);
    assert_int_equal(settings.batch_max, 9);
    assert_int_equal(settings.id_max, 9);

    assert_int_equal(jrpc_options_set(options, "batch_max", NULL), 0);
    jri_options_resolve(options, &settings);
    assert_int_equal(settings.batch_max, 4);
    jrpc_options_free(options);
}

static void a_misspelt_variable_is_reported(void **state)
{
    char report[REPORT_MAX];
    (void)state;

    setenv("JRPC_BTACH_MAX", "1", 1);
    load(NULL, 0, report);
    assert_string_equal(report, "1000 environment:0: JRPC_BTACH_MAX: no such option, did you mean "
                                "JRPC_BATCH_MAX?");
}

static void without_home_there_is_none(void **state)
{
    char report[REPORT_MAX];
    (void)state;

    write_file("home/.jsonrpcserverrc", TEXT(G "batch_max=4"));
    unsetenv("HOME");
    load(NULL, 0, report);
    assert_string_equal(report, "1000");
    setenv("HOME", "", 1);
    load(NULL, 0, report);
    assert_string_equal(report, "1000");
    setenv("HOME", "/dev/null", 1);
    load(NULL, 0, report);
    assert_string_equal(report, "1000");
}

/* The one problem in it would be counted twice. */
static void the_same_folder_is_read_once(void **state)
{
    char report[REPORT_MAX];

    write_file(".jsonrpcserverrc", TEXT(G "batch_max=many"));
    setenv("HOME", *state, 1);
    load(NULL, 0, report);
    assert_null(strstr(report, "more"));
    assert_non_null(strstr(report, "./.jsonrpcserverrc:2:"));

    rmdir("home");
    assert_int_equal(symlink(".", "home"), 0);
    setenv("HOME", "home", 1);
    load(NULL, 0, report);
    assert_null(strstr(report, "more"));
}

static void a_file_may_have_65536_bytes(void **state)
{
    static char text[JRI_CONFIG_MAX + 1];
    char report[REPORT_MAX];
    (void)state;

    memset(text, '\n', sizeof(text));
    memcpy(text, TEXT(G "batch_max=4"));
    write_file(".jsonrpcserverrc", text, JRI_CONFIG_MAX);
    load(NULL, 0, report);
    assert_string_equal(report, "4");

    write_file(".jsonrpcserverrc", text, JRI_CONFIG_MAX + 1);
    load(NULL, 0, report);
    assert_string_equal(report, "1000 ./.jsonrpcserverrc:0: File too large");
    load(".jsonrpcserverrc", -EFBIG, report);
    assert_string_equal(report, "1000 .jsonrpcserverrc:0: File too large");
}

static void a_folder_in_place_of_a_file_is_reported(void **state)
{
    char report[REPORT_MAX];
    (void)state;

    assert_int_equal(mkdir(".jsonrpcserverrc", 0700), 0);
    load(NULL, 0, report);
    assert_string_equal(report, "1000 ./.jsonrpcserverrc:0: Is a directory");
    load(".jsonrpcserverrc", -EISDIR, report);
}

static void an_unreadable_file_is_reported(void **state)
{
    char report[REPORT_MAX];
    (void)state;

    /* Root may read everything, but a link that points to itself nobody. */
    assert_int_equal(symlink(".jsonrpcserverrc", ".jsonrpcserverrc"), 0);
    load(NULL, 0, report);
    assert_string_equal(report, "1000 ./.jsonrpcserverrc:0: Too many levels of symbolic links");
}

static void a_named_file_must_be_there(void **state)
{
    char report[REPORT_MAX];
    (void)state;

    setenv("JRPC_BATCH_MAX", "5", 1);
    load("named.ini", -ENOENT, report);
    assert_string_equal(report, "1000 named.ini:0: No such file or directory");
}

static void a_long_path_is_shown_by_its_end(void **state)
{
    char path[300], report[REPORT_MAX], expect[REPORT_MAX];
    (void)state;

    memset(path, 'x', sizeof(path));
    memcpy(path + sizeof(path) - 5, "/end", 5);
    load(path, -ENAMETOOLONG, report);
    snprintf(expect, sizeof(expect), "1000 ...%s:0: File name too long",
             path + sizeof(path) - 1 - 124);
    assert_string_equal(report, expect);
}

static void a_line_end_in_a_path_is_escaped(void **state)
{
    char report[REPORT_MAX];
    (void)state;

    load("a\nb", -ENOENT, report);
    assert_string_equal(report, "1000 a\\nb:0: No such file or directory");
}

/* With more text than a problem holds, the count still fits. */
static void the_count_of_problems_is_never_cut(void **state)
{
    char text[200 * 4 + sizeof(G)], report[REPORT_MAX], *at = stpcpy(text, G);
    (void)state;

    for (int i = 0; i < 200; i++)
        at = stpcpy(at, "a=b\n");
    write_file(".jsonrpcserverrc", text, strlen(text));
    load(NULL, 0, report);
    assert_string_equal(report, "1000 ./.jsonrpcserverrc:2: a: no such option (and 199 more)");
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_says),
        cmocka_unit_test(nothing_behind_the_text_is_read),
        cmocka_unit_test(a_line_may_have_1024_bytes),
        cmocka_unit_test(a_load_finds),
        in_folder(set_counts_before_and_after_load),
        in_folder(a_misspelt_variable_is_reported),
        in_folder(without_home_there_is_none),
        in_folder(the_same_folder_is_read_once),
        in_folder(a_file_may_have_65536_bytes),
        in_folder(a_folder_in_place_of_a_file_is_reported),
        in_folder(an_unreadable_file_is_reported),
        in_folder(a_named_file_must_be_there),
        in_folder(a_long_path_is_shown_by_its_end),
        in_folder(a_line_end_in_a_path_is_escaped),
        in_folder(the_count_of_problems_is_never_cut),
    };
    return cmocka_run_group_tests(tests, unset_variables, /* teardown */ NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * test_options.c - values, ranges, names, which origin counts; and that docs/options.md is right
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/options.h"

enum { PAGE_MAX = 65536 };

/* Every option with its default and largest value, in the order of JRPC_OPTIONS. */
struct listed {
    const char *name;
    int64_t value, max;
};

#define FLAG(name, value, help) {#name, value, 1},
#define SIZE(name, value, max, unit, help) {#name, value, max},
#define TIME(name, value, help) {#name, value, JRI_TIME_MAX},
static const struct listed listed[] = {JRPC_OPTIONS(FLAG, SIZE, TIME)};
#undef FLAG
#undef SIZE
#undef TIME

enum { N_LISTED = sizeof(listed) / sizeof(listed[0]) };

/* The value that counts, by name. */
static int64_t value_of(const jrpc_options *options, const char *name)
{
    jri_settings settings;

    jri_options_resolve(options, &settings);
#define FIND(field, ...)                                                                           \
    if (strcmp(name, #field) == 0)                                                                 \
        return settings.field;
    JRPC_OPTIONS(FIND, FIND, FIND)
#undef FIND
    fail_msg("no option %s", name);
    return 0;
}

static jrpc_options *new_options(void)
{
    jrpc_options *options = NULL;

    assert_int_equal(jrpc_options_new(&options), 0);
    return options;
}

static const char *problem_of(const jrpc_options *options)
{
    const jrpc_problem *problem = jrpc_options_problem(options);
    return problem ? problem->text : "";
}

static void every_option_begins_at_its_default(void **state)
{
    jrpc_options *options = new_options();
    (void)state;

    for (size_t i = 0; i < N_LISTED; i++) {
        assert_int_equal(value_of(options, listed[i].name), listed[i].value);
        assert_int_equal(value_of(NULL, listed[i].name), listed[i].value);
        assert_in_range(listed[i].value, 0, listed[i].max);
    }
    jrpc_options_free(options);
}

static void every_number_has_its_range(void **state)
{
    jrpc_options *options = new_options();
    (void)state;

    for (size_t i = 0; i < N_LISTED; i++) {
        const char *name = listed[i].name;
        bool is_time = strlen(name) > 3 && strcmp(name + strlen(name) - 3, "_ms") == 0;

        assert_int_equal(jrpc_options_set_integer(options, name, listed[i].max), 0);
        assert_null(jrpc_options_problem(options));
        assert_int_equal(jrpc_options_set_integer(options, name, listed[i].max + 1), -ERANGE);
        assert_int_equal(jrpc_options_problem(options)->code, -ERANGE);
        assert_int_equal(jrpc_options_set_integer(options, name, -1), is_time ? 0 : -ERANGE);
        assert_int_equal(value_of(options, name), is_time ? -1 : listed[i].max);
        assert_int_equal(jrpc_options_set_integer(options, name, -2), -ERANGE);
        assert_int_equal(jrpc_options_set_integer(options, name, 0), 0);
        /* Of a flag 0 is a value. */
        assert_int_equal(value_of(options, name), listed[i].max > 1 ? listed[i].value : 0);
    }
    jrpc_options_free(options);
}

static const struct {
    const char *behaviour, *name, *value;
    int status;
    int64_t expect;
    const char *problem;
} values[] = {
    {"flag_yes", "debug", "yes", 0, 1, ""},
    {"flag_true_in_capitals", "debug", "TRUE", 0, 1, ""},
    {"flag_on_in_mixed_case", "debug", "On", 0, 1, ""},
    {"flag_1", "debug", "1", 0, 1, ""},
    {"flag_no", "debug", "no", 0, 0, ""},
    {"flag_false", "debug", "false", 0, 0, ""},
    {"flag_off", "debug", "OFF", 0, 0, ""},
    {"flag_0", "debug", "0", 0, 0, ""},
    {"flag_with_white_space_around", "debug", " \t yes\r\n", 0, 1, ""},
    {"flag_2", "debug", "2", -EINVAL, 0, "debug: '2' is neither yes nor no"},
    {"flag_beginning_like_a_word", "debug", "yesterday", -EINVAL, 0,
     "debug: 'yesterday' is neither yes nor no"},
    {"flag_empty", "debug", "", -EINVAL, 0, "debug: '' is neither yes nor no"},
    {"size_in_bytes", "message_max", "65536", 0, 65536, ""},
    {"size_in_kibibytes", "message_max", "64K", 0, 65536, ""},
    {"size_in_kibibytes_in_lower_case", "message_max", "64k", 0, 65536, ""},
    {"size_in_mebibytes", "message_max", "4M", 0, 4194304, ""},
    {"size_in_gibibytes", "message_max", "1G", 0, 1073741824, ""},
    {"size_larger_than_32_bits", "memory_max", "1024G", 0, INT64_C(1) << 40, ""},
    {"size_with_leading_zeros", "message_max", "0064K", 0, 65536, ""},
    {"size_1_is_the_least", "message_max", "1", 0, 1, ""},
    {"size_0_is_the_default", "message_max", "0", 0, 4194304, ""},
    {"size_with_white_space_around", "batch_max", "  7  ", 0, 7, ""},
    {"size_of_a_count", "batch_max", "4K", 0, 4096, ""},
    {"size_with_a_wrong_suffix", "message_max", "12x", -EINVAL, 4194304,
     "message_max: '12x' is not a number of bytes (try 65536, 64K or 4M)"},
    {"size_with_two_letters", "message_max", "64KB", -EINVAL, 4194304,
     "message_max: '64KB' is not a number of bytes (try 65536, 64K or 4M)"},
    {"size_with_a_space_inside", "message_max", "64 K", -EINVAL, 4194304,
     "message_max: '64 K' is not a number of bytes (try 65536, 64K or 4M)"},
    {"size_with_a_fraction", "message_max", "1.5M", -EINVAL, 4194304,
     "message_max: '1.5M' is not a number of bytes (try 65536, 64K or 4M)"},
    {"size_in_hexadecimal", "batch_max", "0x10", -EINVAL, 1000,
     "batch_max: '0x10' is not a number of requests (try 1000 or 4K)"},
    {"size_with_a_plus_sign", "batch_max", "+5", -EINVAL, 1000,
     "batch_max: '+5' is not a number of requests (try 1000 or 4K)"},
    {"size_of_a_suffix_alone", "batch_max", "K", -EINVAL, 1000,
     "batch_max: 'K' is not a number of requests (try 1000 or 4K)"},
    {"size_unlimited_does_not_exist", "message_max", "-1", -ERANGE, 4194304,
     "message_max: -1 is out of range (1 to 1073741824 bytes, 0 for the default)"},
    {"size_too_large", "depth_max", "5000", -ERANGE, 128,
     "depth_max: 5000 is out of range (1 to 1024 levels, 0 for the default)"},
    {"size_too_large_for_any_integer", "message_max", "99999999999999999999", -ERANGE, 4194304,
     "message_max: 99999999999999999999 is out of range (1 to 1073741824 bytes, 0 for the "
     "default)"},
    {"size_too_large_by_its_suffix", "message_max", "9223372036854775807G", -ERANGE, 4194304,
     "message_max: 9223372036854775807G is out of range (1 to 1073741824 bytes, 0 for the "
     "default)"},
    {"time_in_milliseconds", "idle_ms", "1500", 0, 1500, ""},
    {"time_minus_1_is_off", "idle_ms", "-1", 0, -1, ""},
    {"time_0_is_the_default", "idle_ms", "0", 0, 60000, ""},
    {"time_minus_2", "idle_ms", "-2", -ERANGE, 60000,
     "idle_ms: -2 is out of range (1 to 2147483647 milliseconds, 0 for the default, -1 for off)"},
    {"time_has_no_suffix", "idle_ms", "2K", -EINVAL, 60000,
     "idle_ms: '2K' is not a number of milliseconds (try 1500, or -1 for off)"},
    {"value_with_a_line_end_is_escaped", "debug", "a\nb\x1b", -EINVAL, 0,
     "debug: 'a\\nb\\x1b' is neither yes nor no"},
    {"long_value_is_cut", "debug",
     "0123456789012345678901234567890123456789012345678901234567890123456789", -EINVAL, 0,
     "debug: '012345678901234567890123456789012345678901234567890123456789...' is neither yes nor "
     "no"},
    {"long_run_of_digits_is_no_value", "batch_max",
     "0000000000000000000000000000000000000000000000000000000000000000000000001", -EINVAL, 1000,
     "batch_max: '000000000000000000000000000000000000000000000000000000000000...' is not a number "
     "of requests (try 1000 or 4K)"},
    {"name_with_a_letter_missing", "mesage_max", "1", -ENOENT, 0,
     "mesage_max: no such option, did you mean message_max?"},
    {"name_with_letters_swapped", "degub", "1", -ENOENT, 0,
     "degub: no such option, did you mean debug?"},
    {"name_in_capitals", "DEBUG", "1", -ENOENT, 0, "DEBUG: no such option, did you mean debug?"},
    {"name_with_hyphens", "trim-log-values", "1", -ENOENT, 0,
     "trim-log-values: no such option, did you mean trim_log_values?"},
    {"name_like_no_other", "volume", "11", -ENOENT, 0, "volume: no such option"},
    {"name_empty", "", "1", -ENOENT, 0, ": no such option"},
    {"name_with_a_line_end_is_escaped", "x\ny", "1", -ENOENT, 0, "x\\ny: no such option"},
};

static void a_value_is_taken_or_refused_with_a_reason(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        jrpc_options *options = new_options();
        int status = jrpc_options_set(options, values[i].name, values[i].value);
        const jrpc_problem *problem = jrpc_options_problem(options);

        if (status != values[i].status || strcmp(problem_of(options), values[i].problem) != 0)
            fail_msg("%s: %d '%s', not %d '%s'", values[i].behaviour, status, problem_of(options),
                     values[i].status, values[i].problem);
        if (status)
            assert_int_equal(problem->code, status);
        if (status != -ENOENT && value_of(options, values[i].name) != values[i].expect)
            fail_msg("%s: %" PRId64 ", not %" PRId64, values[i].behaviour,
                     value_of(options, values[i].name), values[i].expect);
        jrpc_options_free(options);
    }
}

static void a_refused_value_leaves_the_old_one(void **state)
{
    jrpc_options *options = new_options();
    (void)state;

    assert_int_equal(jrpc_options_set(options, "batch_max", "5"), 0);
    assert_int_equal(jrpc_options_set(options, "batch_max", "many"), -EINVAL);
    assert_int_equal(value_of(options, "batch_max"), 5);
    jrpc_options_free(options);
}

static void a_success_clears_the_problem(void **state)
{
    jrpc_options *options = new_options();
    (void)state;

    assert_null(jrpc_options_problem(options));
    assert_int_equal(jrpc_options_set(options, "batch_max", "many"), -EINVAL);
    assert_non_null(jrpc_options_problem(options));
    assert_int_equal(jrpc_options_set(options, "batch_max", "5"), 0);
    assert_null(jrpc_options_problem(options));
    jrpc_options_free(options);
}

static void integers_of_flags_are_0_and_1(void **state)
{
    jrpc_options *options = new_options();
    (void)state;

    assert_int_equal(jrpc_options_set_integer(options, "debug", 1), 0);
    assert_int_equal(value_of(options, "debug"), 1);
    assert_int_equal(jrpc_options_set_integer(options, "debug", 2), -ERANGE);
    assert_string_equal(problem_of(options), "debug: 2 is neither 0 nor 1");
    assert_int_equal(jrpc_options_set_integer(options, "debgu", 1), -ENOENT);
    assert_string_equal(problem_of(options), "debgu: no such option, did you mean debug?");
    jrpc_options_free(options);
}

static void misuse_is_refused(void **state)
{
    jrpc_options *options = new_options();
    (void)state;

    assert_int_equal(jrpc_options_new(NULL), -EINVAL);
    assert_int_equal(jrpc_options_set(NULL, "debug", "1"), -EINVAL);
    assert_int_equal(jrpc_options_set(options, NULL, "1"), -EINVAL);
    assert_non_null(jrpc_options_problem(options));
    assert_int_equal(jrpc_options_set_integer(NULL, "debug", 1), -EINVAL);
    assert_int_equal(jrpc_options_set_integer(options, NULL, 1), -EINVAL);
    assert_int_equal(jrpc_options_load(NULL, NULL), -EINVAL);
    assert_null(jrpc_options_problem(NULL));
    jrpc_options_free(options);
    jrpc_options_free(NULL);
}

/* How each origin writes the same option. */
static const char *const spellings[JRI_N_ORIGINS] = {
    [JRI_FROM_HOME] = "Batch_Max",
    [JRI_FROM_FILE] = "batch_max",
    [JRI_FROM_ENVIRONMENT] = "JRPC_BATCH_MAX",
    [JRI_FROM_CALL] = "batch_max",
};

static void put(jrpc_options *options, jri_origin origin, const char *value)
{
    jrpc_problem problem = {0};

    assert_int_equal(jri_options_put(options, origin, spellings[origin], value, &problem), 0);
}

static void the_strongest_origin_counts_whatever_the_order(void **state)
{
    static const char *const texts[JRI_N_ORIGINS] = {NULL, "1", "2", "3", "4"};
    (void)state;

    for (int first = JRI_FROM_HOME; first < JRI_N_ORIGINS; first++) {
        for (int second = JRI_FROM_HOME; second < JRI_N_ORIGINS; second++) {
            jrpc_options *options = new_options();
            put(options, (jri_origin)first, texts[first]);
            put(options, (jri_origin)second, texts[second]);
            assert_int_equal(value_of(options, "batch_max"), first > second ? first : second);
            jrpc_options_free(options);
        }
    }
}

static void null_takes_a_value_back(void **state)
{
    jrpc_options *options = new_options();
    (void)state;

    put(options, JRI_FROM_FILE, "2");
    put(options, JRI_FROM_CALL, "4");
    assert_int_equal(jrpc_options_set(options, "batch_max", NULL), 0);
    assert_int_equal(value_of(options, "batch_max"), 2);
    assert_int_equal(jrpc_options_set(options, "batch_max", NULL), 0);
    assert_int_equal(jrpc_options_set(options, "batch_maxx", NULL), -ENOENT);
    jrpc_options_free(options);
}

/* 0 means the default, not "as if it had not been set". */
static void zero_is_the_default_over_weaker_origins(void **state)
{
    jrpc_options *options = new_options();
    (void)state;

    put(options, JRI_FROM_ENVIRONMENT, "3");
    put(options, JRI_FROM_CALL, "0");
    assert_int_equal(value_of(options, "batch_max"), 1000);
    jrpc_options_free(options);
}

/* A cell of a table in Markdown, without white space and backquotes around it. */
static char *next_cell(char **at)
{
    char *cell = strsep(at, "|");

    if (!cell)
        return NULL;
    cell += strspn(cell, " `");
    size_t len = strlen(cell);
    while (len && strchr(" `", cell[len - 1]))
        len--;
    cell[len] = '\0';
    return cell;
}

/* A cell must be a value that the option takes, and mean the number expected. */
static void check_cell(const char *name, const char *cell, int64_t expect)
{
    jrpc_options *options = new_options();

    if (!cell || jrpc_options_set(options, name, cell) != 0 || value_of(options, name) != expect)
        fail_msg("docs/options.md: %s: '%s' is not %" PRId64, name, cell ? cell : "", expect);
    jrpc_options_free(options);
}

/* A line of the page; rows of options begin with its name: | `name` | default | largest | … */
static void check_line(char *line, bool is_described[N_LISTED])
{
    if (strncmp(line, "| `", 3) != 0)
        return;

    next_cell(&line);
    const char *name = next_cell(&line), *value = next_cell(&line), *max = next_cell(&line);
    size_t i = 0;
    while (i < N_LISTED && strcmp(listed[i].name, name) != 0)
        i++;
    if (i == N_LISTED)
        fail_msg("docs/options.md: there is no option %s", name);

    check_cell(name, value, listed[i].value);
    if (listed[i].max > 1) /* a flag has no largest value */
        check_cell(name, max, listed[i].max);
    is_described[i] = true;
}

static void the_page_describes_every_option_as_it_is(void **state)
{
    static char page[PAGE_MAX];
    bool is_described[N_LISTED] = {false};
    FILE *file = fopen(JRPC_SOURCE_DIR "/docs/options.md", "r");
    (void)state;

    assert_non_null(file);
    size_t len = fread(page, 1, sizeof(page) - 1, file);
    fclose(file);
    assert_in_range(len, 1, sizeof(page) - 2);

    for (char *at = page, *line; (line = strsep(&at, "\n"));)
        check_line(line, is_described);
    for (size_t i = 0; i < N_LISTED; i++)
        if (!is_described[i])
            fail_msg("docs/options.md misses %s", listed[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_begins_at_its_default),
        cmocka_unit_test(every_number_has_its_range),
        cmocka_unit_test(a_value_is_taken_or_refused_with_a_reason),
        cmocka_unit_test(a_refused_value_leaves_the_old_one),
        cmocka_unit_test(a_success_clears_the_problem),
        cmocka_unit_test(integers_of_flags_are_0_and_1),
        cmocka_unit_test(misuse_is_refused),
        cmocka_unit_test(the_strongest_origin_counts_whatever_the_order),
        cmocka_unit_test(null_takes_a_value_back),
        cmocka_unit_test(zero_is_the_default_over_weaker_origins),
        cmocka_unit_test(the_page_describes_every_option_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * test_buf.c - the growable buffer and the arena
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/arena.h"
#include "core/buf.h"

/* Sizes that cannot be are asked for on purpose: let the sanitizers' malloc() say no, too. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void appends_add_up(void **state)
{
    jrpc_buf buf;
    (void)state;

    jri_buf_init(&buf, SIZE_MAX);
    assert_null(buf.data);
    for (int i = 0; i < 10000; i++) {
        char c = (char)('a' + i % 26);
        assert_int_equal(i % 2 ? jri_buf_put(&buf, c) : jrpc_buf_append(&buf, &c, 1), 0);
    }
    assert_int_equal(jri_buf_append_literal(&buf, "end"), 0);

    assert_int_equal(buf.len, 10003);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(buf.data[i], 'a' + i % 26);
    assert_memory_equal(buf.data + 10000, "end", 3);
    jri_buf_fini(&buf);
    assert_null(buf.data);
    assert_int_equal(buf.len + buf.cap, 0);
}

static void growth_is_doubling(void **state)
{
    size_t n_growths = 0, cap = 0;
    jrpc_buf buf;
    (void)state;

    jri_buf_init(&buf, SIZE_MAX);
    for (size_t i = 0; i < 1000000; i++) {
        assert_int_equal(jri_buf_put(&buf, 'x'), 0);
        n_growths += buf.cap != cap;
        cap = buf.cap;
    }
    assert_true(n_growths < 20);
    jri_buf_fini(&buf);
}

static void max_is_exact_and_a_failed_append_changes_nothing(void **state)
{
    jrpc_buf buf;
    (void)state;

    jri_buf_init(&buf, 1000);
    for (int i = 0; i < 100; i++)
        assert_int_equal(jri_buf_append_literal(&buf, "0123456789"), 0);
    assert_int_equal(jri_buf_put(&buf, 'x'), -EMSGSIZE);
    assert_int_equal(jri_buf_reserve(&buf, SIZE_MAX), -EMSGSIZE);
    assert_int_equal(jri_buf_reserve(&buf, 0), 0);
    assert_int_equal(buf.len, 1000);

    jri_buf_truncate(&buf, 995);
    assert_int_equal(jrpc_buf_append(&buf, "123456", 6), -EMSGSIZE);
    assert_int_equal(buf.len, 995);
    assert_int_equal(jrpc_buf_append(&buf, "12345", 5), 0);
    assert_memory_equal(buf.data + 990, "0123412345", 10);
    jri_buf_fini(&buf);
}

static void nothing_may_be_appended_to_a_buffer_without_room(void **state)
{
    jrpc_buf buf;
    (void)state;

    jri_buf_init(&buf, 0);
    assert_int_equal(jri_buf_put(&buf, 'x'), -EMSGSIZE);
    assert_int_equal(jrpc_buf_append(&buf, "", 0), 0);
    assert_null(buf.data);
}

static void sizes_that_cannot_be_are_refused(void **state)
{
    jrpc_buf buf;
    (void)state;

    jri_buf_init(&buf, SIZE_MAX);
    assert_int_equal(jri_buf_append_literal(&buf, "abc"), 0);
    assert_int_equal(jri_buf_reserve(&buf, SIZE_MAX), -EMSGSIZE);
    assert_int_equal(jri_buf_reserve(&buf, SIZE_MAX - 3), -ENOMEM);
    assert_int_equal(jri_buf_reserve(&buf, SIZE_MAX / 2 + 1), -ENOMEM);
    assert_int_equal(jri_buf_set_tail(&buf, SIZE_MAX), -ENOMEM);
    assert_int_equal(jri_buf_set_tail(&buf, SIZE_MAX - 3), -ENOMEM);
    assert_int_equal(buf.len, 3);
    assert_int_equal(buf.tail, 0);
    assert_memory_equal(buf.data, "abc", 3);
    jri_buf_fini(&buf);
}

/* The promise of error answers: whatever is appended, that much more fits without memory. */
static void the_tail_stays_free(void **state)
{
    jrpc_buf buf;
    (void)state;

    jri_buf_init(&buf, 5000);
    assert_int_equal(jri_buf_set_tail(&buf, 700), 0);
    while (jri_buf_put(&buf, 'x') == 0)
        assert_true(buf.cap - buf.len >= 700);
    assert_int_equal(buf.len, 5000);

    /* max does not bind the tail */
    assert_int_equal(jri_buf_set_tail(&buf, 900), 0);
    assert_true(buf.cap - buf.len >= 900);
    memset(buf.data + buf.len, 'y', 900);
    assert_int_equal(buf.data[4999], 'x');

    assert_int_equal(jri_buf_set_tail(&buf, 0), 0);
    jri_buf_truncate(&buf, 10);
    assert_int_equal(jri_buf_append_literal(&buf, "z"), 0);
    jri_buf_fini(&buf);
}

static void a_mark_undoes_appends(void **state)
{
    jrpc_buf buf;
    (void)state;

    jri_buf_init(&buf, SIZE_MAX);
    assert_int_equal(jri_buf_append_literal(&buf, "kept"), 0);
    size_t mark = buf.len;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(jri_buf_append_literal(&buf, "dropped"), 0);
    jri_buf_truncate(&buf, mark);
    assert_int_equal(jri_buf_append_literal(&buf, "!"), 0);
    assert_int_equal(buf.len, 5);
    assert_memory_equal(buf.data, "kept!", 5);
    jri_buf_fini(&buf);
}

static void clearing_keeps_little_memory_and_gives_much_back(void **state)
{
    jrpc_buf buf;
    (void)state;

    jri_buf_init(&buf, SIZE_MAX);
    assert_int_equal(jri_buf_append_literal(&buf, "small"), 0);
    assert_int_equal(jri_buf_set_tail(&buf, 10), 0);
    const char *data = buf.data;
    jri_buf_clear(&buf, 4096);
    assert_ptr_equal(buf.data, data);
    assert_int_equal(buf.len, 0);
    assert_int_equal(buf.tail, 0);

    assert_int_equal(jri_buf_reserve(&buf, 5000), 0);
    jri_buf_clear(&buf, 4096);
    assert_null(buf.data);
    assert_int_equal(buf.cap, 0);
    assert_int_equal(buf.max, SIZE_MAX);
    jri_buf_fini(&buf);
}

static void misuse_is_einval(void **state)
{
    jrpc_buf buf;
    (void)state;

    jri_buf_init(&buf, 10);
    assert_int_equal(jrpc_buf_append(/* buf */ NULL, "x", 1), -EINVAL);
    assert_int_equal(jrpc_buf_append(&buf, /* data */ NULL, 1), -EINVAL);
    assert_int_equal(jrpc_buf_append(&buf, /* data */ NULL, 0), 0);
    jri_buf_fini(&buf);
}

static void arena_memory_is_aligned_and_its_own(void **state)
{
    enum { N = 2000 };
    unsigned char *pieces[N];
    jri_arena arena;
    (void)state;

    jri_arena_init(&arena);
    for (size_t i = 0; i < N; i++) {
        pieces[i] = jri_arena_alloc(&arena, i);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], (int)(i % 251), i);
    }
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < i; k++)
            assert_int_equal(pieces[i][k], i % 251);
    jri_arena_fini(&arena);
}

static void an_arena_at_rest_takes_the_same_memory_again(void **state)
{
    jri_arena arena;
    (void)state;

    jri_arena_init(&arena);
    jri_arena_reset(&arena); /* of nothing */
    for (int i = 0; i < 100; i++)
        assert_non_null(jri_arena_alloc(&arena, 100));
    jri_arena_reset(&arena);
    void *first = jri_arena_alloc(&arena, 100);
    for (int i = 0; i < 10; i++) {
        jri_arena_reset(&arena);
        assert_ptr_equal(jri_arena_alloc(&arena, 100), first);
    }
    jri_arena_fini(&arena);
}

static void a_large_arena_is_given_back(void **state)
{
    jri_arena arena;
    (void)state;

    jri_arena_init(&arena);
    assert_non_null(jri_arena_alloc(&arena, 1 << 20));
    jri_arena_reset(&arena);
    assert_null(arena.chunks);
    assert_non_null(jri_arena_alloc(&arena, 1));
    jri_arena_fini(&arena);
}

static void an_arena_copies_and_ends_text(void **state)
{
    jri_arena arena;
    (void)state;

    jri_arena_init(&arena);
    assert_string_equal(jri_arena_copy(&arena, "abcdef", 3), "abc");
    assert_string_equal(jri_arena_copy(&arena, /* text */ NULL, 0), "");
    jri_arena_fini(&arena);
}

static void an_arena_refuses_what_cannot_be(void **state)
{
    jri_arena arena;
    (void)state;

    jri_arena_init(&arena);
    assert_null(jri_arena_alloc(&arena, SIZE_MAX));
    assert_null(jri_arena_alloc(&arena, SIZE_MAX - 16));
    assert_null(jri_arena_alloc(&arena, SIZE_MAX / 2 + 1));
    assert_non_null(jri_arena_alloc(&arena, 0));
    assert_null(jri_arena_alloc(&arena, SIZE_MAX - 7));
    assert_non_null(jri_arena_alloc(&arena, 10));
    jri_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_add_up),
        cmocka_unit_test(growth_is_doubling),
        cmocka_unit_test(max_is_exact_and_a_failed_append_changes_nothing),
        cmocka_unit_test(nothing_may_be_appended_to_a_buffer_without_room),
        cmocka_unit_test(sizes_that_cannot_be_are_refused),
        cmocka_unit_test(the_tail_stays_free),
        cmocka_unit_test(a_mark_undoes_appends),
        cmocka_unit_test(clearing_keeps_little_memory_and_gives_much_back),
        cmocka_unit_test(misuse_is_einval),
        cmocka_unit_test(arena_memory_is_aligned_and_its_own),
        cmocka_unit_test(an_arena_at_rest_takes_the_same_memory_again),
        cmocka_unit_test(a_large_arena_is_given_back),
        cmocka_unit_test(an_arena_copies_and_ends_text),
        cmocka_unit_test(an_arena_refuses_what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

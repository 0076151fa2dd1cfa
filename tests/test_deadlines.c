/* SPDX-License-Identifier: MIT */
/*
 * test_deadlines.c - the heap of what is due
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "deadlines.h"

enum { N = 1000 };

static void set(jri_deadlines *deadlines, jri_deadline *deadline, uint64_t at_ns)
{
    if (!deadline->place)
        assert_int_equal(jri_deadlines_reserve(deadlines), 0);
    jri_deadlines_set(deadlines, deadline, at_ns);
}

/* All come out in their order; how many. */
static size_t drain(jri_deadlines *deadlines)
{
    uint64_t last = 0;
    size_t n = 0;

    for (jri_deadline *first; (first = jri_deadlines_first(deadlines)); n++) {
        assert_true(first->at_ns >= last);
        last = first->at_ns;
        jri_deadlines_set(deadlines, first, UINT64_MAX);
        assert_int_equal(first->place, 0);
    }
    return n;
}

static void the_earliest_comes_first(void **state)
{
    jri_deadlines deadlines = {0};
    jri_deadline three[3] = {{0}};

    (void)state;
    assert_null(jri_deadlines_first(&deadlines));
    set(&deadlines, &three[0], 20);
    set(&deadlines, &three[1], 10);
    set(&deadlines, &three[2], 30);
    assert_ptr_equal(jri_deadlines_first(&deadlines), &three[1]);
    set(&deadlines, &three[2], 5);
    assert_ptr_equal(jri_deadlines_first(&deadlines), &three[2]);
    set(&deadlines, &three[2], 40);
    set(&deadlines, &three[1], UINT64_MAX);
    assert_ptr_equal(jri_deadlines_first(&deadlines), &three[0]);
    set(&deadlines, &three[1], UINT64_MAX); /* once more: nothing */
    assert_int_equal(drain(&deadlines), 2);
    jri_deadlines_fini(&deadlines);
}

static void any_order_is_kept(void **state)
{
    jri_deadlines deadlines = {0};
    jri_deadline *many = calloc(N, sizeof(*many));
    uint32_t random = 1;
    size_t n_out = 0;

    (void)state;
    assert_non_null(many);
    for (int i = 0; i < 20 * N; i++) {
        random = random * 1664525 + 1013904223;
        jri_deadline *one = &many[(random >> 8) % N];
        n_out += !one->place;
        uint64_t at_ns = random >> 28 ? (random >> 4) % 5000 : UINT64_MAX;
        n_out -= at_ns == UINT64_MAX;
        if (at_ns == UINT64_MAX && !one->place)
            continue;
        set(&deadlines, one, at_ns);
    }
    for (size_t i = 1; i <= deadlines.n; i++)
        assert_int_equal(deadlines.heap[i]->place, i);
    assert_int_equal(drain(&deadlines), n_out);
    free(many);
    jri_deadlines_fini(&deadlines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_earliest_comes_first),
        cmocka_unit_test(any_order_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * chaos.h - every allocation counted, and one of them failing
 *
 * For programs linked with chaos.c and the linker's --wrap (see CMakeLists.txt): the library's own
 * allocations and jansson's. All threads count, but those that are spared.
 */
#ifndef TEST_CHAOS_H
#define TEST_CHAOS_H

#include <stdbool.h>

/* Before the first jansson value is made. */
void chaos_install(void);

/* Whether this thread's allocations are spared from now on; what was so before. */
bool chaos_spare(bool is_to_be);

/* From here on allocations are counted; the n-th fails (0: none), and with is_lasting all later
 * ones too. */
void chaos_begin(unsigned n, bool is_lasting);

/* To here. Returns how many there were, those that failed included. */
unsigned chaos_end(void);

#endif

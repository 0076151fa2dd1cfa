/* SPDX-License-Identifier: MIT */
/*
 * hash.c - where the seed comes from
 */
#include "hash.h"

#include <sys/random.h>
#include <time.h>

/* From the kernel; early at boot or under a filter it may have none, then the time must do. */
uint64_t jri_random_seed(void)
{
    uint64_t seed;
    struct timespec now = {0};

    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == (ssize_t)sizeof(seed))
        return seed;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_nsec * 0x9e3779b97f4a7c15u ^ (uint64_t)now.tv_sec ^ (uintptr_t)&seed;
}

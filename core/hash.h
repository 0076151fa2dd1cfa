/* SPDX-License-Identifier: MIT */
/*
 * hash.h - one seeded hash of names for look-ups
 *
 * Seeded, so that a peer who chooses names cannot choose colliding ones. Not for anything secret.
 */
#ifndef JRI_HASH_H
#define JRI_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

uint64_t jri_random_seed(void);

/* The two halves of the product, folded. */
static inline uint64_t jri_hash_mix(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    uint64_t a_low = (uint32_t)a, a_high = a >> 32, b_low = (uint32_t)b, b_high = b >> 32;
    uint64_t middle = a_high * b_low + (a_low * b_low >> 32), other = a_low * b_high;
    uint64_t carry = ((uint32_t)middle + (other & UINT32_MAX)) >> 32;
    uint64_t high = a_high * b_high + (middle >> 32) + (other >> 32) + carry;
    return a * b ^ high;
#endif
}

/* One to seven bytes; together with their number different for different bytes. */
static inline uint64_t jri_hash_tail(const char *text, size_t len)
{
    uint32_t low, high;

    if (len < 4)
        return (uint64_t)(unsigned char)text[0] << 16 |
               (uint64_t)(unsigned char)text[len / 2] << 8 | (unsigned char)text[len - 1];
    memcpy(&low, text, 4);
    memcpy(&high, text + len - 4, 4);
    return (uint64_t)low << 32 | high;
}

/* Eight bytes a step, multiply and fold: the construction of wyhash. */
static inline uint64_t jri_hash(const char *text, size_t len, uint64_t seed)
{
    uint64_t hash = seed + len * 0x9e3779b97f4a7c15u;
    uint64_t word;

    while (len >= 8) {
        memcpy(&word, text, 8);
        hash = jri_hash_mix(hash ^ word, 0xe7037ed1a0b428dbu);
        text += 8;
        len -= 8;
    }
    if (len) {
        word = jri_hash_tail(text, len);
        hash = jri_hash_mix(hash ^ word, 0x8ebc6af09c88c6e3u);
    }
    return hash ^ hash >> 32;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * text.h - bytes of text, many at a time: plain runs, UTF-8, line ends
 *
 * A plain byte stands for itself inside a JSON string: ASCII, and neither a control character nor
 * a quotation mark nor a reverse solidus. Marks say which bytes are not plain; only the first mark
 * is sure, what is above it means nothing; 0: all plain. Nothing here reads past the end it is
 * given.
 */
#ifndef JRI_TEXT_H
#define JRI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define JRI_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define JRI_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* What is to be so even where a compiler finds it large: the way that every message goes. */
#define JRI_INLINE static inline __attribute__((always_inline))

static inline bool jri_text_is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

/* Eight bytes; the first is the lowest on every machine. */
static inline uint64_t jri_word_load(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline uint64_t jri_word_marks(uint64_t word)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t quote = word ^ each * '"', solidus = word ^ each * '\\';

    /* A subtraction borrows only out of a byte that is marked itself, hence "the first". */
    return (word | (word - each * 0x20) | (quote - each) | (solidus - each)) & each * 0x80;
}

/* How many digits stand first in the word; 8: it is all digits. */
static inline unsigned jri_word_digits(uint64_t word)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t values = word ^ each * '0';
    /* What is no digit is 10 or more; it carries only into bytes behind it. */
    uint64_t marks = ((values + each * (0x80 - 10)) | values) & each * 0x80;

    return marks ? (unsigned)__builtin_ctzll(marks) >> 3 : 8;
}

/* A block: as many bytes as are best looked at together. */
#ifdef __SSE2__

typedef unsigned jri_marks;
enum { JRI_BLOCK = 16 };

static inline jri_marks jri_block_marks(const char *at)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    __m128i solidus = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    /* Signed: bytes from 0x80 on are below the space, too. */
    __m128i outside = _mm_cmplt_epi8(bytes, _mm_set1_epi8(' '));

    return (jri_marks)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, solidus), outside));
}

/* Those of the last n bytes before end, 0 < n < JRI_BLOCK, of a text no shorter than a block. */
static inline jri_marks jri_block_last_marks(const char *end, size_t n)
{
    return jri_block_marks(end - JRI_BLOCK) >> (JRI_BLOCK - n);
}

/* Index of the first byte marked; marks is not 0. */
static inline size_t jri_block_first(jri_marks marks)
{
    return (unsigned)__builtin_ctz(marks);
}

#else

typedef uint64_t jri_marks;
enum { JRI_BLOCK = 8 };

static inline jri_marks jri_block_marks(const char *at)
{
    return jri_word_marks(jri_word_load(at));
}

static inline jri_marks jri_block_last_marks(const char *end, size_t n)
{
    uint64_t word = jri_word_load(end - JRI_BLOCK) >> (64 - 8 * n);
    return jri_word_marks(word) & ((UINT64_C(1) << 8 * n) - 1);
}

static inline size_t jri_block_first(jri_marks marks)
{
    return (unsigned)__builtin_ctzll(marks) >> 3;
}

#endif

/* The first byte that is not plain, or end. */
static inline const char *jri_text_plain(const char *at, const char *end)
{
    while (end - at >= JRI_BLOCK) {
        jri_marks marks = jri_block_marks(at);
        if (marks)
            return at + jri_block_first(marks);
        at += JRI_BLOCK;
    }
    while (at < end && jri_text_is_plain(*at))
        at++;
    return at;
}

/* Makes one line of JSON text, where every CR and LF is white space: they become blanks. */
static inline void jri_text_flatten(char *text, size_t len)
{
    if (!len) /* text may be NULL */
        return;
    for (const char *c = "\r\n"; *c; c++)
        for (char *at = text; (at = memchr(at, *c, (size_t)(text + len - at))) != NULL;)
            *at++ = ' ';
}

static inline bool jri_utf8_is_tail(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* Length of the character at `at`, which is before end; 0: not UTF-8 (RFC 3629, section 4). */
static inline size_t jri_utf8_step(const char *at, const char *end)
{
    unsigned char lead = (unsigned char)at[0];
    ptrdiff_t room = end - at;

    if (lead < 0x80)
        return 1;
    if (lead < 0xC2 || lead > 0xF4 || room < 2 || !jri_utf8_is_tail(at[1]))
        return 0;
    if (lead < 0xE0)
        return 2;

    /* The second byte tells overlong forms, surrogates and what lies beyond U+10FFFF. */
    unsigned char second = (unsigned char)at[1];
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
        (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F))
        return 0;
    if (room < 3 || !jri_utf8_is_tail(at[2]))
        return 0;
    if (lead < 0xF0)
        return 3;
    return room > 3 && jri_utf8_is_tail(at[3]) ? 4 : 0;
}

#endif

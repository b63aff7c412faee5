/* Many bytes at a time, and many bits, as far as the processor can. */
#ifndef WIDE_H
#define WIDE_H
#include <stdint.h>
#include <string.h>

#include "bytes.h"

/* PORTABLE: as on other processors than x86-64, to try it.
 *
 * Functions that are told how `wide` they are are made several times: for any processor (0), for those that look at 32 bytes
 * at a time and put scattered bits together by one instruction, quickly (1), and for those that look at 64 bytes and put
 * scattered bytes together so (2). Nothing comes out otherwise. */
typedef uint8_t Some __attribute__((vector_size(16)));
#if defined(__x86_64__) && !defined(PORTABLE)
#include <immintrin.h>
#define FOR_WIDE __attribute__((target("avx2,bmi,bmi2,popcnt")))
typedef uint8_t Many __attribute__((vector_size(32)));
FOR_WIDE static inline uint64_t sign_bits(const Many *of) { return (uint32_t)_mm256_movemask_epi8((__m256i)*of); }
FOR_WIDE static inline uint64_t put_together(uint64_t bits, uint64_t which) { return _pext_u64(bits, which); }
FOR_WIDE static inline uint64_t whole_bytes(uint64_t bits) { return _pdep_u64(bits, 0x0101010101010101ull) * 255; }

#if defined(__clang__) ? __clang_major__ >= 11 : __GNUC__ >= 9
#define HAS_WIDEST
#define FOR_WIDEST __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,avx2,bmi,bmi2,popcnt")))
#define ALL(c) _mm512_set1_epi8(c)
/* Return of which bytes each is `first` or one of so many behind it. */
#define ARE_OF(bytes, first, count) _mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, ALL(first)), ALL(count))
#define ARE(bytes, c) _mm512_cmpeq_epi8_mask(bytes, ALL(c))

/* What 64 bytes are, by bit: digits, what stands between words, letters, and what joins their parts. */
FOR_WIDEST static inline void take_kinds(const uint8_t *at, int is_json, uint64_t *kinds) {
    __m512i c = _mm512_loadu_si512(at);
    kinds[0] = ARE_OF(c, '0', 10);
    kinds[1] = ~ARE_OF(c, 33, 126 - 33 + 1) | ARE(c, '=');
    kinds[2] = ARE_OF(_mm512_or_si512(c, ALL(32)), 'a', 26);
    kinds[3] = ARE_OF(c, '-', 3) | ARE(c, '_') | ARE(c, '+');
    if (is_json) kinds[1] |= ARE(c, '"') | ARE(c, ',') | ARE(c, ':') | ARE_OF(c, '[', 3) | ARE(c, '{') | ARE(c, '}');
}

/* Put some of 64 bytes together; what stands behind them is written over. */
FOR_WIDEST static inline void put_bytes(const uint8_t *at, uint64_t which, uint8_t *out) {
    _mm512_storeu_si512(out, _mm512_maskz_compress_epi8(which, _mm512_loadu_si512(at)));
}

static int can_be_widest(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vbmi2");
}
#else
static int can_be_widest(void) { return 0; }
#endif

static int can_be_wide(void) {
    __builtin_cpu_init();
    int is_wide = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
                  __builtin_cpu_supports("popcnt") && !__builtin_cpu_is("znver1") && !__builtin_cpu_is("znver2");
    return is_wide + (is_wide && can_be_widest());
}
#else
#define FOR_WIDE
typedef Some Many;
static uint64_t sign_bits(const Many *of) { return (*of)[0] >> 7; }
static uint64_t put_together(uint64_t bits, uint64_t which) { return bits & which; }
static uint64_t whole_bytes(uint64_t bits) { return bits; }
static int can_be_wide(void) { return 0; }
#endif

#ifndef HAS_WIDEST
#define FOR_WIDEST
static void take_kinds(const uint8_t *at, int is_json, uint64_t *kinds) { (void)at, (void)is_json, (void)kinds; }
static void put_bytes(const uint8_t *at, uint64_t which, uint8_t *out) { (void)at, (void)which, (void)out; }
#endif

#if defined(__SSE2__) && !defined(PORTABLE)
INLINE uint64_t few_sign_bits(const Some *of) { return (uint32_t)_mm_movemask_epi8((__m128i)*of); }
#else
/* The lowest bits of eight bytes, put together by what a product adds up. */
INLINE uint64_t few_sign_bits(const Some *of) {
    uint64_t half[2];
    memcpy(half, of, sizeof(half));
    for (int each = 0; each < 2; each++) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        half[each] = __builtin_bswap64(half[each]);
#endif
        half[each] = (half[each] & 0x0101010101010101ull) * 0x0102040810204080ull >> 56;
    }
    return half[0] | half[1] << 8;
}
#endif

/* The compiler's own would be a call where not every processor counts bits. */
INLINE int count_bits(uint64_t bits, int wide) {
    if (wide) return __builtin_popcountll(bits);
    bits -= bits >> 1 & 0x5555555555555555ull;
    bits = (bits & 0x3333333333333333ull) + (bits >> 2 & 0x3333333333333333ull);
    return (int)(((bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0Full) * 0x0101010101010101ull >> 56);
}

/* Return where a text of a few bytes first stands; NULL where it does not. The first and the last of them are looked for. */
static const uint8_t *found(const uint8_t *at, const uint8_t *end, const uint8_t *what, size_t length) {
    for (; length && (size_t)(end - at) >= length + sizeof(Some); at += sizeof(Some)) {
        Some first, last;
        memcpy(&first, at, sizeof(Some));
        memcpy(&last, at + length - 1, sizeof(Some));
        first = (Some)(first == what[0]) & (Some)(last == what[length - 1]);
        for (uint64_t left = few_sign_bits(&first); left; left &= left - 1)
            if (!memcmp(at + __builtin_ctzll(left), what, length)) return at + __builtin_ctzll(left);
    }
    return memmem(at, (size_t)(end - at), what, length);
}

#endif

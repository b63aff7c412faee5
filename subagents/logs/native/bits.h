/* What the bytes of a line are, by bit, and what of it stays when what varies in words with digits is left out. */
#ifndef BITS_H
#define BITS_H
#include <stdint.h>
#include <string.h>

#include "stamps.h"
#include "wide.h"

enum { LONGEST_LINE = 8192, CHUNKS = LONGEST_LINE / 64 + 2 };

/* The bytes behind the origin. The stamp counts as what stands between words. */
typedef struct {
    const uint8_t *text;
    int32_t length, stamp, behind, is_json;
    int32_t chunks; /* the last one holds the end */
    uint64_t digits[CHUNKS], between[CHUNKS], letters[CHUNKS], marks[CHUNKS]; /* marks: the others, but for . - _ / + */
    uint64_t varies[CHUNKS]; /* words with digits, all of each */
    uint64_t told[CHUNKS];   /* what of those counts as it stands */
    const uint8_t *last;     /* where the bytes of the last chunk are */
    uint8_t copied[64];      /* those, where none behind them may be read */
} Bits;

/* Return the bits of a chunk that are places from `from` to before `to`. */
INLINE uint64_t bits_within(int32_t from, int32_t to, int32_t chunk) {
    from -= chunk * 64;
    to -= chunk * 64;
    if (from >= 64 || to <= 0) return 0;
    return (from > 0 ? ~0ull << from : ~0ull) & (to < 64 ? (1ull << to) - 1 : ~0ull);
}

/* What 16 or 32 bytes are, by bit. */
#define TAKE_KINDS(Vector, sign_bits_of)                                                                                 \
    do {                                                                                                                 \
        Vector c, digit, letter, none, joint;                                                                            \
        memcpy(&c, at + part, sizeof(Vector));                                                                           \
        digit = (Vector)(c - '0' < 10);                                                                                  \
        letter = (Vector)((c | 32) - 'a' < 26);                                                                          \
        none = (Vector)(c < 33) | (Vector)(c > 126) | (Vector)(c == '=');                                                \
        joint = (Vector)(c - '-' < 3) | (Vector)(c == '_') | (Vector)(c == '+');                                         \
        if (bits->is_json) {                                                                                             \
            none |= (Vector)(c == '"') | (Vector)(c == ',') | (Vector)(c == ':') | (Vector)(c - '[' < 3);                \
            none |= (Vector)(c == '{') | (Vector)(c == '}');                                                             \
        }                                                                                                                \
        digits |= sign_bits_of(&digit) << part;                                                                          \
        letters |= sign_bits_of(&letter) << part;                                                                        \
        between |= sign_bits_of(&none) << part;                                                                          \
        plain |= sign_bits_of(&joint) << part;                                                                           \
    } while (0)

INLINE void kinds_of(const uint8_t *at, Bits *bits, int32_t chunk, int wide) {
    uint64_t digits = 0, between = 0, letters = 0, plain = 0;
    if (wide > 1) {
        uint64_t kinds[4] = {0};
        take_kinds(at, bits->is_json, kinds);
        digits = kinds[0], between = kinds[1], letters = kinds[2], plain = kinds[3];
    } else if (wide)
        for (int part = 0; part < 64; part += (int)sizeof(Many)) TAKE_KINDS(Many, sign_bits);
    else
        for (int part = 0; part < 64; part += (int)sizeof(Some)) TAKE_KINDS(Some, few_sign_bits);
    bits->digits[chunk] = digits;
    bits->between[chunk] = between;
    bits->letters[chunk] = letters;
    bits->marks[chunk] = ~(digits | letters | plain);
}

/* Find all of each word that has a digit: what is behind the first one, by what is carried on adding; what is before it,
 * by steps. Marks in them are told: they could end what a header holds, such as quotes and brackets. */
INLINE void spread_digits(Bits *bits) {
    uint64_t carry = 0, next = 0;
    for (int32_t chunk = 0; chunk < bits->chunks; chunk++) {
        uint64_t words = ~bits->between[chunk], digits = bits->digits[chunk], sum;
        uint64_t over = (uint64_t)__builtin_add_overflow(words, digits, &sum);
        over |= (uint64_t)__builtin_add_overflow(sum, carry, &sum);
        carry = over;
        bits->varies[chunk] = ((sum ^ words) | digits) & words;
    }
    for (int32_t chunk = bits->chunks - 1; chunk >= 0; chunk--) {
        uint64_t words = ~bits->between[chunk], left = words, all = bits->varies[chunk];
        for (int step = 1; step < 64; step *= 2) {
            all |= left & all >> step;
            left &= left >> step;
        }
        all |= bits->between[chunk] ? next & words & ~(~0ull >> __builtin_clzll(bits->between[chunk])) : next;
        next = 0 - (all & 1);
        bits->varies[chunk] = all;
        bits->told[chunk] = all & bits->marks[chunk];
    }
}

INLINE void bits_of(const Line *line, Bits *bits, int wide) {
    const uint8_t *at = line->text;
    int32_t length = (int32_t)(line->end - at), chunk = 0;
    bits->text = at;
    bits->length = length;
    bits->stamp = (int32_t)(line->stamp - at);
    bits->behind = (int32_t)(line->behind - at);
    bits->is_json = line->is_json;
    for (; (chunk + 1) * 64 <= length; chunk++)
        kinds_of(at + chunk * 64, bits, chunk, wide);
    bits->chunks = chunk + 1;
    bits->last = at + chunk * 64;
    if (line->readable - bits->last < 64) {
        memset(bits->copied, 0, 64);
        memcpy(bits->copied, bits->last, (size_t)(length - chunk * 64));
        bits->last = bits->copied;
    }
    uint64_t own = (1ull << (length - chunk * 64)) - 1; /* what is behind the end stands between words */
    kinds_of(bits->last, bits, chunk, wide);
    bits->digits[chunk] &= own;
    bits->letters[chunk] &= own;
    bits->between[chunk] |= ~own;
    bits->digits[chunk + 1] = bits->letters[chunk + 1] = bits->marks[chunk + 1] = 0;
    bits->between[chunk + 1] = ~0ull;
    for (chunk = bits->stamp >> 6; chunk * 64 < bits->behind; chunk++) {
        uint64_t stamp = bits_within(bits->stamp, bits->behind, chunk);
        bits->digits[chunk] &= ~stamp;
        bits->between[chunk] |= stamp;
    }
    spread_digits(bits);
}

/* Take apart a line that stands by itself; return whether it may be of a class. */
static int bits_of_one(const Finders *all, const uint8_t *data, int64_t size, Line *line, Bits *bits) {
    *line = (Line){0};
    if (size <= 0 || size > LONGEST_LINE || !taken_apart(all, data, data + size, line)) return 0;
    bits_of(line, bits, 0);
    return 1;
}

/* What stays of a line where of words with digits only what is told does: its bytes, before which of them, or of the stamp
 * or the end, such a word ends, and which of those was more than a number. */
typedef struct {
    int32_t bytes, places, stamp;
    uint64_t words[CHUNKS + 1], mixed[CHUNKS + 1];
    uint8_t kept[LONGEST_LINE + 64 + 128];
} Rest;

INLINE uint64_t chosen_bits(uint64_t bits, uint64_t which, int wide) {
    if (wide) return put_together(bits, which);
    uint64_t found = 0;
    for (bits &= which; bits; bits &= bits - 1) found |= 1ull << count_bits(which & ((bits & -bits) - 1), 0);
    return found;
}

INLINE void add_bits(uint64_t *to, int32_t at, uint64_t bits) {
    to[at >> 6] |= bits << (at & 63);
    to[(at >> 6) + 1] = at & 63 ? bits >> (64 - (at & 63)) : 0;
}

INLINE int32_t chosen_bytes(const uint8_t *at, uint64_t which, uint8_t *out, int wide) {
    uint8_t *to = out;
    if (wide > 1) {
        put_bytes(at, which, out);
        return count_bits(which, 1);
    }
    for (int part = 0; part < 8; part++) {
        uint64_t few = which >> (part * 8) & 255;
        if (wide) {
            uint64_t chosen = put_together(eight(at + part * 8), whole_bytes(few));
            memcpy(to, &chosen, 8);
            to += count_bits(few, 1);
        } else {
            for (int place = 0; place < 8; place++) {
                *to = at[part * 8 + place];
                to += few >> place & 1;
            }
        }
    }
    return (int32_t)(to - out);
}

INLINE void rest_of(const Bits *bits, Rest *rest, int wide) {
    uint64_t carry = 0, before = 0, before_mixed = 0;
    rest->bytes = rest->places = 0;
    rest->words[0] = rest->mixed[0] = 0;
    for (int32_t chunk = 0; chunk < bits->chunks; chunk++) {
        uint64_t words = ~bits->between[chunk], varies = bits->varies[chunk], sum;
        uint64_t others = varies & ~bits->digits[chunk];
        uint64_t over = (uint64_t)__builtin_add_overflow(words, others, &sum);
        carry = over | (uint64_t)__builtin_add_overflow(sum, carry, &sum);
        uint64_t mixed = ((sum ^ words) | others) & words; /* from the first that is no digit on */
        uint64_t ends = (varies << 1 | before) & ~words, mixed_ends = (mixed << 1 | before_mixed) & ends;
        uint64_t stay = (~varies | bits->told[chunk]) & ~bits_within(bits->stamp, bits->behind, chunk);
        if (chunk == bits->chunks - 1) stay &= (1ull << (bits->length & 63)) - 1;
        uint64_t places = stay | ends;
        if (chunk == bits->stamp >> 6)
            rest->stamp = rest->places + count_bits(places & ((1ull << (bits->stamp & 63)) - 1), wide);
        const uint8_t *from = chunk == bits->chunks - 1 ? bits->last : bits->text + chunk * 64;
        rest->bytes += chosen_bytes(from, stay, rest->kept + rest->bytes, wide);
        add_bits(rest->words, rest->places, chosen_bits(ends, places, wide));
        add_bits(rest->mixed, rest->places, chosen_bits(mixed_ends, places, wide));
        rest->places += count_bits(places, wide);
        before = varies >> 63;
        before_mixed = mixed >> 63;
    }
    memset(rest->kept + rest->bytes, 0, 32);
}
#endif

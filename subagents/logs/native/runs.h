/* Which lines below a stamped one say the same: equal but for numbers, where lines are not indented. */
#ifndef RUNS_H
#define RUNS_H
#include <stdint.h>

#include "classes.h"
#include "stamps.h"

enum { LEAST_HEX = 6, MOST_EXACT = 4 };
enum { NO_VALUE = 0, LONG_NUMBER = MOST_EXACT + 1, HEX, HEX_BY_LETTER };

static int is_hex(uint8_t c) { return is_digit(c) || (uint8_t)((c | 32) - 'a') < 6; }

/* Say whether digits may be a time since 1970, from seconds to nanoseconds: then they are no number like others. */
static int is_epoch(const uint8_t *at, int64_t size) { return *at == '1' && size >= 10 && size <= 19 && (size - 10) % 3 == 0; }

static int is_in_word(uint8_t c) { return is_of_word(c) || c == '$'; }

/* Return what kind of value letters and digits are: a number, by how many digits it has, or one in hexadecimal. */
static int kind_of_value(const uint8_t *at, const uint8_t *end) {
    int64_t size = end - at;
    int digits = 0, letters = 0, prefixed = size > 2 && *at == '0' && (at[1] | 32) == 'x';
    for (const uint8_t *each = at + 2 * prefixed; each < end; each++) {
        if (!is_hex(*each)) return NO_VALUE;
        digits += is_digit(*each);
        letters += !is_digit(*each);
    }
    if (prefixed) return HEX;
    if (!letters) return size <= MOST_EXACT ? (int)size : is_epoch(at, size) ? NO_VALUE : LONG_NUMBER;
    if (!digits || size < LEAST_HEX) return NO_VALUE;
    return is_digit(*at) ? HEX : HEX_BY_LETTER;
}

/* Say whether what begins there may be the number of a line, behind the name of a file: surely one where it is `dotted`. */
static int is_place(const uint8_t *text, const uint8_t *begin, int dotted) {
    if (begin - text < 2 || begin[-1] != ':' || !is_letter(begin[-2])) return 0;
    for (begin -= 2; dotted && begin > text && is_letter(*begin);) begin--;
    return !dotted || *begin == '.';
}

/* Hash bytes with the kinds of values instead of values; not `finely`, nearly all values are of one kind. */
static uint64_t hashed_but_values(uint64_t h, const uint8_t *at, const uint8_t *end, int finely) {
    const uint8_t *text = at, *kept = at;
    while (at < end) {
        const uint8_t *begin = at;
        while (at < end && is_in_word(*at)) at++;
        int kind = at > begin && !is_place(text, begin, !finely) ? kind_of_value(begin, at) : NO_VALUE;
        if (kind) {
            h = mixed(hashed(h, kept, (size_t)(begin - kept)), (uint64_t)(finely || kind == HEX_BY_LETTER ? kind : HEX));
            kept = at;
        }
        while (at < end && !is_in_word(*at)) at++;
    }
    return hashed(h, kept, (size_t)(end - kept));
}

/* An indented line is a frame, mostly, or source: its numbers tell where. So is one of PHP's that begins with a number. */
static uint64_t hashed_below(uint64_t h, const uint8_t *at, const uint8_t *end) {
    if (at < end && (*at == ' ' || *at == '\t' || *at == '#')) return hashed(mixed(h, 1), at, (size_t)(end - at));
    return hashed_but_values(mixed(h, 2), at, end, 1);
}

#endif

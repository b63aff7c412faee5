/* Masked messages by number: what `mask` (patterns.py) and a dictionary of what it returns do.
 *
 * Plain C without Python.h; called through ctypes. A message beyond ASCII comes masked already, which masking again
 * leaves as it is. Nothing is written beyond the arrays that are handed in.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vocabulary.h"

enum { LETTER, BETWEEN, DIGIT, EQUALS };

static const uint8_t KIND_OF[256] = {
    ['\t'] = BETWEEN, ['\n'] = BETWEEN, ['\v'] = BETWEEN, ['\f'] = BETWEEN, ['\r'] = BETWEEN, [' '] = BETWEEN,
    ['|'] = BETWEEN, ['='] = EQUALS,
    ['0'] = DIGIT, ['1'] = DIGIT, ['2'] = DIGIT, ['3'] = DIGIT, ['4'] = DIGIT,
    ['5'] = DIGIT, ['6'] = DIGIT, ['7'] = DIGIT, ['8'] = DIGIT, ['9'] = DIGIT,
};

/* Masks the first characters of a message: a word with a digit becomes `*`, what stands before an `=` in it is kept;
 * `|` ends a word, as a blank does.
 * Returns the length of what it has written, which is no more than it was given. */
static int64_t masked(const uint8_t *text, int64_t size, int64_t most, uint8_t *out) {
    int64_t length = 0, kept = 0, is_masked = 0;
    for (int64_t at = 0; at < size; at++) {
        uint8_t byte = text[at];
        if ((byte & 0xC0) != 0x80 && !most--) break;
        uint8_t kind = KIND_OF[byte];
        if (kind == BETWEEN) {
            out[length++] = byte;
            kept = length;
            is_masked = 0;
        } else if (is_masked) {
            continue;
        } else if (kind == DIGIT) {
            length = kept;
            out[length++] = '*';
            is_masked = 1;
        } else {
            out[length++] = byte;
            if (kind == EQUALS) kept = length;
        }
    }
    return length;
}

EXPORT void keys_free(Words *keys) { free_words(keys); }

EXPORT Words *keys_new(uint64_t seed, uint64_t secret) { return no_words(seed, secret); }

static int64_t begin(const int64_t *ends, int64_t row) { return row ? ends[row - 1] : 0; }

/* Numbers messages by their first `chars` characters, masked, and what is put behind them as it is (`more`, where there
 * is any). A new one gets the number `next` and so on, up to `last`; what then has no room gets 0.
 *
 * Returns how many of both there are, -1 where there is no memory. Their rows are put in `rows`, and what they are in
 * `texts`, which has room for all that is given, each to its end in `text_ends`. */
EXPORT int64_t keys_find(
    Words *keys, const uint8_t *given, const int64_t *ends, const uint8_t *more, const int64_t *more_ends, int64_t count,
    int64_t chars, int32_t next, int32_t last, int32_t *numbers, int64_t *rows, uint8_t *texts, int64_t *text_ends
) {
    int64_t found = 0, used = 0;
    for (int64_t row = 0; row < count; row++) {
        uint8_t *key = texts + used;
        int64_t start = begin(ends, row), length = masked(given + start, ends[row] - start, chars, key);
        if (more) {
            int64_t from = begin(more_ends, row);
            memcpy(key + length, more + from, (size_t)(more_ends[row] - from));
            length += more_ends[row] - from;
        }
        uint64_t hash = hash_of(keys, key, length);
        uint32_t place = place_for(keys, key, length, hash);
        numbers[row] = keys->table[place].number; /* 0 where it is missing */
        if (numbers[row]) continue;
        if (next <= last) {
            if (keep(keys, place, hash, key, length, next) < 0) return -1;
            numbers[row] = next++;
        }
        used += length;
        rows[found] = row;
        text_ends[found++] = used;
    }
    return found;
}

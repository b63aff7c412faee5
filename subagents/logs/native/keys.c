/* Masked messages by number: what `mask` (patterns.py) and a dictionary of what it returns do.
 *
 * Plain C without Python.h; called through ctypes. A message beyond ASCII comes masked already, which masking again
 * leaves as it is. Nothing is written beyond the arrays that are handed in.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

enum { LETTER, BETWEEN, DIGIT, EQUALS };

static const uint8_t KIND_OF[256] = {
    ['\t'] = BETWEEN, ['\n'] = BETWEEN, ['\v'] = BETWEEN, ['\f'] = BETWEEN, ['\r'] = BETWEEN, [' '] = BETWEEN,
    ['|'] = BETWEEN, ['='] = EQUALS,
    ['0'] = DIGIT, ['1'] = DIGIT, ['2'] = DIGIT, ['3'] = DIGIT, ['4'] = DIGIT,
    ['5'] = DIGIT, ['6'] = DIGIT, ['7'] = DIGIT, ['8'] = DIGIT, ['9'] = DIGIT,
};

typedef struct {
    uint64_t hash;
    int64_t start;
    int32_t length, number; /* number: 0 where the place is free */
} Key;

typedef struct {
    Key *table;
    uint64_t seed, factor; /* secret, so that nobody can write messages that fall on one place */
    uint32_t room, count;
    uint8_t *letters;
    int64_t used, letters_room;
} Keys;

static uint64_t hash_of(const Keys *keys, const uint8_t *key, int64_t length) {
    uint64_t found = keys->seed ^ (uint64_t)length * 0x9E3779B97F4A7C15u, part;
    int64_t at = 0;
    for (; at + 8 <= length; at += 8) {
        memcpy(&part, key + at, 8);
        found = folded(found ^ part, keys->factor);
    }
    part = 0;
    memcpy(&part, key + at, (size_t)(length - at));
    found = folded(found ^ part, keys->factor);
    return found ^ found >> 32;
}

/* Returns the place of a key in the table, or where it is missing. */
static uint32_t place_of(const Keys *keys, const uint8_t *key, int64_t length, uint64_t hash) {
    uint32_t place = (uint32_t)hash & (keys->room - 1);
    for (; keys->table[place].number; place = (place + 1) & (keys->room - 1)) {
        const Key *known = &keys->table[place];
        if (known->hash == hash && known->length == length &&
            !memcmp(keys->letters + known->start, key, (size_t)length))
            break;
    }
    return place;
}

static int grow(Keys *keys) {
    uint32_t room = keys->room * 2;
    Key *table = calloc(room, sizeof(Key));
    if (!table) return 0;
    for (uint32_t each = 0; each < keys->room; each++) {
        if (!keys->table[each].number) continue;
        uint32_t place = (uint32_t)keys->table[each].hash & (room - 1);
        while (table[place].number) place = (place + 1) & (room - 1);
        table[place] = keys->table[each];
    }
    free(keys->table);
    keys->table = table;
    keys->room = room;
    return 1;
}

/* Keeps a key at its free place. Returns 0 where there is no memory. */
static int keep(Keys *keys, uint32_t place, const uint8_t *key, int64_t length, uint64_t hash, int32_t number) {
    if (keys->used + length > keys->letters_room) {
        int64_t room = (keys->letters_room + length) * 3 / 2;
        uint8_t *letters = realloc(keys->letters, (size_t)room);
        if (!letters) return 0;
        keys->letters = letters;
        keys->letters_room = room;
    }
    memcpy(keys->letters + keys->used, key, (size_t)length);
    keys->table[place] = (Key){hash, keys->used, (int32_t)length, number};
    keys->used += length;
    return (uint64_t)++keys->count * 4 <= (uint64_t)keys->room * 3 || grow(keys);
}

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

EXPORT void keys_free(Keys *keys) {
    if (!keys) return;
    free(keys->table);
    free(keys->letters);
    free(keys);
}

EXPORT Keys *keys_new(uint64_t seed, uint64_t secret) {
    Keys *keys = calloc(1, sizeof(Keys));
    if (!keys) return 0;
    keys->seed = seed;
    keys->factor = secret | 1;
    keys->room = 1 << 12;
    keys->letters_room = 1 << 16;
    keys->table = calloc(keys->room, sizeof(Key));
    keys->letters = malloc((size_t)keys->letters_room);
    if (keys->table && keys->letters) return keys;
    keys_free(keys);
    return 0;
}

static int64_t begin(const int64_t *ends, int64_t row) { return row ? ends[row - 1] : 0; }

/* Numbers messages by their first `chars` characters, masked, and what is put behind them as it is (`more`, where there
 * is any). A new one gets the number `next` and so on, up to `last`; what then has no room gets 0.
 *
 * Returns how many of both there are, -1 where there is no memory. Their rows are put in `rows`, and what they are in
 * `texts`, which has room for all that is given, each to its end in `text_ends`. */
EXPORT int64_t keys_find(
    Keys *keys, const uint8_t *given, const int64_t *ends, const uint8_t *more, const int64_t *more_ends, int64_t count,
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
        uint32_t place = place_of(keys, key, length, hash);
        numbers[row] = keys->table[place].number;
        if (numbers[row]) continue;
        if (next <= last) {
            if (!keep(keys, place, key, length, hash, next)) return -1;
            numbers[row] = next++;
        }
        used += length;
        rows[found] = row;
        text_ends[found++] = used;
    }
    return found;
}

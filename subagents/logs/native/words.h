/* The words of a line that have digits, and the hash of a line without what varies in them. */
#ifndef WORDS_H
#define WORDS_H
#include <stdint.h>
#include <string.h>

#include "bits.h"
#include "classes.h"

enum { HEAD_WORDS = 4, GROUP_WORDS = 4, LITERAL_WORDS = 32 };

/* Return the first place from `from` on that has a bit; `length` where there is none before. */
static int32_t next_bit(const uint64_t *bits, int32_t from, int32_t length) {
    int32_t chunk = from >> 6;
    if (from >= length) return length;
    uint64_t left = bits[chunk] & (~0ull << (from & 63));
    while (!left) {
        if (++chunk * 64 >= length) return length;
        left = bits[chunk];
    }
    int32_t at = chunk * 64 + __builtin_ctzll(left);
    return at < length ? at : length;
}

/* Return the place behind the last one before `from` that has a bit, which is not before `floor`. */
static int32_t behind_bit(const uint64_t *bits, int32_t from, int32_t floor) {
    int32_t chunk = from >> 6;
    uint64_t left = from & 63 ? bits[chunk] & (~0ull >> (64 - (from & 63))) : 0;
    while (!left) {
        if (--chunk < floor >> 6) return floor;
        left = bits[chunk];
    }
    int32_t at = chunk * 64 + 64 - __builtin_clzll(left);
    return at > floor ? at : floor;
}

static uint64_t some_bits(const uint64_t *bits, int32_t from, int32_t count) {
    int32_t chunk = from >> 6, shift = from & 63;
    uint64_t found = bits[chunk] >> shift;
    if (shift && shift + count > 64) found |= bits[chunk + 1] << (64 - shift);
    return count < 64 ? found & ((1ull << count) - 1) : found;
}

/* Return how many words begin at the places `from` to `to`. */
static int words_begun(const Bits *bits, int32_t from, int32_t to) {
    int count = 0;
    for (int32_t chunk = from >> 6; chunk * 64 < to; chunk++) {
        uint64_t before = chunk ? bits->between[chunk - 1] >> 63 : 1;
        uint64_t begun = ~bits->between[chunk] & (bits->between[chunk] << 1 | before);
        if (chunk == from >> 6) begun &= ~0ull << (from & 63);
        if (to - chunk * 64 < 64) begun &= (1ull << (to - chunk * 64)) - 1;
        count += count_bits(begun, 0);
    }
    return count;
}

typedef struct {
    int32_t begin, end, index; /* the index counts words without digits too */
    int runs, named, path;
} Word;

/* Whether a request's path begins here: behind its method, in quotes or not, or named. */
static int is_request(const Bits *bits, int32_t begin) {
    const uint8_t *text = bits->text;
    int32_t at = begin - 1, capitals = 0;
    if (text[begin + (text[begin] == '"')] != '/' || at < 3) return 0;
    if (text[at] == '=') return at >= 4 && !memcmp(text + at - 4, "path", 4);
    if (text[at] != ' ') return 0;
    while (at > 3 && text[at - 1] == ' ') at--;
    if (at == bits->behind || at == bits->behind - 1) return 0;
    for (; at > 0 && text[at - 1] >= 'A' && text[at - 1] <= 'Z'; at--) capitals++;
    return capitals >= 3 && capitals <= 8;
}

INLINE void look_at(const Bits *bits, Word *word, int wide) {
    int32_t begin = word->begin, length = word->end - begin;
    word->path = is_request(bits, begin);
    word->runs = 3;
    word->named = 0;
    if (length > 64) return;
    uint64_t digits = some_bits(bits->digits, begin, length);
    word->runs = count_bits(digits & ~(digits << 1), wide);
    if (word->index >= HEAD_WORDS) return; /* beyond, nobody asks */
    uint64_t letters = some_bits(bits->letters, begin, length);
    uint64_t named = letters & letters >> 1 & letters >> 2; /* where three letters begin */
    int32_t digit = begin + __builtin_ctzll(digits);
    word->named = digit > begin && bits->text[digit - 1] == '[' && is_letter(bits->text[begin]);
    for (; named && !word->named; named &= named - 1) {
        const uint8_t *at = bits->text + begin + __builtin_ctzll(named);
        for (int letter = 0; letter < 3; letter++) word->named |= (at[letter] | 32) > 'f';
    }
}

/* Go to the next word with a digit in it; the first one is behind a word that is all zeros. */
static int next_word(const Bits *bits, Word *word) {
    int32_t begin = next_bit(bits->varies, word->end, bits->length), end = next_bit(bits->between, begin, bits->length);
    if (begin == bits->length) return 0;
    word->index += words_begun(bits, word->end, begin);
    if (word->end) word->index += 1;
    word->begin = begin;
    word->end = end;
    look_at(bits, word, 0);
    return 1;
}

/* Its letters tell something: a name with a number, not an id. */
static int is_fine(const Word *word) { return word->index < HEAD_WORDS && word->runs <= 2 && word->named && !word->path; }

static uint64_t hashed_fine(uint64_t h, const uint8_t *at, const uint8_t *end) {
    uint64_t packed = 0;
    int filled = 0;
    while (at < end) {
        uint8_t c = *at++;
        if (is_digit(c)) {
            c = '0';
            while (at < end && is_digit(*at)) at++;
        }
        packed = (packed << 8) | c;
        if (++filled == 8) {
            h = mixed(h, packed);
            packed = 0;
            filled = 0;
        }
    }
    return mixed(h, packed + ((uint64_t)filled << 60));
}

/* Return where a path ends, in a word: what is asked for behind it does not count. */
static const uint8_t *end_of_path(const uint8_t *at, const uint8_t *end) {
    const uint8_t *query = memchr(at, '?', (size_t)(end - at));
    return query ? query : end;
}

/* Parts of a path that have digits vary. */
static uint64_t hashed_path(uint64_t h, const uint8_t *at, const uint8_t *end) {
    end = end_of_path(at, end);
    while (at < end) {
        const uint8_t *part = at;
        int digits = 0;
        for (; at < end && *at != '/'; at++) digits |= is_digit(*at);
        h = digits ? mixed(h, 0x2A2A2A2A51ull) : mixed(hashed(h, part, (size_t)(at - part)), '/');
        if (at < end) at++;
    }
    return h;
}

/* Take in what stands between two places, but for the stamp. */
static uint64_t hashed_between(uint64_t h, const Bits *bits, int32_t from, int32_t to) {
    if (from <= bits->stamp && to >= bits->behind) {
        h = hashed(h, bits->text + from, (size_t)(bits->stamp - from));
        from = bits->behind;
    }
    return hashed(h, bits->text + from, (size_t)(to - from));
}

/* Whether a word holds one run of digits and no letters: a number, whatever stands around it. */
static int is_one_number(const Bits *bits, const Word *word) {
    int32_t length = word->end - word->begin;
    return word->runs == 1 && length <= 64 && !some_bits(bits->letters, word->begin, length);
}

/* Whether a word is a value outside of quotes that begins with a zero too many, which makes the line no object. */
static int is_padded(const Bits *bits, const Word *word) {
    const uint8_t *at = bits->text + word->begin, *before = at - 1;
    if (!bits->is_json || word->end - word->begin < 2 || word->begin < 2) return 0;
    if (*at == '-') at++;
    if (*at != '0' || bits->text + word->end - at < 2 || !is_digit(at[1])) return 0;
    if (*before == ',' || *before == '[') return 1;
    while (before > bits->text && *before == ' ') before--;
    return *before == ':' && before > bits->text && (before[-1] == '"' || before[-1] == ' ');
}

/* Of an id only the marks count that could end what a header holds, such as quotes and brackets; a plain number is none. */
static uint64_t hashed_coarse(uint64_t h, const Bits *bits, const Word *word) {
    int32_t length = word->end - word->begin;
    int is_number = length <= 20 && some_bits(bits->digits, word->begin, length) == (1ull << length) - 1;
    uint64_t marks = is_number ? 0x23232323ull : 0x2A2A2A2A2Aull;
    if (is_padded(bits, word)) marks = mixed(marks, '0');
    for (int32_t at = word->begin; at < word->end; at += 64) {
        int32_t count = word->end - at < 64 ? word->end - at : 64;
        for (uint64_t left = some_bits(bits->marks, at, count); left; left &= left - 1)
            marks = mixed(marks, bits->text[at + __builtin_ctzll(left)]);
    }
    return mixed(h, marks);
}

static uint64_t hashed_word(uint64_t h, const Bits *bits, const Word *word) {
    if (!is_fine(word)) return hashed_coarse(h, bits, word);
    return hashed_fine(h, bits->text + word->begin, bits->text + word->end);
}

static uint64_t finished(uint64_t h) {
    h = mixed(h, 0x94D049BB133111EBull);
    return h ^ (h >> 32);
}

/* Take in what is told of words by which the line is known: all of names, but for their numbers. */
INLINE uint64_t hashed_name(uint64_t h, Bits *bits, const Word *word, int wide) {
    uint64_t digits = some_bits(bits->digits, word->begin, word->end - word->begin), code = (uint64_t)word->index + 1;
    for (uint64_t runs = digits & ~(digits << 1); runs; runs &= runs - 1)
        code = code << 8 | (uint64_t)count_bits(~digits & ((runs & -runs) - 1), wide);
    for (int32_t chunk = word->begin >> 6; chunk * 64 < word->end; chunk++)
        bits->told[chunk] |= bits_within(word->begin, word->end, chunk) & ~bits->digits[chunk];
    return mixed(h, code);
}

INLINE uint64_t hashed_names(uint64_t h, Bits *bits, int wide) {
    uint64_t before = 0, before_words = 0;
    int index = 0; /* of the first word that begins in the chunk */
    for (int32_t chunk = 0; chunk < bits->chunks && index < HEAD_WORDS; chunk++) {
        uint64_t varies = bits->varies[chunk], words = ~bits->between[chunk];
        uint64_t all_begun = words & ~(words << 1 | before_words);
        for (uint64_t begun = varies & ~(varies << 1 | before); begun; begun &= begun - 1) {
            Word word = {.begin = chunk * 64 + __builtin_ctzll(begun)};
            word.index = index + count_bits(all_begun & ((begun & -begun) - 1), wide);
            if (word.index >= HEAD_WORDS) return h;
            word.end = next_bit(bits->between, word.begin, bits->length);
            look_at(bits, &word, wide);
            if (is_fine(&word)) h = hashed_name(h, bits, &word, wide);
        }
        index += count_bits(all_begun, wide);
        before = varies >> 63;
        before_words = words >> 63;
    }
    return h;
}

/* Take in which values of an object begin with a zero too many. */
static uint64_t hashed_padded(uint64_t h, const Bits *bits) {
    uint64_t before = 0, count = 0;
    for (int32_t chunk = 0; chunk < bits->chunks; before = bits->varies[chunk++] >> 63) {
        uint64_t begun = bits->varies[chunk] & ~(bits->varies[chunk] << 1 | before);
        for (; begun; begun &= begun - 1, count++) {
            Word word = {.begin = chunk * 64 + __builtin_ctzll(begun)};
            uint8_t c = bits->text[word.begin];
            if (c != '0' && c != '-') continue;
            word.end = next_bit(bits->between, word.begin, bits->length);
            if (is_padded(bits, &word)) h = mixed(h, count);
        }
    }
    return h;
}

/* Return the hash of a line without what varies, and how many of its bytes are in words with digits. */
INLINE uint64_t hashed_line(const Line *line, Bits *bits, uint64_t seed, int32_t *varied, int wide) {
    Rest rest;
    uint64_t h = hashed(mixed(seed, (uint64_t)line->finder), line->begin, (size_t)(line->text - line->begin)), other = ~seed;
    *varied = 0;
    for (int32_t chunk = 0; chunk < bits->chunks; chunk++) *varied += count_bits(bits->varies[chunk], wide);
    h = hashed_names(h, bits, wide);
    if (bits->is_json) h = hashed_padded(h, bits);
    rest_of(bits, &rest, wide);
    for (int32_t place = 0; place <= rest.places >> 6; place++) {
        h = folded(rest.words[place] ^ factor, rest.mixed[place] ^ h);
    }
    for (const uint8_t *at = rest.kept; at < rest.kept + rest.bytes; at += 32) {
        h = folded(eight(at) ^ factor, eight(at + 8) ^ h);
        other = folded(eight(at + 16) ^ (factor >> 32 | factor << 32), eight(at + 24) ^ other);
    }
    return finished(folded(h ^ ((uint64_t)rest.bytes << 32 | (uint64_t)rest.stamp), other ^ factor));
}

/* Find where the word with digits of a number begins and ends; 0 where the line has none. */
static int word_at(const Bits *bits, int index, Word *word) {
    uint64_t before = 0;
    for (int32_t chunk = 0; chunk < bits->chunks; chunk++) {
        uint64_t words = ~bits->between[chunk], begun = words & ~(words << 1 | before);
        before = words >> 63;
        for (; index && begun; index--) begun &= begun - 1;
        if (!begun) continue;
        word->begin = chunk * 64 + __builtin_ctzll(begun);
        word->end = next_bit(bits->between, word->begin, bits->length);
        return (int)(bits->varies[chunk] >> (word->begin & 63) & 1);
    }
    return 0;
}

/* Take in some words as they are; of a request's path, what does not vary. */
static uint64_t hashed_literally(const Bits *bits, uint64_t h, uint32_t literal) {
    for (; literal; literal &= literal - 1) {
        Word word;
        if (!word_at(bits, __builtin_ctz(literal), &word)) continue;
        const uint8_t *begin = bits->text + word.begin, *end = bits->text + word.end;
        h = is_request(bits, word.begin) ? hashed_path(h, begin, end) : hashed(h, begin, (size_t)(end - begin));
    }
    return finished(h);
}

/* Take in what stands before a word with digits, behind the one before it: it tells what it is. Not so a path. */
static uint64_t hashed_before(uint64_t h, const Bits *bits, int32_t told, int32_t end) {
    while (end > told && bits->between[(end - 1) >> 6] >> ((end - 1) & 63) & 1) end--;
    int32_t begin = behind_bit(bits->between, end, told);
    return memchr(bits->text + begin, '/', (size_t)(end - begin)) ? h : hashed(h, bits->text + begin, (size_t)(end - begin));
}

/* Whether what is read depends on words with digits is a matter of the layout: how the line begins, where such words
 * stand, and behind which word each. 0 for objects, whose fields may stand anywhere. */
static uint64_t group_of(const Classes *all, const Line *line, const Bits *bits) {
    if (line->is_json) return 0;
    uint64_t h = hashed(mixed(all->seed, (uint64_t)line->finder), line->begin, (size_t)(line->text - line->begin));
    uint64_t with_digits = 0, before = all->seed;
    Word word = {0};
    int32_t told = 0, last = 0;
    for (; next_word(bits, &word); last = word.end) {
        with_digits |= 1ull << (word.index < 63 ? word.index : 63);
        before = hashed_before(before, bits, last, word.begin);
        if (word.index >= GROUP_WORDS) continue;
        h = hashed_word(hashed_between(h, bits, told, word.begin), bits, &word);
        told = word.end;
    }
    int32_t at = told; /* the words that are left of the first ones */
    for (int left = GROUP_WORDS - words_begun(bits, 0, told); left > 0 && at < bits->length; left--) {
        while (at < bits->length && bits->between[at >> 6] >> (at & 63) & 1) at++;
        at = next_bit(bits->between, at, bits->length);
    }
    h = finished(mixed(mixed(hashed_between(h, bits, told, at), with_digits), before));
    return h ? h : 1;
}

/* Return the class of a line; NO_CLASS where there is no room. */
INLINE int32_t class_of(Classes *all, const Line *line, const Bits *bits, uint64_t hash) {
    uint32_t before = all->count;
    int32_t id = numbered(all, hash, -1);
    if (id < 0) return id;
    if (all->count > before && (all->group[id] = group_of(all, line, bits))) {
        const Settled *known = settled_at(all, all->group[id]);
        uint8_t flags = __atomic_load_n(&known->flags, __ATOMIC_ACQUIRE);
        if (known->group && flags) note(all, id, flags, known->literal, known->host_word);
    }
    if (!(flags_of(all, id) & LITERAL)) return id;
    return numbered(all, hashed_literally(bits, hash, all->literal[id]), id);
}

/* Return the number of the host that a word names, a new one where it is new; NO_HOST where there is no room. */
static int32_t host_of(Classes *all, const Bits *bits, int index) {
    Word word;
    if (!word_at(bits, index, &word) || word.end - word.begin >= HOST_LENGTH) return NO_HOST;
    const uint8_t *name = bits->text + word.begin;
    size_t length = (size_t)(word.end - word.begin);
    uint64_t hash = hashed(all->seed, name, length);
    uint32_t room = sizeof(all->host_slots) / sizeof(Slot), at = (uint32_t)(hash % room);
    for (; all->host_slots[at].id; at = (at + 1) % room)
        if (all->host_slots[at].hash == hash) return all->host_slots[at].id - 1;
    if (all->hosts >= MOST_HOSTS) return NO_HOST;
    memcpy(all->host_names[all->hosts], name, length);
    all->host_slots[at].hash = hash;
    all->host_slots[at].id = all->hosts + 1;
    __atomic_store_n(&all->hosts, all->hosts + 1, __ATOMIC_RELEASE); /* its name may be read from now on */
    return all->hosts - 1;
}

#endif

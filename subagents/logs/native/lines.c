/* First stage of the log pass: where lines begin, when they were written, and which of them are alike.
 *
 * Lines are alike (of one class) if they are equal after their stamp was taken out and what varies was left out of
 * words with digits. Classes are finer than the masked keys by which messages are grouped (patterns.py), so what is
 * read once of one line of a class holds for all of them. Learning, checking and naming are Python's.
 *
 * Plain C without Python.h; called through ctypes, which lets other threads run meanwhile. Nothing is written beyond
 * the arrays that are handed in, and nothing is read beyond the block: what stands behind a line tells nothing of it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "words.h"

enum { NO_FINDER = -1, NOT_LOOKED = -2 };

EXPORT Classes *classes_new(uint64_t seed, uint64_t secret) { return made(seed, secret); }

EXPORT void classes_free(Classes *all) {
    if (!all) return;
    free(all->slots);
    free(all);
}

EXPORT uint8_t *classes_flags(Classes *all) { return all->flags; }
EXPORT uint32_t *classes_literal(Classes *all) { return all->literal; }
EXPORT uint8_t *classes_host_word(Classes *all) { return all->host_word; }
EXPORT uint64_t *classes_group(Classes *all) { return all->group; }
EXPORT int32_t classes_hosts(const Classes *all) { return __atomic_load_n(&all->hosts, __ATOMIC_ACQUIRE); }
EXPORT const char *classes_host(const Classes *all, int32_t number) { return (const char *)all->host_names[number]; }
EXPORT int32_t classes_count(const Classes *all) { return (int32_t)all->count; }
EXPORT int32_t classes_room(void) { return MOST_CLASSES; }
EXPORT int32_t interface_number(void) { return 7; } /* another one whenever a function takes or means something else */
EXPORT int32_t finder_size(void) { return (int32_t)sizeof(Finder); }

EXPORT void classes_forget(Classes *all) { forget(all); }

EXPORT void classes_note(Classes *all, int32_t id, uint8_t flags, uint32_t literal, uint8_t host_word) {
    if (id >= 0 && id < MOST_CLASSES) note(all, id, flags, literal, host_word);
}

EXPORT void classes_settle(Classes *all, uint64_t group, uint8_t flags, uint32_t literal, uint8_t host_word) {
    if (group) settle(all, group, flags, literal, host_word);
}

EXPORT int32_t classes_find_by(Classes *all, const Finder *finders, int32_t count, int32_t origins) {
    return find_by(&all->finders, finders, count, origins) ? count : -1;
}

static const uint8_t *end_of(const uint8_t *begin, const uint8_t *line_feed) {
    return line_feed > begin && line_feed[-1] == '\r' ? line_feed - 1 : line_feed;
}

static int is_ascii(const uint8_t *at, const uint8_t *end) {
    uint64_t all = 0;
    for (; end - at >= 8; at += 8) all |= eight(at);
    for (; at < end; at++) all |= *at;
    return !(all & 0x8080808080808080ull);
}

static int is_odd(const uint8_t *at, const uint8_t *end, int32_t odd) {
    if (end - at > LONGEST_LINE) return 1;
    return (odd & 1 && memchr(at, 27, (size_t)(end - at))) || (odd & 2 && !is_ascii(at, end));
}

/* Where what is found out of the lines of a block goes, by line. */
typedef struct {
    int64_t *starts, *times;
    int8_t *finders;
    int16_t *places;
    int32_t *classes, *hosts;
    int16_t *varied;
} Columns;

/* A line whose place in the table is being fetched while the next one is taken apart. */
typedef struct {
    int64_t row; /* -1: none */
    uint64_t hash;
    Line line;
    Bits bits;
} Begun;

/* Look where the stamp of a line is; return whether its class may be asked for. */
INLINE int is_stamped(const Finders *all, Line *line, const uint8_t *at, const uint8_t *last, int64_t row, const Columns *to) {
    int known = taken_apart(all, at, last, line);
    to->places[row * 3] = (int16_t)(line->text - at);
    if (!line->stamp && (line->is_json || line->when == INT64_MIN)) to->finders[row] = NOT_LOOKED;
    if (line->stamp) {
        to->finders[row] = is_ascii(at, line->behind) ? (int8_t)line->finder : NOT_LOOKED;
        to->times[row] = line->when;
        to->places[row * 3 + 1] = (int16_t)(line->stamp - at);
        to->places[row * 3 + 2] = (int16_t)(line->behind - at);
    }
    return known;
}

static void settle_class(Classes *all, const Begun *of, const Columns *to) {
    if (of->row < 0) return;
    int32_t id = to->classes[of->row] = class_of(all, &of->line, &of->bits, of->hash);
    if (id < 0 || !(flags_of(all, id) & HOSTED)) return;
    to->hosts[of->row] = host_of(all, &of->bits, all->host_word[id]);
    if (to->hosts[of->row] == NO_HOST) to->classes[of->row] = NO_CLASS;
}

INLINE int64_t scan(Classes *all, const uint8_t *data, int64_t size, int32_t odd, int64_t room, const Columns *to, int wide) {
    const uint8_t *at = data, *end = data + size;
    Begun both[2];
    Minute minutes[MOST_FINDERS];
    int64_t row = 0;
    int turn = 0;
    both[1].row = -1;
    for (int32_t each = 0; each < all->finders.count; each++) minutes[each].length = 0;
    for (; at < end && row < room; row++) {
        const uint8_t *feed = memchr(at, '\n', (size_t)(end - at));
        const uint8_t *begin = at, *last = end_of(at, feed ? feed : end);
        Begun *now = &both[turn];
        int32_t varied = 0;
        now->line = (Line){.readable = end, .minutes = minutes};
        to->starts[row] = at - data;
        to->times[row] = INT64_MIN;
        to->finders[row] = is_odd(at, last, odd) ? NOT_LOOKED : NO_FINDER;
        int known = to->finders[row] == NO_FINDER && is_stamped(&all->finders, &now->line, begin, last, row, to);
        at = feed ? feed + 1 : end;
        if (!to->classes) continue;
        to->classes[row] = NO_CLASS;
        to->hosts[row] = NO_HOST;
        if (known) {
            now->row = row;
            bits_of(&now->line, &now->bits, wide);
            now->hash = hashed_line(&now->line, &now->bits, all->seed, &varied, wide);
            __builtin_prefetch(&all->slots[(uint32_t)now->hash & (all->room - 1)]);
            turn = !turn;
            settle_class(all, &both[turn], to);
            both[turn].row = -1;
        }
        to->varied[row] = (int16_t)varied;
    }
    if (to->classes) settle_class(all, &both[!turn], to);
    return row;
}

static int64_t scan_few(Classes *all, const uint8_t *data, int64_t size, int32_t odd, int64_t room, const Columns *to) {
    return scan(all, data, size, odd, room, to, 0);
}

FOR_WIDE static int64_t scan_many(Classes *all, const uint8_t *data, int64_t size, int32_t odd, int64_t room, const Columns *to) {
    return scan(all, data, size, odd, room, to, 1);
}

/* Read the lines of a block: where each begins, its time, its finder (NO_FINDER, or NOT_LOOKED where it has to go the long
 * way), and how far its text, its stamp and what stands behind that are from its beginning; its class (NO_CLASS where
 * nothing is known), its host where the class names it by a word, and how many of its bytes are in words with digits.
 * Without `classes` those are not asked.
 *
 * `odd`: the block holds bytes that only lines that go the long way may have: 1, escapes; 2, what is not UTF-8.
 * Returns how many lines there are; no more than `room` are written.
 */
EXPORT int64_t classes_scan(Classes *all, const uint8_t *data, int64_t size, int32_t odd, int64_t room, int64_t *starts,
                            int64_t *times, int8_t *finders, int16_t *places, int32_t *classes, int32_t *hosts,
                            int16_t *varied) {
    const Columns to = {starts, times, finders, places, classes, hosts, varied};
    return (all->wide ? scan_many : scan_few)(all, data, size, odd, room, &to);
}

/* Scan as any processor can from now on, which comes to the same; returns whether it was done otherwise. */
EXPORT int32_t classes_go_plainly(Classes *all) {
    int32_t was_wide = all->wide;
    all->wide = 0;
    return was_wide;
}

/* Put other digits in a run of them. Numbers of up to three become such as may be severities and statuses: where one
 * of them would be read, the number that stands there now must come out otherwise. */
static void other_digits(const uint8_t *at, int32_t count, uint8_t *out) {
    const char *with = NULL;
    if (count == 1) with = "34567012" + (*at & 7);
    if (count == 3) with = memcmp(at, "503", 3) ? "503" : "404";
    if (count == 2) with = *at == '5' ? "30" : "50";
    for (int32_t place = 0; place < count; place++)
        out[place] = with ? (uint8_t)with[place] : (uint8_t)('0' + (at[place] - '0' + 3) % 10);
}

static uint8_t other_letter(uint8_t c) {
    uint8_t base = c & 32 ? 'a' : 'A', place = (uint8_t)(c - base);
    return (uint8_t)(base + (place < 6 ? (place + 1) % 6 : 6 + (place - 5) % 20));
}

/* Put other things in a word; where a path is kept, only in its parts that vary. */
static void other_word(const Bits *bits, const Word *word, int kept, uint8_t *out) {
    for (int32_t at = word->begin; at < word->end; at++) {
        int letters = !kept && !is_fine(word);
        if (kept) {
            int32_t left = at, right = at;
            while (left > word->begin && bits->text[left - 1] != '/') left--;
            while (right < word->end && bits->text[right] != '/') right++;
            for (; left < right && !letters; left++) letters = is_digit(bits->text[left]);
        }
        int32_t digits = 0;
        while (at + digits < word->end && is_digit(bits->text[at + digits])) digits++;
        if (digits) {
            other_digits(bits->text + at, digits, out + at);
            at += digits - 1;
        } else if (letters && is_letter(bits->text[at])) {
            out[at] = other_letter(bits->text[at]);
        }
    }
}

/* Write a line of the same class in which other things stand in words with digits, but for those of `keep`.
 *
 * Where `only` is no less than 0, just that word is another. Returns which words with digits it has, by bit; those
 * beyond the first LITERAL_WORDS are in the highest bit. 0 where it has none, or the line is none of a class.
 */
uint64_t twin_of(const Classes *all, const uint8_t *data, int64_t size, uint32_t keep, int32_t only, uint8_t *out) {
    Line line = {0};
    Bits bits;
    Word word = {0};
    uint64_t words = 0;
    memcpy(out, data, (size_t)size);
    if (size <= 0 || size > LONGEST_LINE || !taken_apart(&all->finders, data, data + size, &line)) return 0;
    bits_of(&line, &bits, 0);
    while (next_word(&bits, &word)) {
        int is_first = word.index < LITERAL_WORDS;
        words |= is_first ? 1ull << word.index : 1ull << 63;
        int kept = is_first && keep >> word.index & 1;
        if ((kept && !word.path) || (only >= 0 && word.index != only)) continue;
        other_word(&bits, &word, kept, out + (line.text - data));
    }
    return words;
}

/* Whether a stamp is in its column only where what stands before it, as this byte does, is as long. */
static int holds_column(const Finders *all, const Line *line, const uint8_t *at) {
    if (!line->stamp || at >= line->stamp) return 0;
    const Finder *by = &all->finder[line->finder];
    return !by->json && by->start >= 0;
}

/* Write a line of the same class in which numbers became statuses, however many digits they had. Returns how long it is;
 * `out` has room for three times the line. */
int64_t wide_twin_of(const Classes *all, const uint8_t *data, int64_t size, uint32_t keep, int32_t only, uint8_t *out) {
    Line line = {0};
    Bits bits;
    Word word = {0};
    int64_t told = 0, length = 0;
    if (size > 0 && size <= LONGEST_LINE && taken_apart(&all->finders, data, data + size, &line)) {
        int64_t before = line.text - data;
        bits_of(&line, &bits, 0);
        while (next_word(&bits, &word)) {
            int kept = word.index < LITERAL_WORDS && keep >> word.index & 1;
            if (kept || (only >= 0 && word.index != only) || !is_one_number(&bits, &word)) continue;
            int32_t digit = next_bit(bits.digits, word.begin, word.end), end = digit;
            while (end < word.end && is_digit(bits.text[end])) end++;
            if (end - digit == 3 || holds_column(&all->finders, &line, bits.text + digit)) continue;
            memcpy(out + length, data + told, (size_t)(before + digit - told));
            length += before + digit - told;
            memcpy(out + length, "503", 3);
            length += 3;
            told = before + end;
        }
    }
    if (size > told) memcpy(out + length, data + told, (size_t)(size - told));
    return length + size - told;
}

/* Return where in a line the word with digits of a number begins, and how long it is; -1 where it has none. */
EXPORT int64_t classes_word(const Classes *all, const uint8_t *data, int64_t size, int32_t index, int64_t *length) {
    Line line = {0};
    Bits bits;
    Word word;
    if (size <= 0 || size > LONGEST_LINE || !taken_apart(&all->finders, data, data + size, &line)) return -1;
    bits_of(&line, &bits, 0);
    if (!word_at(&bits, index, &word)) return -1;
    *length = word.end - word.begin;
    return line.text - data + word.begin;
}

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

#include "odd.h"
#include "runs.h"
#include "twins.h"

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
EXPORT int32_t interface_number(void) { return 20; } /* another one whenever a function takes or means something else */
EXPORT int32_t finder_size(void) { return (int32_t)sizeof(Finder); }

EXPORT void classes_forget(Classes *all) { forget(all); }

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
    return (odd & HAS_ESCAPES && memchr(at, 27, (size_t)(end - at))) || (odd & ODD_BYTES && !is_ascii(at, end));
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

FOR_WIDEST static int64_t scan_most(Classes *all, const uint8_t *data, int64_t size, int32_t odd, int64_t room, const Columns *to) {
    return scan(all, data, size, odd, room, to, 2);
}

/* Read the lines of a block: where each begins, its time, its finder (NO_FINDER, or NOT_LOOKED where it has to go the long
 * way), and how far its text, its stamp and what stands behind that are from its beginning; its class (NO_CLASS where
 * nothing is known), its host where the class names it by a word, and how many of its bytes are in words with digits.
 * Without `classes` those are not asked.
 *
 * `odd`: the block holds bytes that only lines that go the long way may have, see odd.h.
 * Returns how many lines there are; no more than `room` are written.
 */
EXPORT int64_t classes_scan(Classes *all, const uint8_t *data, int64_t size, int32_t odd, int64_t room, int64_t *starts,
                            int64_t *times, int8_t *finders, int16_t *places, int32_t *classes, int32_t *hosts,
                            int16_t *varied) {
    const Columns to = {starts, times, finders, places, classes, hosts, varied};
    return (all->wide > 1 ? scan_most : all->wide ? scan_many : scan_few)(all, data, size, odd, room, &to);
}

/* Scan as a lesser processor from now on, which comes to the same; returns whether there is one. */
EXPORT int32_t classes_step_down(Classes *all) {
    int32_t was_wide = all->wide;
    all->wide -= was_wide > 0;
    return was_wide > 0;
}

/* Make twins of lines, each of the same class as the line: one that is as long, in `twins`, and in `wides` one in which
 * numbers of more or fewer digits became statuses, and where there are others, one in which those stay. It has room for six
 * times the lines. A line that is none of a class stays as it is. For many at once, for to ask for each by itself costs more
 * than to make it.
 *
 * Lines stand one after the other in `lines`, each to its end in `ends`. Where the wide ones end is put in `wide_ends`, two
 * for each, which words with digits a line has in `words`. */
EXPORT void twins_of(const Classes *all, const uint8_t *lines, const int64_t *ends, int64_t count, const uint32_t *keep,
                     const int32_t *only, uint64_t *words, uint8_t *twins, uint8_t *wides, int64_t *wide_ends) {
    Line line;
    Bits bits;
    int64_t begin = 0, wide = 0;
    for (int64_t at = 0; at < count; begin = ends[at++]) {
        size_t size = (size_t)(ends[at] - begin);
        int kinds = 0;
        words[at] = 0;
        memcpy(twins + begin, lines + begin, size);
        if (bits_of_one(&all->finders, lines + begin, ends[at] - begin, &line, &bits)) {
            words[at] = to_twin(&bits, keep[at], only[at], twins + (bits.text - lines));
            wide += wide_twin(&all->finders, &line, &bits, keep[at], only[at], 0, &kinds, wides + wide);
        } else {
            memcpy(wides + wide, lines + begin, size);
            wide += ends[at] - begin;
        }
        wide_ends[2 * at] = wide;
        if (kinds == (OF_THREE_DIGITS | OF_OTHERS))
            wide += wide_twin(&all->finders, &line, &bits, keep[at], only[at], 1, &kinds, wides + wide);
        wide_ends[2 * at + 1] = wide;
    }
}

/* Return where in a line the word with digits of a number begins, and how long it is; -1 where it has none. */
EXPORT int64_t classes_word(const Classes *all, const uint8_t *data, int64_t size, int32_t index, int64_t *length) {
    Line line;
    Bits bits;
    Word word;
    if (!bits_of_one(&all->finders, data, size, &line, &bits) || !word_at(&bits, index, &word)) return -1;
    *length = word.end - word.begin;
    return line.text - data + word.begin;
}

/* Hash runs of lines, each from the stamped line `heads` to before `behinds`, where another line stands. The first lines are
 * of one class and equal but for numbers where `of_heads` are the same, the others where `of_rests` are. Where lines begin
 * is in `starts`, and how far their stamps and texts are from there in `places`, as a scan returns them; `classes` has those of
 * the first lines alone. */
EXPORT void runs_hashed(const Classes *all, const uint8_t *data, const int64_t *starts, const int16_t *places,
                        const int32_t *classes, const int64_t *heads, const int64_t *behinds, int64_t count,
                        uint64_t *of_heads, uint64_t *of_rests) {
    for (int64_t run = 0; run < count; run++) {
        int64_t head = heads[run];
        const uint8_t *begin = data + starts[head], *end = end_of(begin, data + starts[head + 1] - 1);
        uint64_t h = mixed(all->seed, (uint64_t)classes[run]);
        h = hashed_but_values(h, begin + places[head * 3], begin + places[head * 3 + 1], 0);
        of_heads[run] = hashed_but_values(h, begin + places[head * 3 + 2], end, 0);
        h = mixed(all->seed, (uint64_t)(behinds[run] - head));
        for (int64_t row = head + 1; row < behinds[run]; row++) {
            begin = data + starts[row];
            h = hashed_below(h, begin, end_of(begin, data + starts[row + 1] - 1));
        }
        of_rests[run] = h;
    }
}

/* First stage of the log pass: where lines begin, when they were written, and which of them are alike.
 *
 * Lines are alike (of one class) if they are equal after their stamp was taken out and what varies was left out of
 * words with digits. Classes are finer than the masked keys by which messages are grouped (patterns.py), so what is
 * read once of one line of a class holds for all of them. Learning, checking and naming are Python's.
 *
 * Plain C without Python.h; called through ctypes, which lets other threads run meanwhile. Nothing is written beyond
 * the arrays that are handed in, and no line is read beyond its end.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

enum { LONGEST_LINE = 8192, ANCHOR = 48, BODY = 48, ZONE = 12, HEAD_WORDS = 4, GROUP_WORDS = 4, LITERAL_WORDS = 32, MOST_FINDERS = 128 };
enum { HEAD = 200 };
enum { MOST_CHILDREN = 1000, MOST_CLASSES = 1 << 19 };
enum { NO_CLASS = -1, NO_FINDER = -1, NOT_LOOKED = -2 };
enum { VERIFIED = 1, SLOW = 2, SPECIAL = 4, LITERAL = 8, CHILD = 16, HOSTED = 32 };
enum { NO_HOST = -1, MOST_HOSTS = 20000, HOST_LENGTH = 64 };
enum { ORIGIN_PRIORITY = 1, ORIGIN_BRACKETS = 2, ORIGIN_COMPOSE = 4, ORIGIN_STERN = 8 };
/* What a place of a template stands for; any other byte stands for itself. */
enum { ANY_DIGIT = 1, SPACE_OR_DIGIT = 2, MONTH = 3, IN_MONTH = 4 };
enum { AT_YEAR, AT_SHORT_YEAR, AT_MONTH, AT_MONTH_NAME, AT_DAY, AT_HOUR, AT_MINUTE, AT_SECOND, PLACES };

typedef struct {
    int32_t start; /* column behind the origin; -1: behind the anchor */
    int32_t json;  /* 1: the anchor is the name of a field, looked for in lines that are objects */
    int32_t anchor_length, body_length, fraction, zone_length;
    int32_t naive; /* 1: no zone may follow */
    int32_t epoch; /* digits of seconds, ms, us or ns since 1970; 0: the template says where the parts are */
    int32_t year;  /* where the stamp names none; 0: it does */
    int32_t days;  /* since 1970, where the stamp names no day; -1: it does */
    int32_t place[PLACES];
    int32_t unused;
    int64_t zone_us, latest_us; /* latest: of stamps without a year, beyond it they are of the year before */
    uint8_t anchor[ANCHOR], body[BODY], zone[ZONE], pad[4];
} Finder;

typedef struct {
    uint64_t hash;
    int32_t id; /* + 1; 0: free */
    int32_t unused;
} Slot;

typedef struct {
    uint64_t seed;
    Slot *slots;
    uint32_t room, count;
    int32_t finders, origins;
    Finder finder[MOST_FINDERS];
    int32_t order[MOST_FINDERS]; /* in which they are asked: fixed columns first, and of stamps at one place the longer one */
    uint8_t flags[MOST_CLASSES];
    uint8_t host_word[MOST_CLASSES];
    uint32_t literal[MOST_CLASSES];
    int32_t children[MOST_CLASSES];
    uint64_t group[MOST_CLASSES];
    Slot host_slots[MOST_HOSTS * 4 / 3 + 4096];
    int32_t hosts;
    uint8_t host_names[MOST_HOSTS][HOST_LENGTH];
} Classes;

static uint64_t rotated(uint64_t x, int by) { return (x << by) | (x >> (64 - by)); }

static uint64_t mixed(uint64_t h, uint64_t with) {
    h = (h ^ with) * 0x9E3779B97F4A7C15ull;
    return h ^ rotated(h, 29);
}

static uint64_t hashed(uint64_t h, const uint8_t *at, size_t length) {
    uint64_t word;
    h ^= length * 0xD6E8FEB86659FD93ull;
    for (; length >= 8; at += 8, length -= 8) {
        memcpy(&word, at, 8);
        h = mixed(h, word);
    }
    if (length) {
        word = 0;
        memcpy(&word, at, length);
        h = mixed(h, word);
    }
    return h;
}

static int is_digit(uint8_t c) { return (uint8_t)(c - '0') < 10; }
static int is_letter(uint8_t c) { return (uint8_t)((c | 32) - 'a') < 26; }

EXPORT Classes *classes_new(uint64_t seed) {
    Classes *all = calloc(1, sizeof(Classes));
    if (!all) return NULL;
    all->seed = seed;
    all->room = 1 << 14;
    all->slots = calloc(all->room, sizeof(Slot));
    if (!all->slots) {
        free(all);
        return NULL;
    }
    return all;
}

EXPORT void classes_free(Classes *all) {
    if (!all) return;
    free(all->slots);
    free(all);
}

EXPORT uint8_t *classes_flags(Classes *all) { return all->flags; }
EXPORT uint32_t *classes_literal(Classes *all) { return all->literal; }
EXPORT uint8_t *classes_host_word(Classes *all) { return all->host_word; }
EXPORT uint64_t *classes_group(Classes *all) { return all->group; }
EXPORT int32_t classes_hosts(const Classes *all) { return all->hosts; }
EXPORT const char *classes_host(const Classes *all, int32_t number) { return (const char *)all->host_names[number]; }
EXPORT int32_t classes_count(const Classes *all) { return (int32_t)all->count; }
EXPORT int32_t finder_size(void) { return (int32_t)sizeof(Finder); }

EXPORT void classes_forget(Classes *all) {
    memset(all->slots, 0, all->room * sizeof(Slot));
    memset(all->flags, 0, all->count);
    memset(all->literal, 0, all->count * sizeof(uint32_t));
    memset(all->children, 0, all->count * sizeof(int32_t));
    all->count = 0;
}

static int32_t width_of(const Finder *by) {
    return by->body_length + (by->fraction ? by->fraction + 1 : 0) + by->zone_length;
}

/* Names of fields keep their order: it says which is believed. */
static int is_before(const Finder *one, const Finder *other) {
    if ((one->start < 0) != (other->start < 0)) return one->start >= 0;
    if (one->json || other->json) return 0;
    if (one->start != other->start) return one->start < other->start;
    return width_of(one) > width_of(other);
}

EXPORT int32_t classes_find_by(Classes *all, const Finder *finders, int32_t count, int32_t origins) {
    if (count < 0 || count > MOST_FINDERS) return -1;
    memcpy(all->finder, finders, (size_t)count * sizeof(Finder));
    for (int32_t each = 0; each < count; each++) {
        int32_t at = each;
        for (; at > 0 && is_before(&all->finder[each], &all->finder[all->order[at - 1]]); at--)
            all->order[at] = all->order[at - 1];
        all->order[at] = each;
    }
    all->finders = count;
    all->origins = origins;
    return count;
}

static int grown(Classes *all) {
    uint32_t room = all->room * 2;
    Slot *slots = calloc(room, sizeof(Slot));
    if (!slots) return 0;
    for (uint32_t old = 0; old < all->room; old++) {
        if (!all->slots[old].id) continue;
        uint32_t at = (uint32_t)all->slots[old].hash & (room - 1);
        while (slots[at].id) at = (at + 1) & (room - 1);
        slots[at] = all->slots[old];
    }
    free(all->slots);
    all->slots = slots;
    all->room = room;
    return 1;
}

/* Return the class of a hash, a new one where there is none yet; NO_CLASS where there is no room. */
static int32_t numbered(Classes *all, uint64_t hash, int32_t parent) {
    uint32_t at = (uint32_t)hash & (all->room - 1);
    for (; all->slots[at].id; at = (at + 1) & (all->room - 1))
        if (all->slots[at].hash == hash) return all->slots[at].id - 1;
    if (parent >= 0 && ++all->children[parent] > MOST_CHILDREN) {
        all->flags[parent] = SLOW;
        return parent;
    }
    if (all->count >= MOST_CLASSES) return NO_CLASS;
    if (all->count * 2 >= all->room) {
        if (!grown(all)) return NO_CLASS;
        for (at = (uint32_t)hash & (all->room - 1); all->slots[at].id;) at = (at + 1) & (all->room - 1);
    }
    int32_t id = (int32_t)all->count++;
    all->slots[at].hash = hash;
    all->slots[at].id = id + 1;
    if (parent >= 0) {
        all->flags[id] = CHILD | VERIFIED | (all->flags[parent] & (SPECIAL | HOSTED));
        all->host_word[id] = all->host_word[parent];
    }
    return id;
}

/* Stamps */

static int month_of(const uint8_t *at) {
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int month = 0; month < 12; month++)
        if (!memcmp(at, names + month * 3, 3)) return month + 1;
    return 0;
}

static int64_t number(const uint8_t *at, int digits) {
    int64_t total = 0;
    for (; digits > 0; at++, digits--) total = total * 10 + (*at & 15);
    return total;
}

static int64_t days_of(int64_t year, int64_t month, int64_t day) {
    static const uint8_t longest[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int leap = (year % 4 == 0) && (year % 100 != 0 || year % 400 == 0);
    if (month < 1 || month > 12 || day < 1 || day > longest[month - 1] + (leap && month == 2)) return INT64_MIN;
    int64_t years = year - (month <= 2);
    int64_t in_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    return years * 365 + years / 4 - years / 100 + years / 400 + in_year - 719468;
}

/* What may follow a stamp without a zone, so that it is not taken from one that has a zone or more digits. */
static int ends_naive(const uint8_t *at, const uint8_t *end) {
    if (at == end) return 1;
    if (is_digit(*at)) return 0;
    if (strchr(".,:-", *at) && *at) return at + 1 == end || !is_digit(at[1]);
    if (*at == ' ') {
        at++;
        if (at == end) return 1;
        if (*at == '+' || *at == '-') {
            int digits = 0;
            while (digits < 4 && at + 1 + digits < end && is_digit(at[1 + digits])) digits++;
            return digits < 4;
        }
        if (*at == 'U') return at + 1 < end && at[1] != 'T';
        if (*at == 'G') return at + 1 < end && at[1] != 'M';
        return 1;
    }
    return *at != 'Z' && *at != '+';
}

static int is_body(const Finder *by, const uint8_t *at) {
    for (int place = 0; place < by->body_length; place++) {
        uint8_t c = at[place], wanted = by->body[place];
        if (wanted == ANY_DIGIT ? !is_digit(c) : wanted == SPACE_OR_DIGIT ? !is_digit(c) && c != ' '
            : wanted == MONTH ? !month_of(at + place) : wanted == IN_MONTH ? 0 : c != wanted)
            return 0;
    }
    return 1;
}

static int64_t moment_of(const Finder *by, const uint8_t *at) {
    const int32_t *place = by->place;
    int64_t us;
    if (by->epoch) {
        us = number(at, by->epoch);
        us = by->epoch == 10 ? us * 1000000 : by->epoch == 13 ? us * 1000 : by->epoch == 19 ? us / 1000 : us;
    } else {
        int64_t days = by->days, year = by->year;
        int64_t hour = number(at + place[AT_HOUR], 2), minute = number(at + place[AT_MINUTE], 2);
        int64_t second = number(at + place[AT_SECOND], 2);
        if (hour > 23 || minute > 59 || second > 59) return INT64_MIN;
        int64_t in_day = (hour * 3600 + minute * 60 + second) * 1000000;
        if (days < 0) {
            int64_t month = place[AT_MONTH_NAME] >= 0 ? month_of(at + place[AT_MONTH_NAME]) : number(at + place[AT_MONTH], 2);
            int64_t day = number(at + place[AT_DAY], 2);
            if (place[AT_YEAR] >= 0) year = number(at + place[AT_YEAR], 4);
            if (place[AT_SHORT_YEAR] >= 0) {
                year = number(at + place[AT_SHORT_YEAR], 2);
                year += year < 70 ? 2000 : 1900;
            }
            days = days_of(year, month, day);
            if (days != INT64_MIN && by->year && days * 86400000000ll + in_day > by->latest_us)
                days = days_of(year - 1, month, day);
            if (days == INT64_MIN) return INT64_MIN;
        }
        us = days * 86400000000ll + in_day;
    }
    if (by->fraction) {
        int digits = by->fraction < 6 ? by->fraction : 6;
        int64_t part = number(at + by->body_length + 1, digits);
        for (int more = digits; more < (by->epoch == 13 ? 3 : 6); more++) part *= 10;
        us += by->epoch == 13 && digits > 3 ? part / 1000 : part;
    }
    us -= by->zone_us;
    return us < 631152000000000ll || us > 4102444800000000ll ? INT64_MIN : us;
}

/* Return the width of the stamp that stands at a place, and when it says (INT64_MIN: no moment); 0 where there is none. */
static int stamp_at(const Finder *by, const uint8_t *at, const uint8_t *end, int64_t *when) {
    int width = width_of(by);
    if (end - at < width || !is_body(by, at)) return 0;
    const uint8_t *behind = at + by->body_length;
    if (by->fraction) {
        if (*behind != '.' && *behind != ',' && *behind != ':') return 0;
        for (int digit = 1; digit <= by->fraction; digit++)
            if (!is_digit(behind[digit])) return 0;
        behind += by->fraction + 1;
    }
    if (by->zone_length && memcmp(behind, by->zone, (size_t)by->zone_length)) return 0;
    behind += by->zone_length;
    if (by->naive ? !ends_naive(behind, end) : behind < end && is_digit(*behind)) return 0;
    *when = moment_of(by, at);
    return width;
}

static const uint8_t *behind_name(const Finder *by, const uint8_t *at, const uint8_t *end) {
    const uint8_t *name = memmem(at, (size_t)(end - at), by->anchor, (size_t)by->anchor_length);
    if (!name) return NULL;
    name += by->anchor_length;
    while (name < end && *name == ' ') name++;
    if (name == end || *name++ != ':') return NULL;
    while (name < end && *name == ' ') name++;
    return name < end && *name == '"' ? name + 1 : name;
}

/* A line, and where in it the stamp is. */
typedef struct {
    const uint8_t *begin, *text, *stamp, *behind, *end;
    int64_t when;
    int32_t finder, is_json;
} Line;

static int found_stamp(const Classes *all, Line *line, int is_json) {
    for (int32_t place = 0; place < all->finders; place++) {
        int32_t each = all->order[place];
        const Finder *by = &all->finder[each];
        const uint8_t *at = NULL, *end = line->end;
        if ((by->json != 0) != is_json) continue;
        if (by->json) {
            at = behind_name(by, line->text, end);
        } else if (by->start >= 0) {
            at = end - line->text > by->start ? line->text + by->start : NULL;
        } else {
            const uint8_t *reach = end - line->text > HEAD ? line->text + HEAD : end;
            at = memmem(line->text, (size_t)(reach - line->text), by->anchor, (size_t)by->anchor_length);
            if (at) at += by->anchor_length;
        }
        int width = at ? stamp_at(by, at, end, &line->when) : 0;
        if (!width) continue;
        if (line->when == INT64_MIN) return 0; /* what is no moment to us may be one to others */
        line->stamp = at;
        line->behind = at + width;
        line->finder = each;
        return 1;
    }
    return 0;
}

static int is_name(uint8_t c) { return is_letter(c) || is_digit(c) || c == '_' || c == '.' || c == '-'; }

/* Return what stands behind what a collector put before the line. */
static const uint8_t *without_origin(int32_t origins, const uint8_t *at, const uint8_t *end) {
    const uint8_t *next;
    if (origins & ORIGIN_BRACKETS && end - at > 5 && !memcmp(at, "[pod/", 5) && (next = memchr(at, ']', (size_t)(end - at)))) {
        at = next + 1;
        if (at < end && *at == ' ') at++;
    }
    if (origins & ORIGIN_PRIORITY && at < end && *at == '<') {
        for (next = at + 1; next < end && next < at + 4 && is_digit(*next);) next++;
        if (next > at + 1 && next < end && *next == '>') {
            const uint8_t *version = at = next + 1;
            while (version < end && version < at + 2 && is_digit(*version)) version++;
            if (version > at && version < end && *version == ' ') at = version + 1;
        }
    }
    if (origins & ORIGIN_COMPOSE && at < end && is_letter(*at)) {
        for (next = at; next < end && is_name(*next);) next++;
        while (next < end && *next == ' ') next++;
        if (next + 1 < end && next[0] == '|' && next[1] == ' ') at = next + 2;
    }
    if (origins & ORIGIN_STERN && at < end && is_letter(*at)) {
        for (next = at; next < end && is_name(*next);) next++;
        if (next < end && *next == ' ') {
            for (next++; next < end && is_name(*next);) next++;
            if (next < end && *next == ' ') at = next + 1;
        }
    }
    return at;
}

/* Return whether the line has a stamp; where not, nothing is said of it. */
static int taken_apart(const Classes *all, const uint8_t *begin, const uint8_t *end, Line *line) {
    const uint8_t *first;
    line->begin = begin;
    line->end = end;
    line->text = without_origin(all->origins, begin, end);
    for (first = line->text; first < end && (*first == ' ' || *first == '\t');) first++;
    line->is_json = first < end && *first == '{';
    if (!found_stamp(all, line, line->is_json)) return 0;
    if (!line->is_json) {
        for (first = line->behind; first < end && *first == ' ';) first++;
        line->is_json = first < end && *first == '{';
    }
    return !(line->is_json && memmem(line->text, (size_t)(end - line->text), "\\u", 2));
}

/* Words with digits */

enum { CHUNKS = LONGEST_LINE / 64 + 2 };

/* What the bytes behind the origin are, by bit. The stamp counts as what stands between words. */
typedef struct {
    const uint8_t *text;
    int32_t length, stamp, behind;
    uint64_t digits[CHUNKS], between[CHUNKS], letters[CHUNKS];
} Bits;

#ifdef __SSE2__
#include <emmintrin.h>

static __m128i within(__m128i c, uint8_t low, uint8_t high) {
    __m128i at = _mm_sub_epi8(c, _mm_set1_epi8((char)low));
    return _mm_cmpeq_epi8(_mm_min_epu8(at, _mm_set1_epi8((char)(high - low))), at);
}

static __m128i equal(__m128i c, char to) { return _mm_cmpeq_epi8(c, _mm_set1_epi8(to)); }

static void kinds_of(const uint8_t *at, int is_json, uint64_t *digits, uint64_t *between, uint64_t *letters) {
    *digits = *between = *letters = 0;
    for (int part = 0; part < 64; part += 16) {
        __m128i c = _mm_loadu_si128((const __m128i *)(at + part));
        __m128i none = _mm_or_si128(_mm_cmplt_epi8(c, _mm_set1_epi8(33)), _mm_or_si128(equal(c, 127), equal(c, '=')));
        if (is_json) {
            none = _mm_or_si128(none, _mm_or_si128(equal(c, '"'), _mm_or_si128(equal(c, ','), equal(c, ':'))));
            none = _mm_or_si128(none, _mm_or_si128(within(c, '[', ']'), _mm_or_si128(equal(c, '{'), equal(c, '}'))));
        }
        __m128i small = _mm_or_si128(c, _mm_set1_epi8(32));
        *digits |= (uint64_t)(uint32_t)_mm_movemask_epi8(within(c, '0', '9')) << part;
        *between |= (uint64_t)(uint32_t)_mm_movemask_epi8(none) << part;
        *letters |= (uint64_t)(uint32_t)_mm_movemask_epi8(within(small, 'a', 'z')) << part;
    }
}
#else
static void kinds_of(const uint8_t *at, int is_json, uint64_t *digits, uint64_t *between, uint64_t *letters) {
    *digits = *between = *letters = 0;
    for (int place = 0; place < 64; place++) {
        uint8_t c = at[place];
        int none = c <= ' ' || c >= 127 || c == '=' || (is_json && strchr("\",:{}[]\\", c));
        *digits |= (uint64_t)is_digit(c) << place;
        *between |= (uint64_t)none << place;
        *letters |= (uint64_t)is_letter(c) << place;
    }
}
#endif

static void bits_of(const Line *line, Bits *bits) {
    const uint8_t *at = line->text;
    int32_t length = (int32_t)(line->end - at), chunk = 0;
    bits->text = at;
    bits->length = length;
    bits->stamp = (int32_t)(line->stamp - at);
    bits->behind = (int32_t)(line->behind - at);
    for (; (chunk + 1) * 64 <= length; chunk++)
        kinds_of(at + chunk * 64, line->is_json, &bits->digits[chunk], &bits->between[chunk], &bits->letters[chunk]);
    uint8_t rest[64] = {0}; /* what is behind the end stands between words */
    memcpy(rest, at + chunk * 64, (size_t)(length - chunk * 64));
    kinds_of(rest, line->is_json, &bits->digits[chunk], &bits->between[chunk], &bits->letters[chunk]);
    bits->digits[chunk + 1] = bits->letters[chunk + 1] = 0;
    bits->between[chunk + 1] = ~0ull;
    for (int32_t place = bits->stamp; place < bits->behind; place++) {
        bits->digits[place >> 6] &= ~(1ull << (place & 63));
        bits->between[place >> 6] |= 1ull << (place & 63);
    }
}

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
        count += __builtin_popcountll(begun);
    }
    return count;
}

typedef struct {
    int32_t begin, end, index; /* the index counts words without digits too */
    int runs, named, path;
} Word;

static int is_request(const Bits *bits, int32_t begin) {
    int32_t at = begin - 1, capitals = 0;
    if (bits->text[begin] != '/' || at < 3 || bits->text[at] != ' ' || at == bits->behind - 1) return 0;
    for (; at > 0 && bits->text[at - 1] >= 'A' && bits->text[at - 1] <= 'Z'; at--) capitals++;
    return capitals >= 3 && capitals <= 8;
}

/* Go to the next word with a digit in it; the first one is behind a word that is all zeros. */
static int next_word(const Bits *bits, Word *word) {
    int32_t digit = next_bit(bits->digits, word->end, bits->length);
    if (digit == bits->length) return 0;
    int32_t begin = behind_bit(bits->between, digit, word->end), end = next_bit(bits->between, digit, bits->length);
    word->index += words_begun(bits, word->end, begin);
    if (word->end) word->index += 1;
    word->begin = begin;
    word->end = end;
    word->path = is_request(bits, begin);
    if (end - begin > 64) {
        word->runs = 3;
        word->named = 0;
        return 1;
    }
    uint64_t digits = some_bits(bits->digits, begin, end - begin), letters = some_bits(bits->letters, begin, end - begin);
    word->runs = __builtin_popcountll(digits & ~(digits << 1));
    uint64_t named = letters & letters >> 1 & letters >> 2; /* where three letters begin */
    word->named = digit > begin && bits->text[digit - 1] == '[' && is_letter(bits->text[begin]);
    for (; named && !word->named; named &= named - 1) {
        const uint8_t *at = bits->text + begin + __builtin_ctzll(named);
        for (int letter = 0; letter < 3; letter++) word->named |= (at[letter] | 32) > 'f';
    }
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

/* Parts of a path that have digits vary. */
static uint64_t hashed_path(uint64_t h, const uint8_t *at, const uint8_t *end) {
    while (at < end) {
        const uint8_t *part = at;
        int digits = 0;
        for (; at < end && *at != '/'; at++) digits |= is_digit(*at);
        h = digits ? mixed(h, 0x2A2A2A2A51ull) : hashed(h, part, (size_t)(at - part));
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

/* Of an id only the marks count that could end what a header holds, such as quotes and brackets; a plain number is none. */
static uint64_t hashed_coarse(uint64_t h, const Bits *bits, const Word *word) {
    int32_t length = word->end - word->begin;
    int is_number = length <= 20 && some_bits(bits->digits, word->begin, length) == (1ull << length) - 1;
    uint64_t marks = is_number ? 0x23232323ull : 0x2A2A2A2A2Aull;
    for (int32_t at = word->begin; at < word->end; at += 64) {
        int32_t count = word->end - at < 64 ? word->end - at : 64;
        uint64_t left = ~(some_bits(bits->digits, at, count) | some_bits(bits->letters, at, count));
        if (count < 64) left &= (1ull << count) - 1;
        for (; left; left &= left - 1) {
            uint8_t c = bits->text[at + __builtin_ctzll(left)];
            if (c != '.' && c != '-' && c != '_' && c != '/' && c != '+') marks = mixed(marks, c);
        }
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

static uint64_t hashed_line(const Line *line, const Bits *bits, uint64_t seed) {
    uint64_t h = hashed(mixed(seed, (uint64_t)line->finder), line->begin, (size_t)(line->text - line->begin));
    Word word = {0};
    int32_t told = 0;
    while (next_word(bits, &word)) {
        h = hashed_word(hashed_between(h, bits, told, word.begin), bits, &word);
        told = word.end;
    }
    return finished(hashed_between(h, bits, told, bits->length));
}

/* Take in some words as they are; of a request's path, what does not vary. */
static uint64_t hashed_literally(const Bits *bits, uint64_t h, uint32_t literal) {
    Word word = {0};
    while (next_word(bits, &word) && word.index < LITERAL_WORDS)
        if (literal >> word.index & 1) {
            const uint8_t *begin = bits->text + word.begin, *end = bits->text + word.end;
            h = word.path ? hashed_path(h, begin, end) : hashed(h, begin, (size_t)(end - begin));
        }
    return finished(h);
}

/* Whether what is read depends on words with digits is a matter of the layout: how the line begins, and where such words
 * stand. 0 for objects, whose fields may stand anywhere. */
static uint64_t group_of(const Classes *all, const Line *line, const Bits *bits) {
    if (line->is_json) return 0;
    uint64_t h = hashed(mixed(all->seed, (uint64_t)line->finder), line->begin, (size_t)(line->text - line->begin));
    uint64_t with_digits = 0;
    Word word = {0};
    int32_t told = 0;
    while (next_word(bits, &word)) {
        with_digits |= 1ull << (word.index < 63 ? word.index : 63);
        if (word.index >= GROUP_WORDS) continue;
        h = hashed_word(hashed_between(h, bits, told, word.begin), bits, &word);
        told = word.end;
    }
    int32_t at = told; /* the words that are left of the first ones */
    for (int left = GROUP_WORDS - words_begun(bits, 0, told); left > 0 && at < bits->length; left--) {
        while (at < bits->length && bits->between[at >> 6] >> (at & 63) & 1) at++;
        at = next_bit(bits->between, at, bits->length);
    }
    h = finished(mixed(hashed_between(h, bits, told, at), with_digits));
    return h ? h : 1;
}

static int32_t class_of(Classes *all, const Line *line, const Bits *bits) {
    uint64_t hash = hashed_line(line, bits, all->seed);
    uint32_t before = all->count;
    int32_t id = numbered(all, hash, -1);
    if (id < 0) return id;
    if (all->count > before) all->group[id] = group_of(all, line, bits);
    if (!(all->flags[id] & LITERAL)) return id;
    return numbered(all, hashed_literally(bits, hash, all->literal[id]), id);
}

/* Find the word with digits that has a number; 0 where the line has none. */
static int word_at(const Bits *bits, int index, Word *word) {
    memset(word, 0, sizeof(Word));
    while (next_word(bits, word))
        if (word->index >= index) return word->index == index;
    return 0;
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
    all->host_slots[at].id = ++all->hosts;
    return all->hosts - 1;
}

static const uint8_t *end_of(const uint8_t *begin, const uint8_t *line_feed) {
    return line_feed > begin && line_feed[-1] == '\r' ? line_feed - 1 : line_feed;
}

static int is_ascii(const uint8_t *at, const uint8_t *end) {
    uint8_t all = 0;
    for (; at < end; at++) all |= *at;
    return all < 128;
}

static int is_odd(const uint8_t *at, const uint8_t *end, int32_t odd) {
    if (end - at > LONGEST_LINE) return 1;
    return (odd & 1 && memchr(at, 27, (size_t)(end - at))) || (odd & 2 && !is_ascii(at, end));
}

/* Read the lines of a block: where each begins, its time, its finder (NO_FINDER, or NOT_LOOKED where it has to go the long
 * way), and how far its text, its stamp and what stands behind that are from its beginning; its class (NO_CLASS where
 * nothing is known), and its host where the class names it by a word. Without `classes` that is not asked.
 *
 * `odd`: the block holds bytes that only lines that go the long way may have: 1, escapes; 2, what is not UTF-8.
 * Returns how many lines there are; no more than `room` are written.
 */
EXPORT int64_t classes_scan(Classes *all, const uint8_t *data, int64_t size, int32_t odd, int64_t room, int64_t *starts,
                            int64_t *times, int8_t *finders, int16_t *places, int32_t *classes, int32_t *hosts) {
    const uint8_t *at = data, *end = data + size;
    int64_t lines = 0;
    Bits bits;
    for (; at < end && lines < room; lines++) {
        const uint8_t *feed = memchr(at, '\n', (size_t)(end - at));
        const uint8_t *last = end_of(at, feed ? feed : end);
        Line line = {0};
        starts[lines] = at - data;
        times[lines] = INT64_MIN;
        finders[lines] = is_odd(at, last, odd) ? NOT_LOOKED : NO_FINDER;
        int known = 0;
        if (finders[lines] == NO_FINDER) {
            known = taken_apart(all, at, last, &line);
            places[lines * 3] = (int16_t)(line.text - at);
            if (!line.stamp && (line.is_json || line.when == INT64_MIN)) finders[lines] = NOT_LOOKED;
            if (line.stamp) {
                finders[lines] = is_ascii(at, line.behind) ? (int8_t)line.finder : NOT_LOOKED;
                times[lines] = line.when;
                places[lines * 3 + 1] = (int16_t)(line.stamp - at);
                places[lines * 3 + 2] = (int16_t)(line.behind - at);
            }
        }
        at = feed ? feed + 1 : end;
        if (!classes) continue;
        classes[lines] = NO_CLASS;
        hosts[lines] = NO_HOST;
        if (!known) continue;
        bits_of(&line, &bits);
        int32_t id = classes[lines] = class_of(all, &line, &bits);
        if (id >= 0 && all->flags[id] & HOSTED && (hosts[lines] = host_of(all, &bits, all->host_word[id])) == NO_HOST)
            classes[lines] = NO_CLASS;
    }
    return lines;
}

/* Put other digits in a run of them. Numbers of two and three become such as may be severities and statuses: where one
 * of them would be read, the number that stands there now must come out otherwise. */
static void other_digits(const uint8_t *at, int32_t count, uint8_t *out) {
    const char *with = NULL;
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
EXPORT uint64_t classes_twin(const Classes *all, const uint8_t *data, int64_t size, uint32_t keep, int32_t only, uint8_t *out) {
    Line line;
    Bits bits;
    Word word = {0};
    uint64_t words = 0;
    memcpy(out, data, (size_t)size);
    if (size <= 0 || size > LONGEST_LINE || !taken_apart(all, data, data + size, &line)) return 0;
    bits_of(&line, &bits);
    while (next_word(&bits, &word)) {
        int is_first = word.index < LITERAL_WORDS;
        words |= is_first ? 1ull << word.index : 1ull << 63;
        int kept = is_first && keep >> word.index & 1;
        if ((kept && !word.path) || (only >= 0 && word.index != only)) continue;
        other_word(&bits, &word, kept, out + (line.text - data));
    }
    return words;
}

/* Return where in a line the word with digits of a number begins, and how long it is; -1 where it has none. */
EXPORT int64_t classes_word(const Classes *all, const uint8_t *data, int64_t size, int32_t index, int64_t *length) {
    Line line;
    Bits bits;
    Word word;
    if (size <= 0 || size > LONGEST_LINE || !taken_apart(all, data, data + size, &line)) return -1;
    bits_of(&line, &bits);
    if (!word_at(&bits, index, &word)) return -1;
    *length = word.end - word.begin;
    return line.text - data + word.begin;
}

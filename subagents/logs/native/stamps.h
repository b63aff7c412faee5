/* Where in a line its stamp is, and when it says. */
#ifndef STAMPS_H
#define STAMPS_H
#include <stdint.h>
#include <string.h>

enum { ANCHOR = 48, BODY = 48, ZONE = 12, LONGEST_FRACTION = 18, MOST_FINDERS = 128, HEAD = 200 };
enum { LAST_DAY = 2932896 };
#define LONGEST_ZONE 600000000000ll /* µs, more than +99:99 */
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
    int32_t count, origins;
    Finder finder[MOST_FINDERS];
    int32_t order[MOST_FINDERS]; /* in which they are asked: fixed columns first, and of stamps at one place the longer one */
    uint64_t asked[256][MOST_FINDERS / 64]; /* by the first byte of a line, which places of `order` can be it, by bit */
} Finders;

static int is_digit(uint8_t c) { return (uint8_t)(c - '0') < 10; }
static int is_letter(uint8_t c) { return (uint8_t)((c | 32) - 'a') < 26; }

static int32_t width_of(const Finder *by) {
    return by->body_length + (by->fraction ? by->fraction + 1 : 0) + by->zone_length;
}

/* Whether nothing that it names lies outside of it. */
static int is_sound(const Finder *by) {
    static const int32_t widths[PLACES] = {4, 2, 2, 3, 2, 2, 2, 2};
    if (by->body_length < 1 || by->body_length > BODY || by->zone_length < 0 || by->zone_length > ZONE) return 0;
    if (by->anchor_length < 0 || by->anchor_length > ANCHOR || by->fraction < 0 || by->fraction > LONGEST_FRACTION) return 0;
    if (by->start < -1 || by->start > HEAD || by->zone_us > LONGEST_ZONE || by->zone_us < -LONGEST_ZONE) return 0;
    if (by->epoch) return by->epoch == by->body_length && by->epoch > 0 && by->epoch <= 19;
    if (by->year < 0 || by->year > 9999 || by->days < -1 || by->days > LAST_DAY) return 0;
    for (int part = 0; part < PLACES; part++)
        if (by->place[part] < -1 || by->place[part] > by->body_length - widths[part]) return 0;
    for (int name = 0; name < by->body_length; name++)
        if (by->body[name] == MONTH && name + 3 > by->body_length) return 0;
    if (by->place[AT_HOUR] < 0 || by->place[AT_MINUTE] < 0 || by->place[AT_SECOND] < 0) return 0;
    return by->days >= 0 || (by->place[AT_DAY] >= 0 && (by->place[AT_MONTH] >= 0 || by->place[AT_MONTH_NAME] >= 0));
}

/* Names of fields keep their order: it says which is believed. */
static int is_before(const Finder *one, const Finder *other) {
    if ((one->start < 0) != (other->start < 0)) return one->start >= 0;
    if (one->json || other->json) return 0;
    if (one->start != other->start) return one->start < other->start;
    return width_of(one) > width_of(other);
}

/* Whether a stamp that begins the line can begin with a byte. */
static int may_begin(const Finder *by, uint8_t c) {
    uint8_t wanted = by->body[0];
    if (by->json || by->start != 0) return 1;
    if (wanted == MONTH) return is_letter(c);
    return wanted == ANY_DIGIT ? is_digit(c) : wanted == SPACE_OR_DIGIT ? is_digit(c) || c == ' ' : c == wanted;
}

static int find_by(Finders *all, const Finder *finders, int32_t count, int32_t origins) {
    if (count < 0 || count > MOST_FINDERS) return 0;
    for (int32_t each = 0; each < count; each++)
        if (!is_sound(&finders[each])) return 0;
    if (count) memcpy(all->finder, finders, (size_t)count * sizeof(Finder));
    for (int32_t each = 0; each < count; each++) {
        int32_t at = each;
        for (; at > 0 && is_before(&all->finder[each], &all->finder[all->order[at - 1]]); at--)
            all->order[at] = all->order[at - 1];
        all->order[at] = each;
    }
    memset(all->asked, 0, sizeof(all->asked));
    for (int32_t at = 0; at < count; at++)
        for (int c = 0; c < 256; c++)
            all->asked[c][at >> 6] |= (uint64_t)may_begin(&all->finder[all->order[at]], (uint8_t)c) << (at & 63);
    all->count = count;
    all->origins = origins;
    return 1;
}

static int month_of(const uint8_t *at) {
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int month = 0; month < 12; month++)
        if (!memcmp(at, names + month * 3, 3)) return month + 1;
    return 0;
}

static int64_t number(const uint8_t *at, int digits) {
    uint64_t total = 0;
    for (; digits > 0; at++, digits--) total = total * 10 + (*at & 15);
    return total > INT64_MAX ? INT64_MAX : (int64_t)total;
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
static int ends_naive(const Finder *by, const uint8_t *at, const uint8_t *end) {
    if (at == end) return 1;
    if (is_digit(*at)) return 0;
    if (*at == ':' && by->fraction) return 1; /* behind a fraction no other can follow */
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
    if (by->naive ? !ends_naive(by, behind, end) : behind < end && is_digit(*behind)) return 0;
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
    const uint8_t *readable; /* up to here bytes may be read, though they are none of the line's */
    int64_t when;
    int32_t finder, is_json;
} Line;

/* Look for one stamp: 1: it is there; 0: it is not; -1: it is there, but what is no moment to us may be one to others. */
static int has_stamp(const Finders *all, int32_t each, Line *line) {
    const Finder *by = &all->finder[each];
    const uint8_t *at = NULL, *end = line->end;
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
    if (!width) return 0;
    if (line->when == INT64_MIN) return -1;
    line->stamp = at;
    line->behind = at + width;
    line->finder = each;
    return 1;
}

static int found_stamp(const Finders *all, Line *line, int is_json) {
    if (line->text == line->end) return 0;
    for (int part = 0; part < MOST_FINDERS / 64; part++) {
        for (uint64_t left = all->asked[*line->text][part]; left; left &= left - 1) {
            int32_t each = all->order[part * 64 + __builtin_ctzll(left)];
            if ((all->finder[each].json != 0) != is_json) continue;
            int found = has_stamp(all, each, line);
            if (found) return found > 0;
        }
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
static int taken_apart(const Finders *all, const uint8_t *begin, const uint8_t *end, Line *line) {
    const uint8_t *first;
    line->begin = begin;
    line->end = line->readable = end;
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

#endif

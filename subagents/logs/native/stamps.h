/* Where in a line its stamp is, and when it says. */
#ifndef STAMPS_H
#define STAMPS_H
#include <stdint.h>
#include <string.h>

#include "finders.h"
#include "wide.h"

/* The minute in which the last stamp of a finder was: its text, and when it begins. */
typedef struct {
    int32_t length; /* 0: none */
    uint8_t text[BODY];
    int64_t us;
} Minute;

/* A line, and where in it the stamp is. */
typedef struct {
    const uint8_t *begin, *text, *stamp, *behind, *end;
    const uint8_t *readable; /* up to here bytes may be read, though they are none of the line's */
    int64_t when;
    int32_t finder, is_json;
    Minute *minutes; /* by finder; NULL: none are kept */
} Line;

static int month_of(const uint8_t *at) {
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int month = 0; month < 12; month++)
        if (!memcmp(at, names + month * 3, 3)) return month + 1;
    return 0;
}

static int is_weekday(const uint8_t *at, int64_t length) {
    static const char names[][10] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
    for (int day = 0; day < 7; day++)
        if ((length == 3 || length == (int64_t)strlen(names[day])) && !memcmp(at, names[day], (size_t)length)) return 1;
    return 0;
}

/* Whether a weekday stands before a place that is no end of a name, with what separates it from a date. */
static int is_behind_weekday(const uint8_t *text, const uint8_t *at) {
    if (at - text < 4 || at[-1] != ' ') return 0;
    const uint8_t *end = at[-2] == ',' ? at - 2 : at - 1, *begin = end;
    while (begin > text && end - begin <= LONGEST_WEEKDAY && is_letter(begin[-1])) begin--;
    if (begin > text && (is_digit(begin[-1]) || is_letter(begin[-1]) || memchr("_./-", begin[-1], 4))) return 0;
    return is_weekday(begin, end - begin);
}

static int64_t two_digits(const uint8_t *at) { return (at[0] & 15) * 10 + (at[1] & 15); }
static int64_t three_digits(const uint8_t *at) { return (at[0] & 15) * 100 + two_digits(at + 1); }

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

static int is_of_word(uint8_t c) { return is_letter(c) || is_digit(c) || c == '_' || c > 127; }

/* Whether a word is the name of a zone, or the half of a day where that may be. */
static int is_zone(const uint8_t *at, const uint8_t *end, int has_halves) {
    static const char names[][5] = {"Z",   "UTC",  "GMT",  "CET", "CEST", "EET", "EEST", "WET", "WEST",
                                    "BST", "MSK",  "EST",  "EDT", "CDT",  "MST", "MDT",  "PST", "PDT",
                                    "JST", "KST",  "SGT",  "HKT", "AEST", "AEDT", "NZST", "NZDT"};
    int length = 0;
    while (length < 5 && at + length < end && is_of_word(at[length])) length++;
    if (!length || length > 4) return 0;
    uint8_t last = at[length - 1];
    if (last == 'M') return has_halves && length == 2 && (*at == 'A' || *at == 'P');
    if (last != 'T' && last != 'C' && last != 'K' && last != 'Z') return 0;
    for (size_t each = 0; each < sizeof(names) / sizeof(names[0]); each++)
        if (!names[each][length] && !memcmp(at, names[each], (size_t)length)) return 1;
    return 0;
}

/* What may follow a stamp without a zone, so that it is not taken from one that has a zone or more digits. */
static int ends_naive(const Finder *by, const uint8_t *at, const uint8_t *end) {
    if (at == end) return 1;
    if (is_digit(*at)) return 0;
    if (*at == ':' && by->fraction) return 1; /* behind a fraction no other can follow */
    if (*at == '.' || *at == ',' || *at == ':' || *at == '-') return at + 1 == end || !is_digit(at[1]);
    if (*at == ' ') {
        at++;
        if (at == end) return 1;
        if (*at == '+' || *at == '-') {
            int digits = 0;
            while (digits < 4 && at + 1 + digits < end && is_digit(at[1 + digits])) digits++;
            return digits < 4;
        }
        return !is_zone(at, end, by->naive > 1);
    }
    return *at != 'Z' && *at != '+';
}

static int32_t weekday_at(const Finder *by, int32_t place) {
    int32_t length = 1;
    while (place + length < by->body_length && by->body[place + length] == IN_WEEKDAY) length++;
    return length;
}

/* Of what ranges of bytes do not tell: names of months and weekdays, and a digit or a space. */
static int is_body(const Finder *by, const uint8_t *at) {
    for (int place = 0; place < by->body_length; place++) {
        if (by->body[place] == SPACE_OR_DIGIT && !is_digit(at[place]) && at[place] != ' ') return 0;
        if (by->body[place] == MONTH && !month_of(at + place)) return 0;
        if (by->body[place] == WEEKDAY && !is_weekday(at + place, weekday_at(by, place))) return 0;
    }
    return 1;
}

static int is_before_fraction(uint8_t c) { return c == '.' || c == ',' || c == ':'; }

static int is_like(const Form *form, const uint8_t *at, const uint8_t *readable) {
    uint8_t copy[WIDEST];
    if (readable - at < WIDEST) {
        memset(copy, 0, WIDEST);
        at = memcpy(copy, at, (size_t)form->width);
    }
    for (int32_t part = 0; part < form->width; part += (int32_t)sizeof(Some)) {
        Some c, least, more;
        memcpy(&c, at + part, sizeof(c));
        memcpy(&least, form->least + part, sizeof(c));
        memcpy(&more, form->more + part, sizeof(c));
        c = (Some)((Some)(c - least) <= more);
        if (few_sign_bits(&c) != 0xFFFF) return 0;
    }
    return 1;
}

static int64_t epoch_of(const Finder *by, const uint8_t *at) {
    int64_t us = number(at, by->epoch);
    return by->epoch == 10 ? us * 1000000 : by->epoch == 13 ? us * 1000 : by->epoch == 19 ? us / 1000 : us;
}

/* Return when the minute of a stamp begins, or what is later than all where none does; the year may depend on the second. */
static int64_t minute_of(const Finder *by, const uint8_t *at, int64_t second) {
    const int32_t *place = by->place;
    int64_t days = by->days, year = by->year;
    int64_t hour = number(at + place[AT_HOUR], 2), minute = number(at + place[AT_MINUTE], 2);
    if (hour > 23 || minute > 59) return NO_MINUTE;
    int64_t in_day = (hour * 3600 + minute * 60) * 1000000;
    if (days < 0) {
        int64_t month = place[AT_MONTH_NAME] >= 0 ? month_of(at + place[AT_MONTH_NAME]) : number(at + place[AT_MONTH], 2);
        int64_t day = number(at + place[AT_DAY], 2);
        if (place[AT_YEAR] >= 0) year = number(at + place[AT_YEAR], 4);
        if (place[AT_SHORT_YEAR] >= 0) {
            year = number(at + place[AT_SHORT_YEAR], 2);
            year += year < 70 ? 2000 : 1900;
        }
        days = days_of(year, month, day);
        if (days != INT64_MIN && by->year && days * 86400000000ll + in_day + second * 1000000 > by->latest_us)
            days = days_of(year - 1, month, day);
        if (days == INT64_MIN) return NO_MINUTE;
    }
    return days * 86400000000ll + in_day - by->zone_us;
}

static int is_same(const uint8_t *one, const uint8_t *other, int32_t length) {
    uint64_t differ = eight(one + length - 8) ^ eight(other + length - 8);
    for (int32_t at = 0; at + 8 < length; at += 8) differ |= eight(one + at) ^ eight(other + at);
    return !differ;
}

/* Keep the minute of a stamp, but for one in which the year turns out another. */
static void keep_minute(const Finder *by, const Form *form, const uint8_t *at, int64_t us, Minute *kept) {
    if (!form->minute || us == NO_MINUTE) return;
    if (by->year && (minute_of(by, at, 0) != us || minute_of(by, at, 59) != us)) return;
    kept->length = form->minute;
    memcpy(kept->text, at, (size_t)form->minute);
    kept->us = us;
}

static int64_t fraction_of(const Finder *by, const uint8_t *at) {
    const uint8_t *first = at + by->body_length + 1;
    if (by->fraction == 3) return three_digits(first) * (by->epoch == 13 ? 1 : 1000);
    if (by->fraction == 6 && by->epoch != 13) return three_digits(first) * 1000 + three_digits(first + 3);
    int digits = by->fraction < 6 ? by->fraction : 6;
    int64_t part = number(first, digits);
    for (int more = digits; more < (by->epoch == 13 ? 3 : 6); more++) part *= 10;
    return by->epoch == 13 && digits > 3 ? part / 1000 : part;
}

static int64_t fraction_within(const Finder *by, const uint8_t *at) {
    int digits = by->within < 6 ? by->within : 6;
    int64_t part = number(at + by->place[AT_FRACTION], digits);
    for (; digits < 6; digits++) part *= 10;
    return part;
}

/* Write a stamp with the zeros that its numbers lack; return how many bytes it has without them, 0 where it is none. */
static int32_t with_zeros(const Finder *by, const Form *form, const uint8_t *at, const uint8_t *end, uint8_t *out) {
    const uint8_t *from = at;
    int32_t behind = form->width - by->body_length;
    for (int32_t place = 0; place < by->body_length;) {
        int32_t wanted = digits_at(by, place), digits = 0;
        if (!wanted && from == end) return 0;
        if (!wanted) {
            out[place++] = *from++;
            continue;
        }
        while (digits < wanted && from + digits < end && is_digit(from[digits])) digits++;
        if (!digits || (digits < wanted && wanted > RAGGED_DIGITS)) return 0;
        memset(out + place, '0', (size_t)(wanted - digits));
        memcpy(out + place + wanted - digits, from, (size_t)digits);
        place += wanted;
        from += digits;
    }
    if (end - from < behind) return 0;
    memcpy(out + by->body_length, from, (size_t)behind);
    return (int32_t)(from - at) + behind;
}

/* Return the width of the stamp that stands at a place, and when it says (INT64_MIN: no moment); 0 where there is none. */
static int stamp_at(const Finder *by, const Form *form, const uint8_t *at, Line *line, Minute *kept) {
    uint8_t copy[WIDEST];
    const uint8_t *behind, *readable = line->readable, *first = at;
    int32_t width = form->width;
    if (by->ragged) {
        memset(copy, 0, WIDEST);
        if (!(width = with_zeros(by, form, at, line->end, copy))) return 0;
        behind = at + width;
        at = copy;
        readable = copy + WIDEST;
    } else {
        if (line->end - at < width) return 0;
        behind = at + width;
    }
    if (!is_like(form, at, readable)) return 0;
    int is_kept = kept && kept->length && is_same(kept->text, at, form->minute);
    if (form->loose && !is_kept && !is_body(by, at)) return 0;
    if (by->fraction && !is_before_fraction(at[by->body_length])) return 0;
    if (by->bare && is_behind_weekday(line->text, first)) return 0;
    if (by->naive ? !ends_naive(by, behind, line->end) : behind < line->end && is_digit(*behind)) return 0;
    int64_t us, second = by->epoch ? 0 : two_digits(at + by->place[AT_SECOND]);
    if (by->epoch) {
        us = epoch_of(by, at) - by->zone_us;
    } else if (second > 59) {
        us = NO_MINUTE;
    } else {
        us = is_kept ? kept->us : minute_of(by, at, second);
        if (kept && !is_kept) keep_minute(by, form, at, us, kept);
    }
    int64_t part = by->fraction ? fraction_of(by, at) : by->within ? fraction_within(by, at) : 0;
    if (us != NO_MINUTE) us += second * 1000000 + part;
    line->when = us < 631152000000000ll || us > 4102444800000000ll ? INT64_MIN : us;
    return width;
}

static const uint8_t *behind_name(const Finder *by, const uint8_t *at, const uint8_t *end) {
    const uint8_t *name = found(at, end, by->anchor, (size_t)by->anchor_length);
    if (!name) return NULL;
    name += by->anchor_length;
    while (name < end && *name == ' ') name++;
    if (name == end || *name++ != ':') return NULL;
    while (name < end && *name == ' ') name++;
    return name < end && *name == '"' ? name + 1 : name;
}

static const uint8_t *behind_words(const Finder *by, const uint8_t *at, const uint8_t *end) {
    for (int32_t left = by->words; left; left--) {
        const uint8_t *space = memchr(at, ' ', (size_t)(end - at));
        if (!space || space == at) return NULL;
        at = space + 1;
    }
    return at;
}

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
        at = by->words ? behind_words(by, line->text, reach) : found(line->text, reach, by->anchor, (size_t)by->anchor_length);
        if (at && !by->words) at += by->anchor_length;
    }
    int width = at ? stamp_at(by, &all->form[each], at, line, line->minutes ? &line->minutes[each] : NULL) : 0;
    if (!width) return 0;
    if (line->when == INT64_MIN) return -1;
    line->stamp = at;
    line->behind = at + width;
    line->finder = each;
    return 1;
}

static int found_stamp(const Finders *all, Line *line, int is_json) {
    if (line->text == line->end) return 0;
    const uint8_t *text = line->text;
    for (int part = 0; part * 64 < all->count; part++) {
        uint64_t left = is_json ? all->in_objects[part] : ~all->in_objects[part];
        for (int which = 0; which < TELLING; which++)
            if (line->end - text > telling[which]) left &= all->asked[part][which][text[telling[which]]];
        for (; left; left &= left - 1) {
            int32_t each = all->order[part * 64 + __builtin_ctzll(left)];
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
    line->end = end;
    if (!line->readable) line->readable = end;
    line->text = without_origin(all->origins, begin, end);
    for (first = line->text; first < end && (*first == ' ' || *first == '\t');) first++;
    line->is_json = first < end && *first == '{';
    if (!found_stamp(all, line, line->is_json)) return 0;
    if (!line->is_json) {
        for (first = line->behind; first < end && *first == ' ';) first++;
        line->is_json = first < end && *first == '{';
    }
    return !(line->is_json && found(line->text, end, (const uint8_t *)"\\u", 2));
}

#endif

/* How stamps are looked for: where each may stand, of which bytes it is, and in which order they are asked for. */
#ifndef FINDERS_H
#define FINDERS_H
#include <stdint.h>
#include <string.h>

enum { WIDEST = 80 }; /* BODY, a fraction and ZONE */
enum { ANCHOR = 48, BODY = 48, ZONE = 12, LONGEST_FRACTION = 18, MOST_FINDERS = 128, HEAD = 200, RAGGED_DIGITS = 3 };
enum { LAST_DAY = 2932896, LONGEST_WEEKDAY = 9 };
#define NO_MINUTE INT64_MAX
#define LONGEST_ZONE 600000000000ll /* µs, more than +99:99 */
enum { ORIGIN_PRIORITY = 1, ORIGIN_BRACKETS = 2, ORIGIN_COMPOSE = 4, ORIGIN_STERN = 8 };
/* What a place of a template stands for; any other byte stands for itself. */
enum { ANY_DIGIT = 1, SPACE_OR_DIGIT = 2, MONTH = 3, IN_MONTH = 4, WEEKDAY = 5, IN_WEEKDAY = 6 };
enum { AT_YEAR, AT_SHORT_YEAR, AT_MONTH, AT_MONTH_NAME, AT_DAY, AT_HOUR, AT_MINUTE, AT_SECOND, AT_FRACTION, PLACES };

typedef struct {
    int32_t start; /* column behind the origin; -1: behind the anchor */
    int32_t json;  /* 1: the anchor is the name of a field, looked for in lines that are objects */
    int32_t anchor_length, body_length, fraction, zone_length;
    int32_t naive; /* 1: no zone may follow; 2: nor AM or PM */
    int32_t epoch; /* digits of seconds, ms, us or ns since 1970; 0: the template says where the parts are */
    int32_t year;  /* where the stamp names none; 0: it does */
    int32_t days;  /* since 1970, where the stamp names no day; -1: it does */
    int32_t place[PLACES];
    int32_t within; /* digits of the fraction, where it is a part of the body */
    int32_t words;  /* before the stamp, each with one space behind it; then start is -1 */
    int32_t ragged; /* 1: numbers of up to three digits may lack the zeros before them */
    int32_t turn;   /* those of a lower one are asked first */
    int32_t bare;   /* 1: before it no weekday may stand, with which it would be another stamp */
    int64_t zone_us, latest_us; /* latest: of stamps without a year, beyond it they are of the year before */
    uint8_t anchor[ANCHOR], body[BODY], zone[ZONE], pad[4];
} Finder;

/* Each byte of a stamp as the least it can be and how much more; where that says too little, `loose`, it is asked for. */
typedef struct {
    int32_t width, loose;
    int32_t minute; /* so many bytes of the body, if at least eight, say all but the seconds; 0: others do */
    int32_t sure;   /* so many bytes of it are where they are in all lines */
    uint8_t least[WIDEST], more[WIDEST];
} Form;

/* Bytes of a line by which few stamps are left that it may begin with. */
static const int32_t telling[] = {0, 2, 4, 5, 10, 19};
enum { TELLING = sizeof(telling) / sizeof(telling[0]) };

typedef struct {
    int32_t count, origins;
    Finder finder[MOST_FINDERS];
    Form form[MOST_FINDERS];
    int32_t order[MOST_FINDERS]; /* in which they are asked: of a turn fixed columns first, at one the longer */
    uint64_t asked[MOST_FINDERS / 64][TELLING][256]; /* by such a byte, which places of `order` can be it, by bit */
    uint64_t in_objects[MOST_FINDERS / 64];          /* which of them are looked for there and nowhere else */
} Finders;

static int is_digit(uint8_t c) { return (uint8_t)(c - '0') < 10; }
static int is_letter(uint8_t c) { return (uint8_t)((c | 32) - 'a') < 26; }

static int32_t width_of(const Finder *by) {
    return by->body_length + (by->fraction ? by->fraction + 1 : 0) + by->zone_length;
}

/* Whether nothing that it names lies outside of it. */
static int is_sound(const Finder *by) {
    static const int32_t widths[PLACES] = {4, 2, 2, 3, 2, 2, 2, 2, 0};
    if (by->body_length < 1 || by->body_length > BODY || by->zone_length < 0 || by->zone_length > ZONE) return 0;
    if (by->anchor_length < 0 || by->anchor_length > ANCHOR || by->fraction < 0 || by->fraction > LONGEST_FRACTION) return 0;
    if (by->start < -1 || by->start > HEAD || by->words < 0 || by->words > HEAD) return 0;
    if (by->zone_us > LONGEST_ZONE || by->zone_us < -LONGEST_ZONE) return 0;
    if (by->epoch) return by->epoch == by->body_length && by->epoch > 0 && by->epoch <= 19;
    if (by->within < 0 || by->within > 9 || by->place[AT_FRACTION] > by->body_length - by->within) return 0;
    if (by->within && by->place[AT_FRACTION] < 0) return 0;
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
    if (one->turn != other->turn) return one->turn < other->turn;
    if ((one->start < 0) != (other->start < 0)) return one->start >= 0;
    if (one->json || other->json) return 0;
    if (one->start != other->start) return one->start < other->start;
    return width_of(one) > width_of(other);
}

/* Return how many digits may stand at a place of a body; 0: none. */
static int32_t digits_at(const Finder *by, int32_t place) {
    int32_t digits = 0;
    while (place + digits < by->body_length && by->body[place + digits] == ANY_DIGIT) digits++;
    return digits;
}

static int32_t sure_of(const Finder *by) {
    if (!by->ragged) return width_of(by);
    int32_t place = 0;
    for (int32_t digits; place < by->body_length; place += digits ? digits : 1)
        if ((digits = digits_at(by, place)) && digits <= RAGGED_DIGITS) break;
    return place;
}

static Form form_of(const Finder *by) {
    Form form = {.width = width_of(by), .sure = sure_of(by), .minute = by->epoch ? 0 : by->place[AT_SECOND]};
    memset(form.more, 255, sizeof(form.more));
    for (int place = 0; place < form.width; place++) {
        int behind = place - by->body_length, in_zone = behind - (by->fraction ? by->fraction + 1 : 0);
        uint8_t wanted = behind < 0 ? by->body[place] : in_zone >= 0 ? by->zone[in_zone] : behind ? ANY_DIGIT : 0;
        /* before a fraction: a comma, a point or a colon; then what a place of a template stands for */
        static const uint8_t least[] = {',', '0', ' ', 'A', 'A', 'A', 'a'}, more[] = {14, 9, 25, 57, 57, 25, 25};
        int is_kind = in_zone < 0 && wanted <= IN_WEEKDAY;
        form.least[place] = is_kind ? least[wanted] : wanted;
        form.more[place] = is_kind ? more[wanted] : 0;
        form.loose |= is_kind && (wanted == MONTH || wanted == SPACE_OR_DIGIT || wanted == WEEKDAY);
    }
    for (int part = 0; part < PLACES; part++)
        if (part != AT_SECOND && by->place[part] >= form.minute) form.minute = 0;
    if (form.minute < 8) form.minute = 0;
    return form;
}

/* Whether a stamp in a fixed column may be that of lines which have a byte at a place. */
static int may_have(const Finder *by, const Form *form, int32_t place, uint8_t c) {
    int32_t within = place - by->start;
    if (by->json || by->start < 0 || within < 0 || within >= form->sure) return 1;
    return (uint8_t)(c - form->least[within]) <= form->more[within];
}

static int find_by(Finders *all, const Finder *finders, int32_t count, int32_t origins) {
    if (count < 0 || count > MOST_FINDERS) return 0;
    for (int32_t each = 0; each < count; each++)
        if (!is_sound(&finders[each])) return 0;
    for (int32_t each = 0; each < count; each++) all->form[each] = form_of(&finders[each]);
    if (count) memcpy(all->finder, finders, (size_t)count * sizeof(Finder));
    for (int32_t each = 0; each < count; each++) {
        int32_t at = each;
        for (; at > 0 && is_before(&all->finder[each], &all->finder[all->order[at - 1]]); at--)
            all->order[at] = all->order[at - 1];
        all->order[at] = each;
    }
    memset(all->asked, 0, sizeof(all->asked));
    memset(all->in_objects, 0, sizeof(all->in_objects));
    for (int32_t at = 0; at < count; at++) {
        const Finder *by = &all->finder[all->order[at]];
        const Form *form = &all->form[all->order[at]];
        all->in_objects[at >> 6] |= (uint64_t)(by->json != 0) << (at & 63);
        for (int which = 0; which < TELLING; which++)
            for (int c = 0; c < 256; c++)
                all->asked[at >> 6][which][c] |= (uint64_t)may_have(by, form, telling[which], (uint8_t)c) << (at & 63);
    }
    all->count = count;
    all->origins = origins;
    return 1;
}

#endif

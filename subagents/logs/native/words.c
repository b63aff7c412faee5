/* Masked keys to numbered words: what `heads_of` (patterns.py), `phrased` (phrases.py) and a dictionary do, for ASCII.
 *
 * Plain C without Python.h; called through ctypes. Where the severity stands in a key is asked in Python, once for all
 * that begin alike. Nothing is written beyond the arrays that are handed in.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vocabulary.h"

enum { CALENDAR = 1, NOUN = 2, BEFORE_NOUN = 4, UNIT = 8, DAY = 64, MONTH = 128 };
enum { CLOSING = 4, MOST_CLOSING = 3 }; /* shift and mask of its length */
enum { LONGEST_QUOTE = 200, LONGEST_THREAD = 60, NUMBER_OF_ANY = 0 };
enum { JOINT = 1, NAMED = 2 };

static int64_t start_of(const int64_t *ends, int64_t text) { return text ? ends[text - 1] : 0; }

/* Returns the place of a word in the table, which may move the table; -1: no memory. */
static int64_t place_of(Words *words, const uint8_t *word, int64_t length) {
    uint64_t hash = hash_of(words, word, length);
    uint32_t place = place_for(words, word, length, hash);
    return words->table[place].used ? place : keep(words, place, hash, word, length, -1);
}

/* Returns the number of a word; -1: no memory. */
static int32_t number_of(Words *words, const uint8_t *word, int64_t length) {
    int64_t place = place_of(words, word, length);
    if (place < 0) return -1;
    Word *known = &words->table[place];
    if (known->number >= 0) return known->number;
    if (words->numbers == words->numbers_room) {
        uint32_t *wider = realloc(words->place_of, (size_t)words->numbers_room * 2 * sizeof(uint32_t));
        if (!wider) return -1;
        words->place_of = wider;
        words->numbers_room *= 2;
    }
    words->place_of[words->numbers] = (uint32_t)place;
    return known->number = words->numbers++;
}

static const Word *numbered(const Words *words, int32_t number) { return &words->table[words->place_of[number]]; }

EXPORT void words_free(Words *words) { free_words(words); }

/* Words of a kind are given one after the other, with where each ends; the first is `*`. */
EXPORT Words *words_new(uint64_t seed, const uint8_t *given, const int64_t *ends, const uint8_t *kinds, int64_t count) {
    Words *words = no_words(seed, folded(seed, 0x9E3779B97F4A7C15u));
    if (!words) return NULL;
    words->numbers_room = 1 << 12;
    words->place_of = malloc((size_t)words->numbers_room * sizeof(uint32_t));
    if (words->place_of) {
        int64_t each = 0, start = 0;
        for (; each < count; start = ends[each++]) {
            int64_t place = place_of(words, given + start, ends[each] - start);
            if (place < 0) break;
            words->table[place].kinds |= kinds[each];
        }
        if (each == count && number_of(words, (const uint8_t *)"*", 1) == NUMBER_OF_ANY) return words;
    }
    words_free(words);
    return NULL;
}

static int is_space(uint8_t c) { return c == ' ' || (c >= 9 && c <= 13) || (c >= 28 && c <= 31); }

static int is_word(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static int is_quote(uint8_t c) { return c == '"' || c == '\''; }

static int may_follow(uint8_t c) { return is_space(c) || (c && strchr(",.;:)]}", c)); }

/* Says whether what stands before a quoted value says that it is the message. */
static int says(const uint8_t *text, int64_t end) {
    static const char *const NAMES[] = {"msg", "message", "event", "text", "log", "description"};
    if (end && text[end - 1] == '\n') end--;
    if (end && text[end - 1] == ' ') end--;
    if (!end || (text[end - 1] != '=' && text[end - 1] != ':')) return 0;
    end--;
    for (size_t each = 0; each < sizeof NAMES / sizeof *NAMES; each++) {
        int64_t length = (int64_t)strlen(NAMES[each]), same = 0;
        if (length > end) continue;
        while (same < length && (text[end - length + same] | 32) == NAMES[each][same]) same++;
        if (same == length) return 1;
    }
    return 0;
}

/* Joins the words of each quoted value. */
static void join_quoted(uint8_t *text, int64_t length) {
    for (int64_t open = 0; open < length; open++) {
        uint8_t quote = text[open];
        if (!is_quote(quote)) continue;
        if (open && (is_word(text[open - 1]) || is_quote(text[open - 1]) || text[open - 1] == '\\')) continue;
        int64_t close = open + 1;
        while (close < length && text[close] != quote && text[close] != '\n' && close - open <= LONGEST_QUOTE) close++;
        if (close >= length || text[close] != quote || close == open + 1) continue;
        if (close + 1 < length && !may_follow(text[close + 1])) continue;
        if (!says(text, open))
            for (int64_t each = open + 1; each < close; each++)
                if (text[each] == ' ') text[each] = JOINT;
        open = close;
    }
}

/* Returns where a name of the calendar ends that begins here; -1 without one. */
static int64_t behind_name(const Words *words, const uint8_t *text, int64_t at, int64_t length, uint8_t kind) {
    int64_t end = at;
    if (at && is_word(text[at - 1])) return -1;
    while (end < length && is_word(text[end])) end++;
    const Word *name = &words->table[place_for(words, text + at, end - at, hash_of(words, text + at, end - at))];
    return end > at && name->used && name->kinds & kind ? end : -1;
}

static int is_at(const uint8_t *text, int64_t at, int64_t length, uint8_t c) { return at < length && text[at] == c; }

/* Returns where a month and a value, in any order, end that begin here; -1 without them. */
static int64_t behind_month(const Words *words, const uint8_t *text, int64_t at, int64_t length) {
    if (is_at(text, at, length, '*')) {
        if (!is_at(text, at + 1, length, ' ')) return -1;
        int64_t end = behind_name(words, text, at + 2, length, MONTH);
        return end >= 0 && is_at(text, end, length, '.') ? end + 1 : end;
    }
    int64_t end = behind_name(words, text, at, length, MONTH);
    if (end < 0) return -1;
    if (is_at(text, end, length, '.')) end++;
    return is_at(text, end, length, ' ') && is_at(text, end + 1, length, '*') ? end + 2 : -1;
}

/* Returns where a date ends that begins here; -1 without one. */
static int64_t behind_date(const Words *words, const uint8_t *text, int64_t at, int64_t length) {
    int64_t day = behind_name(words, text, at, length, DAY), end;
    if (day < 0) return behind_month(words, text, at, length);
    if (is_at(text, day, length, ',')) day++;
    if (!is_at(text, day++, length, ' ')) return -1;
    if ((end = behind_month(words, text, day, length)) >= 0) return end;
    return is_at(text, day, length, '*') ? day + 1 : -1;
}

/* Writes one blank between words, and `*` for each date; returns the length. */
static int64_t without_dates(const Words *words, uint8_t *text, int64_t length) {
    int64_t kept = 0, joined = 0;
    for (int64_t at = 0; at < length; at++) {
        if (!is_space(text[at]))
            text[joined++] = text[at];
        else if (joined && text[joined - 1] != ' ')
            text[joined++] = ' ';
    }
    for (int64_t at = 0; at < joined;) {
        int64_t end = behind_date(words, text, at, joined);
        text[kept++] = end < 0 ? text[at] : '*';
        at = end < 0 ? at + 1 : end;
    }
    return kept;
}

/* Writes `before` + `after` as a word and returns its number. */
static int32_t number_of_both(Words *words, const uint8_t *before, int64_t first, const uint8_t *after, int64_t second) {
    uint8_t small[256], *both = first + second <= 256 ? small : malloc((size_t)(first + second));
    if (!both) return -1;
    memcpy(both, before, (size_t)first);
    memcpy(both + first, after, (size_t)second);
    int32_t found = number_of(words, both, first + second);
    if (both != small) free(both);
    return found;
}

/* Marks words that are names by their place; returns 0 without memory. */
static int mark_names(Words *words, int32_t *found, int64_t count) {
    static const uint8_t MARK = NAMED;
    for (int64_t spot = 2; spot < count; spot++) {
        if (!(numbered(words, found[spot - 1])->kinds & NOUN)) continue;
        if (!(numbered(words, found[spot - 2])->kinds & BEFORE_NOUN) || found[spot] == NUMBER_OF_ANY) continue;
        const Word *word = numbered(words, found[spot]);
        int32_t number = number_of_both(words, &MARK, 1, words->letters + word->start, word->length);
        if (number < 0) return 0;
        found[spot] = number;
    }
    return 1;
}

/* Leaves `*` or `key=*` of values of several parts ("*|name|*"), but for a first word; returns 0 without memory. */
static int leave_out_bars(Words *words, int32_t *found, int64_t count) {
    for (int64_t spot = 1; spot < count; spot++) {
        const Word *word = numbered(words, found[spot]);
        const uint8_t *text = words->letters + word->start, *masked = memchr(text, '*', (size_t)word->length);
        if (!masked || !memchr(text, '|', (size_t)word->length)) continue;
        int64_t kept = masked - text;
        while (kept && text[kept - 1] != '=') kept--;
        found[spot] = number_of_both(words, text, kept, (const uint8_t *)"*", 1);
        if (found[spot] < 0) return 0;
    }
    return 1;
}

/* Takes units into the value before them, and an amount that is said again behind it ("* bytes (* KB)"); returns how many
 * words stay, -1 without memory. */
static int64_t take_units(Words *words, int32_t *found, int64_t count) {
    int64_t kept = 0;
    int after_value = 0, is_amount = 0, is_again = 0;
    for (int64_t spot = 0; spot < count; spot++) {
        Word word = *numbered(words, found[spot]);
        if (!after_value || !(word.kinds & UNIT)) {
            is_again = is_amount && found[spot] == NUMBER_OF_ANY;
            is_amount = 0;
            found[kept++] = found[spot];
            after_value = words->letters[word.start + word.length - 1] == '*';
            continue;
        }
        int64_t closing = word.kinds >> CLOSING & MOST_CLOSING;
        if (is_again && closing && words->letters[word.start + word.length - closing] == ')') {
            kept--;
            closing--;
        }
        after_value = is_again = 0;
        is_amount = !closing;
        if (!closing) continue;
        const Word *value = numbered(words, found[kept - 1]);
        const uint8_t *behind = words->letters + word.start + word.length - closing;
        found[kept - 1] = number_of_both(words, words->letters + value->start, value->length, behind, closing);
        if (found[kept - 1] < 0) return -1;
    }
    return kept;
}

/* Splits one text; returns how many words, -1 without memory. `kinds`: of all words. */
static int64_t split(Words *words, const uint8_t *text, int64_t length, int32_t *found, uint8_t *kinds) {
    int64_t count = 0, start = 0;
    while (start < length) {
        while (start < length && is_space(text[start])) start++;
        int64_t end = start;
        while (end < length && !is_space(text[end])) end++;
        if (end == start) break;
        int32_t number = number_of(words, text + start, end - start);
        if (number < 0) return -1;
        *kinds |= numbered(words, number)->kinds;
        found[count++] = number;
        start = end;
    }
    return count;
}

/* Finds texts that begin alike, in whole words (`whole`: in all) of their first bytes. Writes the number of each text's
 * beginning, how long each beginning is, and the first text that has it. Returns how many there are, -1 without memory. */
EXPORT int64_t words_leads(const Words *words, const uint8_t *texts, const int64_t *ends, const int64_t *asked, int64_t count,
                           int64_t most, int32_t whole, int32_t *lead_of, int64_t *first, int32_t *lengths) {
    int64_t leads = 0, room = 64;
    while (room < count * 2) room *= 2;
    int32_t *table = calloc((size_t)room, sizeof(int32_t));
    if (!table) return -1;
    for (int64_t each = 0; each < count; each++) {
        const uint8_t *text = texts + start_of(ends, asked[each]);
        int64_t length = ends[asked[each]] - start_of(ends, asked[each]);
        if (length > most) length = most;
        if (!whole)
            while (length && text[length - 1] != ' ') length--;
        int64_t place = (int64_t)(hash_of(words, text, length) & (uint64_t)(room - 1));
        for (; table[place]; place = (place + 1) & (room - 1)) {
            int32_t lead = table[place] - 1;
            if (lengths[lead] == length && !memcmp(texts + start_of(ends, first[lead]), text, (size_t)length)) break;
        }
        if (!table[place]) {
            first[leads] = asked[each];
            lengths[leads] = (int32_t)length;
            table[place] = (int32_t)++leads;
        }
        lead_of[each] = table[place] - 1;
    }
    free(table);
    return leads;
}

/* Returns where the bracket begins that names a thread beside the severity, and where it ends; -1 without one. */
static int64_t thread_of(const uint8_t *text, int64_t length, int64_t *end) {
    int64_t at = 0, dashes;
    while (at < length && !is_space(text[at])) at++;
    int64_t word = at;
    while (at < length && text[at] == ' ') at++;
    for (dashes = at; at < length && text[at] == '-' && at - dashes < 3; at++) continue;
    int64_t behind = at;
    while (at < length && text[at] == ' ') at++;
    int is_behind_dashes = word && dashes > word && behind - dashes >= 2 && at > behind;
    for (int turn = is_behind_dashes ? 0 : 1; turn < 2; turn++) {
        int64_t open = turn ? 0 : at, close = open + 1;
        if (open >= length || text[open] != '[') continue;
        while (close < length && text[close] != ']' && text[close] != '*') close++;
        if (close >= length || close - open - 1 > LONGEST_THREAD) continue;
        *end = close + 1;
        return open;
    }
    return -1;
}

/* Returns how long what separated the severity from the rest is, such as ": " or " - ". */
static int64_t separators_of(const uint8_t *text, int64_t length) {
    int64_t at = 0, end;
    do {
        while (at < length && (is_space(text[at]) || text[at] == '|')) at++;
        for (end = at; end < length && text[end] && strchr(":,;-", text[end]); end++) continue;
        if (end < length && !is_space(text[end])) break;
        at = end;
    } while (at < length);
    return at;
}

/* Writes a key without the word that says its severity, and marks what stands in brackets beside it as a name; returns
 * the length. `to` has room for one byte more than the key. */
static int64_t without_mark(uint8_t *to, const uint8_t *key, int64_t length, int64_t begin, int64_t end) {
    int64_t close, kept = begin + length - end;
    memcpy(to + 1, key, (size_t)begin);
    memcpy(to + 1 + begin, key + end, (size_t)(length - end));
    uint8_t *text = to + 1;
    while (kept && is_space(text[kept - 1])) kept--;
    int64_t separators = separators_of(text, kept);
    text += separators;
    kept -= separators;
    int64_t open = thread_of(text, kept, &close);
    if (open >= 0) {
        for (int64_t each = open; each < close; each++)
            if (text[each] == ' ') text[each] = JOINT;
        memmove(to, text, (size_t)open);
        to[open] = NAMED;
        memmove(to + open + 1, text + open, (size_t)(kept - open));
        return kept + 1;
    }
    memmove(to, text, (size_t)kept);
    return kept;
}

/* Numbers the words of one message, which may change; returns how many, -1 without memory. */
static int64_t numbers_of(Words *words, uint8_t *text, int64_t length, int32_t *found) {
    uint8_t kinds = 0, quotes = 0, bars = 0;
    for (int64_t place = 0; place < length; place++) {
        quotes |= is_quote(text[place]);
        bars |= text[place] == '|';
    }
    if (quotes) join_quoted(text, length);
    int64_t size = split(words, text, length, found, &kinds);
    if (kinds & CALENDAR) {
        kinds = 0;
        size = split(words, text, without_dates(words, text, length), found, &kinds);
    }
    if (size > 0 && bars && !leave_out_bars(words, found, size)) return -1;
    if (size < 0 || (kinds & NOUN && !mark_names(words, found, size))) return -1;
    return kinds & UNIT ? take_units(words, found, size) : size;
}

/* Writes the numbers of the words of each key and how many it has. `marks`: from where to where
 * the word stands that says the severity, or -1. `found` has room for (bytes + 2 * keys) / 2. Returns how many in all,
 * -1 without memory. */
EXPORT int64_t words_of_keys(Words *words, const uint8_t *keys, const int64_t *ends, int64_t count, const int32_t *marks,
                             int32_t *found, int32_t *sizes) {
    int64_t all = 0, longest = 0;
    for (int64_t each = 0; each < count; each++)
        if (ends[each] - start_of(ends, each) > longest) longest = ends[each] - start_of(ends, each);
    uint8_t *text = malloc((size_t)longest + 2);
    if (!text) return -1;
    for (int64_t each = 0; each < count && all >= 0; each++) {
        const uint8_t *key = keys + start_of(ends, each);
        int64_t length = ends[each] - start_of(ends, each);
        if (marks[2 * each] >= 0)
            length = without_mark(text, key, length, marks[2 * each], marks[2 * each + 1]);
        else
            memcpy(text, key, (size_t)length);
        int64_t size = numbers_of(words, text, length, found + all);
        sizes[each] = (int32_t)size;
        all = size < 0 ? -1 : all + size;
    }
    free(text);
    return all;
}

EXPORT int32_t words_count(const Words *words, int64_t *bytes) {
    *bytes = 0;
    for (int32_t number = 0; number < words->numbers; number++) *bytes += numbered(words, number)->length;
    return words->numbers;
}

/* Writes the words by number, one after the other, and where each ends. */
EXPORT void words_list(const Words *words, uint8_t *letters, int64_t *ends) {
    int64_t end = 0;
    for (int32_t number = 0; number < words->numbers; number++) {
        const Word *word = numbered(words, number);
        memcpy(letters + end, words->letters + word->start, (size_t)word->length);
        ends[number] = end += word->length;
    }
}

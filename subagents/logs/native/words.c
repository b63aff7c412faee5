/* Masked keys to numbered words: what `heads_of` (patterns.py), `phrased` (phrases.py) and a dictionary do, for ASCII.
 *
 * Plain C without Python.h; called through ctypes. Where the severity stands in a key is asked in Python, once for all
 * that begin alike. Texts with names of the calendar are left to Python. Nothing is written beyond the arrays that are
 * handed in.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

enum { CALENDAR = 1, NOUN = 2, BEFORE_NOUN = 4, UNIT = 8, CLOSING = 4 }; /* CLOSING: shift of its length */
enum { LONGEST_QUOTE = 200, LONGEST_THREAD = 60, NUMBER_OF_ANY = 0 };
enum { JOINT = 1, NAMED = 2 };

typedef struct {
    uint64_t hash;
    int64_t start;
    int32_t length, number; /* number: -1 until a text holds the word */
    uint8_t kinds, used;
} Word;

typedef struct {
    Word *table;
    uint64_t seed, factor; /* secret, so that nobody can write words that fall on one place */
    uint32_t room, count;
    int32_t numbers, numbers_room;
    uint32_t *place_of; /* of each number: where in the table */
    uint8_t *letters;
    int64_t used, letters_room;
} Words;

static uint64_t folded(uint64_t one, uint64_t other) {
    unsigned __int128 product = (unsigned __int128)one * other;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_of(const Words *words, const uint8_t *word, int64_t length) {
    uint64_t found = words->seed ^ (uint64_t)length * 0x9E3779B97F4A7C15u, part;
    for (; length >= 8; word += 8, length -= 8) {
        memcpy(&part, word, 8);
        found = folded(found ^ part, words->factor);
    }
    part = 0;
    memcpy(&part, word, (size_t)length);
    found = folded(found ^ part, words->factor);
    return found ^ found >> 32;
}

static int grow_table(Words *words) {
    uint32_t room = words->room * 2;
    Word *table = calloc(room, sizeof(Word));
    if (!table) return 0;
    for (uint32_t each = 0; each < words->room; each++) {
        Word *old = &words->table[each];
        if (!old->used) continue;
        uint32_t place = (uint32_t)old->hash & (room - 1);
        while (table[place].used) place = (place + 1) & (room - 1);
        table[place] = *old;
        if (old->number >= 0) words->place_of[old->number] = place;
    }
    free(words->table);
    words->table = table;
    words->room = room;
    return 1;
}

static int grow_letters(Words *words, int64_t length) {
    if (words->used + length <= words->letters_room) return 1;
    int64_t room = (words->letters_room + length) * 2;
    uint8_t *letters = realloc(words->letters, (size_t)room);
    if (!letters) return 0;
    words->letters = letters;
    words->letters_room = room;
    return 1;
}

/* Returns the place of a word in the table, which may move the table; -1: no memory. */
static int64_t place_of(Words *words, const uint8_t *word, int64_t length) {
    uint64_t hash = hash_of(words, word, length);
    uint32_t place = (uint32_t)hash & (words->room - 1);
    for (; words->table[place].used; place = (place + 1) & (words->room - 1)) {
        const Word *known = &words->table[place];
        if (known->hash == hash && known->length == length &&
            !memcmp(words->letters + known->start, word, (size_t)length))
            return place;
    }
    if (!grow_letters(words, length)) return -1;
    Word added = {hash, words->used, (int32_t)length, -1, 0, 1};
    memcpy(words->letters + words->used, word, (size_t)length);
    words->used += length;
    words->table[place] = added;
    if (++words->count * 2 <= words->room) return place;
    if (!grow_table(words)) return -1;
    for (place = (uint32_t)hash & (words->room - 1); words->table[place].start != added.start || !words->table[place].used;)
        place = (place + 1) & (words->room - 1);
    return place;
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

static int64_t start_of(const int64_t *ends, int64_t text) { return text ? ends[text - 1] : 0; }

static const Word *numbered(const Words *words, int32_t number) { return &words->table[words->place_of[number]]; }

EXPORT void words_free(Words *words) {
    if (!words) return;
    free(words->table);
    free(words->place_of);
    free(words->letters);
    free(words);
}

/* Words of a kind are given one after the other, with where each ends; the first is `*`. */
EXPORT Words *words_new(uint64_t seed, const uint8_t *given, const int64_t *ends, const uint8_t *kinds, int64_t count) {
    Words *words = calloc(1, sizeof(Words));
    if (!words) return NULL;
    words->seed = seed;
    words->factor = folded(seed, 0x9E3779B97F4A7C15u) | 1;
    words->room = 1 << 14;
    words->numbers_room = 1 << 12;
    words->letters_room = 1 << 16;
    words->table = calloc(words->room, sizeof(Word));
    words->place_of = malloc((size_t)words->numbers_room * sizeof(uint32_t));
    words->letters = malloc((size_t)words->letters_room);
    if (words->table && words->place_of && words->letters) {
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
        uint8_t *copy = malloc((size_t)word->length + 1);
        if (!copy) return 0;
        memcpy(copy, words->letters + word->start, (size_t)word->length);
        int32_t number = number_of_both(words, &MARK, 1, copy, word->length);
        free(copy);
        if (number < 0) return 0;
        found[spot] = number;
    }
    return 1;
}

/* Takes units into the value before them; returns how many words stay, -1 without memory. */
static int64_t take_units(Words *words, int32_t *found, int64_t count) {
    int64_t kept = 0;
    int after_value = 0;
    for (int64_t spot = 0; spot < count; spot++) {
        Word word = *numbered(words, found[spot]);
        if (!after_value || !(word.kinds & UNIT)) {
            found[kept++] = found[spot];
            after_value = words->letters[word.start + word.length - 1] == '*';
            continue;
        }
        after_value = 0;
        int64_t closing = word.kinds >> CLOSING;
        if (!closing) continue;
        Word value = *numbered(words, found[kept - 1]);
        uint8_t *copy = malloc((size_t)(value.length + closing));
        if (!copy) return -1;
        memcpy(copy, words->letters + value.start, (size_t)value.length);
        memcpy(copy + value.length, words->letters + word.start + word.length - closing, (size_t)closing);
        found[kept - 1] = number_of(words, copy, value.length + closing);
        free(copy);
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

/* Writes a key without the word that says its severity, and marks what stands in brackets beside it as a name; returns
 * the length. `to` has room for one byte more than the key. */
static int64_t without_mark(uint8_t *to, const uint8_t *key, int64_t length, int64_t begin, int64_t end) {
    int64_t close, kept = begin + length - end;
    memcpy(to + 1, key, (size_t)begin);
    memcpy(to + 1 + begin, key + end, (size_t)(length - end));
    uint8_t *text = to + 1;
    for (; kept && is_space(*text); kept--) text++;
    while (kept && is_space(text[kept - 1])) kept--;
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

/* Numbers the words of one message, which may change; returns how many, -1 where Python is asked, -2 without memory. */
static int64_t numbers_of(Words *words, uint8_t *text, int64_t length, int32_t *found) {
    uint8_t kinds = 0, quotes = 0;
    for (int64_t place = 0; place < length; place++)
        quotes |= is_quote(text[place]);
    if (quotes) join_quoted(text, length);
    int64_t size = split(words, text, length, found, &kinds);
    if (size < 0) return -2;
    if (kinds & CALENDAR) return -1;
    if (kinds & NOUN && !mark_names(words, found, size)) return -2;
    if (kinds & UNIT) size = take_units(words, found, size);
    return size < 0 ? -2 : size;
}

/* Writes the numbers of the words of each key and how many it has: -1 where Python is asked. `marks`: from where to where
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
        all = size < -1 ? -1 : all + (size > 0 ? size : 0);
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

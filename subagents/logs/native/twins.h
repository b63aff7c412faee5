/* Lines of the same class in which other things stand in words with digits. */
#ifndef TWINS_H
#define TWINS_H
#include <stdint.h>
#include <string.h>

#include "words.h"

/* Put other digits in a run of them. Numbers of up to three become such as may be severities and statuses: where one
 * of them would be read, the number that stands there now must come out otherwise. */
static void other_digits(const uint8_t *at, int32_t count, uint8_t *out) {
    const char *with = NULL;
    if (count == 1) with = "34567012" + (*at & 7);
    if (count == 3) with = *at == '5' ? "404" : "503";
    if (count == 2) with = *at == '5' ? "30" : "50";
    for (int32_t place = 0; place < count; place++)
        out[place] = with ? (uint8_t)with[place] : (uint8_t)('0' + (at[place] - '0' + 3) % 10);
}

/* Letters become others of those that ids are written with, or that are not; those of severities become such. */
static uint8_t other_letter(uint8_t c) {
    if (c == 'W' || c == 'I') return c ^ 'W' ^ 'I';
    if (c >= 'D' && c <= 'F') return c == 'F' ? 'E' : 'F';
    uint8_t base = c & 32 ? 'a' : 'A', place = (uint8_t)(c - base);
    return (uint8_t)(base + (place < 6 ? (place + 1) % 6 : 6 + (place - 5) % 20));
}

/* Put other things in a word; where a path is kept, only in its parts that vary. */
static void other_word(const Bits *bits, const Word *word, int kept, uint8_t *out) {
    int32_t end = (int32_t)(end_of_path(bits->text + word->begin, bits->text + word->end) - bits->text);
    for (int32_t at = word->begin; at < word->end; at++) {
        int letters = kept ? at >= end : !is_fine(word);
        if (kept && !letters) {
            int32_t left = at, right = at;
            while (left > word->begin && bits->text[left - 1] != '/') left--;
            while (right < end && bits->text[right] != '/') right++;
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

/* Put other things in words with digits of a line, but for those of `keep`; `out` is where its bits begin.
 *
 * Where `only` is no less than 0, just that word is another. Returns which words with digits it has, by bit; those
 * beyond the first LITERAL_WORDS are in the highest bit.
 */
static uint64_t to_twin(const Bits *bits, uint32_t keep, int32_t only, uint8_t *out) {
    Word word = {0};
    uint64_t words = 0;
    while (next_word(bits, &word)) {
        int is_first = word.index < LITERAL_WORDS;
        words |= is_first ? 1ull << word.index : 1ull << 63;
        int kept = is_first && keep >> word.index & 1;
        if ((kept && !word.path) || (only >= 0 && word.index != only)) continue;
        other_word(bits, &word, kept, out);
    }
    return words;
}

/* Whether a stamp is in its column only where what stands before it, as this byte does, is as long. */
static int holds_column(const Finders *all, const Line *line, const uint8_t *at) {
    if (!line->stamp || at >= line->stamp) return 0;
    const Finder *by = &all->finder[line->finder];
    return !by->json && by->start >= 0;
}

static uint8_t *added(uint8_t *to, const void *from, size_t size) {
    memcpy(to, from, size);
    return to + size;
}

/* Return how many bytes before the first part of a path stand in a word that begins with one; 0 where none does. */
static int32_t before_path(const Bits *bits, const Word *word) {
    int32_t at = word->begin;
    while (at < word->end && bits->marks[at >> 6] >> (at & 63) & 1) at++;
    return at < word->end && bits->text[at] == '/' ? at + 1 - word->begin : 0;
}

/* Return how many letters stand before the digits of a value of an object that has nothing else: it may be a severity, or a
 * shade of one; 0 where others do. Not so of names: their letters are the same in all of a class. */
static int32_t before_digits(const Bits *bits, const Word *word) {
    int32_t at = word->begin;
    if (!bits->is_json || is_fine(word)) return 0;
    while (at < word->end && is_letter(bits->text[at])) at++;
    int32_t letters = at - word->begin;
    if (at < word->end && (bits->text[at] == '+' || bits->text[at] == '-')) at++;
    while (at < word->end && is_digit(bits->text[at])) at++;
    return at == word->end ? letters : 0;
}

/* Whether a word of a line becomes another in its wide twin. */
static int is_widened(const Word *word, uint32_t keep, int32_t only) {
    int kept = word->index < LITERAL_WORDS && keep >> word->index & 1;
    return !kept && (only < 0 || word->index == only);
}

/* Return where in a word that is one number its digits begin, and end. */
static int32_t digits_of(const Bits *bits, const Word *word, int32_t *end) {
    int32_t digit = next_bit(bits->digits, word->begin, word->end);
    for (*end = digit; *end < word->end && is_digit(bits->text[*end]);) ++*end;
    return digit;
}

enum { OF_THREE_DIGITS = 1, OF_OTHERS = 2 };

/* Write a line in which numbers became statuses, those of three digits and letters with a number severities, and paths
 * have a part more that has none: one of numbers only tells nothing of what else may stand in its place. Numbers of three
 * digits stay if they are `threes`, as what stands beside a status may have to be one. Returns how long it is; `out` has room
 * for three times the line. Of what lengths numbers are is put in `kinds`. */
static int64_t wide_twin(const Finders *all, const Line *line, const Bits *bits, uint32_t keep, int32_t only, int threes,
                         int *kinds, uint8_t *out) {
    const uint8_t *told = line->begin;
    uint8_t *to = out;
    Word word = {0};
    int32_t end;
    *kinds = 0;
    while (next_word(bits, &word)) {
        if (!is_widened(&word, keep, only)) continue;
        int32_t before = before_path(bits, &word);
        if (before && !holds_column(all, line, bits->text + word.begin)) {
            to = added(to, told, (size_t)(bits->text + word.begin + before - told));
            to = added(to, "abc/", 4);
            told = bits->text + word.begin + before;
        }
        int32_t letters = before_digits(bits, &word);
        if (letters && !holds_column(all, line, bits->text + word.begin)) {
            to = added(to, told, (size_t)(bits->text + word.begin - told));
            to = added(to, (bits->text[word.begin] | 32) == 'e' ? "D" : "E", 1);
            told = bits->text + word.begin + letters;
        }
        if (before || !is_one_number(bits, &word)) continue;
        int32_t digit = digits_of(bits, &word, &end);
        if (holds_column(all, line, bits->text + digit)) continue;
        *kinds |= end - digit == 3 ? OF_THREE_DIGITS : OF_OTHERS;
        if (threes && end - digit == 3) continue;
        int is_signed = digit > word.begin && (bits->text[digit - 1] == '-' || bits->text[digit - 1] == '+');
        to = added(to, told, (size_t)(bits->text + digit - is_signed - told)); /* a status has none */
        to = end - digit == 3 ? added(to, "50", 2) : added(to, "503", 3);
        told = bits->text + end;
    }
    to = added(to, told, (size_t)(line->end - told));
    return to - out;
}

#endif

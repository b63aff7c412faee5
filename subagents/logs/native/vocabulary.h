/* Words, or whole keys, by number: a table of them, and their letters one after the other. */
#ifndef VOCABULARY_H
#define VOCABULARY_H
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

typedef struct {
    uint64_t hash;
    int64_t start;
    int32_t length, number; /* of words: -1 until a text holds it; of keys: 0 where the place is free */
    uint8_t kinds, used;
} Word;

typedef struct {
    Word *table;
    uint64_t seed, factor; /* secret, so that nobody can write words that fall on one place */
    uint32_t room, count;
    int32_t numbers, numbers_room;
    uint32_t *place_of; /* of each number: where in the table; NULL where nobody asks */
    uint8_t *letters;
    int64_t used, letters_room;
} Words;

static uint64_t hash_of(const Words *words, const uint8_t *word, int64_t length) {
    uint64_t found = words->seed ^ (uint64_t)length * 0x9E3779B97F4A7C15u, last = 0;
    int64_t at = 0;
    for (; at + 8 < length; at += 8)
        found = folded(found ^ eight(word + at), words->factor);
    if (length >= 8)
        last = eight(word + length - 8);
    else if (length >= 4)
        last = four(word) | four(word + length - 4) << 32;
    else if (length)
        last = word[0] | word[length / 2] << 8 | (uint64_t)word[length - 1] << 16;
    found = folded(found ^ last, words->factor);
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
        if (words->place_of && old->number >= 0) words->place_of[old->number] = place;
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

/* Returns the place of a word in the table, or where it is missing. */
static uint32_t place_for(const Words *words, const uint8_t *word, int64_t length, uint64_t hash) {
    uint32_t place = (uint32_t)hash & (words->room - 1);
    for (; words->table[place].used; place = (place + 1) & (words->room - 1)) {
        const Word *known = &words->table[place];
        if (known->hash == hash && known->length == length &&
            !memcmp(words->letters + known->start, word, (size_t)length))
            break;
    }
    return place;
}

/* Keeps a new word where it is missing, which may move the table; returns its place, -1: no memory. */
static int64_t keep(Words *words, uint32_t place, uint64_t hash, const uint8_t *word, int64_t length, int32_t number) {
    if (!grow_letters(words, length)) return -1;
    memcpy(words->letters + words->used, word, (size_t)length);
    words->table[place] = (Word){hash, words->used, (int32_t)length, number, 0, 1};
    words->used += length;
    if ((uint64_t)++words->count * 4 <= (uint64_t)words->room * 3) return place;
    if (!grow_table(words)) return -1;
    return place_for(words, word, length, hash);
}

static void free_words(Words *words) {
    if (!words) return;
    free(words->table);
    free(words->place_of);
    free(words->letters);
    free(words);
}

/* Returns a table without words; NULL: no memory. */
static Words *no_words(uint64_t seed, uint64_t secret) {
    Words *words = calloc(1, sizeof(Words));
    if (!words) return NULL;
    words->seed = seed;
    words->factor = secret | 1;
    words->room = 1 << 12;
    words->letters_room = 1 << 16;
    words->table = calloc(words->room, sizeof(Word));
    words->letters = malloc((size_t)words->letters_room);
    if (words->table && words->letters) return words;
    free_words(words);
    return NULL;
}

#endif

/* The table of classes: a number for each hash, what is known of it, and the hosts that lines name. */
#ifndef CLASSES_H
#define CLASSES_H
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"

enum { MOST_CHILDREN = 1000, MOST_CLASSES = 1 << 18, MOST_GROUPS = 1 << 15 };
enum { NO_CLASS = -1, NO_HOST = -1, MOST_HOSTS = 20000, HOST_LENGTH = 64 };
enum { VERIFIED = 1, SLOW = 2, SPECIAL = 4, LITERAL = 8, CHILD = 16, HOSTED = 32 };

typedef struct {
    uint64_t hash;
    int32_t id; /* + 1; 0: free */
    int32_t unused;
} Slot;

/* What holds for every class of a group: lines that begin alike. */
typedef struct {
    uint64_t group; /* 0: free */
    uint32_t literal;
    uint8_t host_word, flags; /* 0: not known */
} Settled;

typedef struct {
    uint64_t seed;
    Slot *slots;
    uint32_t room, count;
    Finders finders;
    uint8_t flags[MOST_CLASSES];
    uint8_t host_word[MOST_CLASSES];
    uint32_t literal[MOST_CLASSES];
    int32_t children[MOST_CLASSES];
    uint64_t group[MOST_CLASSES];
    Settled settled[MOST_GROUPS];
    uint32_t groups;
    int32_t wide; /* the processor can, see wide.h */
    Slot host_slots[MOST_HOSTS * 4 / 3 + 4096];
    int32_t hosts;
    uint8_t host_names[MOST_HOSTS][HOST_LENGTH];
} Classes;

/* Secret of the process, odd: who writes lines cannot make two of them that are taken for one. */
static uint64_t factor;

static uint64_t mixed(uint64_t h, uint64_t with) { return folded(h ^ with, factor); }

/* What is left at the end is read together with some of what stands before it: a copy of a few bytes would be a call. */
static uint64_t hashed(uint64_t h, const uint8_t *at, size_t length) {
    const uint8_t *end = at + length;
    h ^= length * 0xD6E8FEB86659FD93ull;
    if (length >= 8) {
        for (; end - at > 8; at += 8) h = mixed(h, eight(at));
        return mixed(h, eight(end - 8));
    }
    if (length >= 4) return mixed(h, four(at) << 32 | four(end - 4));
    return length ? mixed(h, (uint64_t)at[0] << 16 | (uint64_t)at[length / 2] << 8 | end[-1]) : h;
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

static Classes *made(uint64_t seed, uint64_t secret) {
    uint64_t none = 0;
    Classes *all = calloc(1, sizeof(Classes));
    if (!all) return NULL;
    __atomic_compare_exchange_n(&factor, &none, secret | 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    all->seed = seed;
    all->room = 1 << 14;
    all->wide = can_be_wide();
    all->slots = calloc(all->room, sizeof(Slot));
    if (all->slots) return all;
    free(all);
    return NULL;
}

static void forget(Classes *all) {
    memset(all->slots, 0, all->room * sizeof(Slot));
    memset(all->flags, 0, all->count);
    memset(all->literal, 0, all->count * sizeof(uint32_t));
    memset(all->children, 0, all->count * sizeof(int32_t));
    memset(all->settled, 0, sizeof(all->settled));
    all->count = all->groups = 0;
}

/* Keep what was found out of a class. Lines may be scanned meanwhile: the flags, by which the rest counts, come last. */
static void note(Classes *all, int32_t id, uint8_t flags, uint32_t literal, uint8_t host_word) {
    all->literal[id] = literal;
    all->host_word[id] = host_word;
    __atomic_store_n(&all->flags[id], flags, __ATOMIC_RELEASE);
}

static uint8_t flags_of(const Classes *all, int32_t id) { return __atomic_load_n(&all->flags[id], __ATOMIC_ACQUIRE); }

/* Return where what is known of a group is, or where it would be. */
static Settled *settled_at(Classes *all, uint64_t group) {
    uint32_t at = (uint32_t)group & (MOST_GROUPS - 1);
    for (uint64_t found; (found = __atomic_load_n(&all->settled[at].group, __ATOMIC_ACQUIRE)) && found != group;)
        at = (at + 1) & (MOST_GROUPS - 1);
    return &all->settled[at];
}

/* Keep what holds for the classes of a group, those that come too; without flags, that nothing does. Lines may be scanned
 * meanwhile: who read the flags before they went may still read the rest. */
static void settle(Classes *all, uint64_t group, uint8_t flags, uint32_t literal, uint8_t host_word) {
    Settled *known = settled_at(all, group);
    if (!known->group && all->groups >= MOST_GROUPS / 2) return;
    all->groups += !known->group;
    if (flags) {
        known->literal = literal;
        known->host_word = host_word;
    }
    __atomic_store_n(&known->flags, flags, __ATOMIC_RELEASE);
    __atomic_store_n(&known->group, group, __ATOMIC_RELEASE);
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

#endif

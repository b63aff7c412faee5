/* Twins of many lines at once: to ask for each by itself costs more than to make it. */
#include <stdint.h>

#include "bytes.h"

typedef struct Classes Classes;

uint64_t twin_of(const Classes *all, const uint8_t *data, int64_t size, uint32_t keep, int32_t only, uint8_t *out);
int64_t wide_twin_of(const Classes *all, const uint8_t *data, int64_t size, uint32_t keep, int32_t only, uint8_t *out);

/* Lines stand one after the other in `lines`, each to its end in `ends`. `twins` has as much room, `wides` three times
 * that; where the wide ones end is put in `wide_ends`, which words with digits a line has in `words`. */
EXPORT void twins_of(
    const Classes *all, const uint8_t *lines, const int64_t *ends, int64_t count, const uint32_t *keep,
    const int32_t *only, uint64_t *words, uint8_t *twins, uint8_t *wides, int64_t *wide_ends
) {
    int64_t begin = 0, wide = 0;
    for (int64_t at = 0; at < count; at++) {
        int64_t size = ends[at] - begin;
        words[at] = twin_of(all, lines + begin, size, keep[at], only[at], twins + begin);
        wide += wide_twin_of(all, lines + begin, size, keep[at], only[at], wides + wide);
        wide_ends[at] = wide;
        begin = ends[at];
    }
}

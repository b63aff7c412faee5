/* What a block holds: how many lines, and bytes that only some logs have. */
#include <stdint.h>

#include "bytes.h"
#include "odd.h"

enum { AT_ONCE = 224 };

/* Count line feeds; returns what is odd, by bit. */
EXPORT int32_t block_looked_at(const uint8_t *at, int64_t size, int64_t *feeds) {
    uint8_t all = 0, escapes = 0;
    *feeds = 0;
    while (size > 0) {
        int32_t some = size < AT_ONCE ? (int32_t)size : AT_ONCE; /* the count of no more fits into a byte */
        uint8_t count = 0;
        for (int32_t place = 0; place < some; place++) {
            count = (uint8_t)(count + (at[place] == '\n'));
            escapes |= at[place] == 27;
            all |= at[place];
        }
        *feeds += count;
        at += some;
        size -= some;
    }
    return (escapes ? HAS_ESCAPES : 0) | (all > 127 ? NOT_ASCII : 0);
}

/* Return how many bytes of a character follow its first one, which is not ASCII, and the least and most the next can be; 0:
 * none begins so. */
static int followers(uint8_t first, uint8_t *least, uint8_t *most) {
    *least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80; /* none is longer than it need be */
    *most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;  /* no surrogates, and nothing beyond U+10FFFF */
    return first < 0xC2 || first > 0xF4 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
}

/* Say whether bytes are UTF-8. */
EXPORT int32_t block_is_utf8(const uint8_t *at, int64_t size) {
    const uint8_t *end = at + size;
    while (at < end) {
        if (end - at >= 8 && !(eight(at) & 0x8080808080808080ull)) {
            at += 8;
        } else if (*at < 128) {
            at++;
        } else {
            uint8_t least, most;
            int more = followers(*at++, &least, &most);
            if (!more || end - at < more || *at < least || *at > most) return 0;
            for (int each = 1; each < more; each++)
                if (at[each] >> 6 != 2) return 0;
            at += more;
        }
    }
    return 1;
}

/* What is odd in bytes. */
#ifndef ODD_H
#define ODD_H
#include <stdint.h>

enum { HAS_ESCAPES = 1, ODD_BYTES = 2, NOT_ASCII = 4 };

int32_t block_looked_at(const uint8_t *at, int64_t size, int64_t *feeds);
int32_t block_is_utf8(const uint8_t *at, int64_t size);

#endif

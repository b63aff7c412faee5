/* Lines of a block as a column of texts, laid out as Arrow's C data interface says, so that nothing is copied again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "odd.h"

struct ArrowSchema {
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct ArrowSchema **children, *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct ArrowArray **children, *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

struct column {
    const void *buffers[3]; /* of what is null (nothing), of where texts end, and of the texts */
    int64_t ends[];
};

static void release_schema(struct ArrowSchema *schema) { schema->release = NULL; }

static void release_array(struct ArrowArray *array) {
    free(array->private_data);
    array->release = NULL;
}

EXPORT void texts_free(struct ArrowSchema *schema, struct ArrowArray *array) {
    if (schema->release) schema->release(schema);
    if (array->release) array->release(array);
}

/* Take lines, each without its end; returns what is odd in them, by bit, and ODD_BYTES or -1, where there is no memory,
 * instead of a column. */
EXPORT int32_t texts_take(const uint8_t *data, const int64_t *begins, const int64_t *ends, int64_t count,
                          struct ArrowSchema *schema, struct ArrowArray *array) {
    int64_t room = 0, feeds;
    int is_within = 0; /* a line begins within a character: behind the one before it, it may seem whole */
    memset(schema, 0, sizeof(*schema));
    memset(array, 0, sizeof(*array));
    for (int64_t row = 0; row < count; row++) room += ends[row] - begins[row];
    struct column *column = malloc(sizeof(*column) + sizeof(int64_t) * (size_t)(count + 1) + (size_t)room);
    if (!column) return -1;
    uint8_t *texts = (uint8_t *)(column->ends + count + 1), *at = texts;
    column->ends[0] = 0;
    for (int64_t row = 0; row < count; row++) {
        const uint8_t *line = data + begins[row];
        int64_t size = ends[row] - begins[row];
        size -= size && line[size - 1] == '\n';
        size -= size && line[size - 1] == '\r';
        is_within |= size && line[0] >> 6 == 2;
        memcpy(at, line, (size_t)size);
        at += size;
        column->ends[row + 1] = at - texts;
    }
    int32_t odd = block_looked_at(texts, at - texts, &feeds);
    if (is_within || (odd & NOT_ASCII && !block_is_utf8(texts, at - texts))) {
        free(column);
        return ODD_BYTES;
    }
    column->buffers[0] = NULL;
    column->buffers[1] = column->ends;
    column->buffers[2] = texts;
    *schema = (struct ArrowSchema){.format = "U", .name = "", .release = release_schema};
    *array = (struct ArrowArray){
        .length = count, .n_buffers = 3, .buffers = column->buffers, .release = release_array, .private_data = column};
    return odd;
}

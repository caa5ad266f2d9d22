/* Any header block: what is stored holds no field that was to go, and tidying it again changes
 * nothing. */
#include "test/fuzz/fuzz.h"

#include "relay/message/header.h"

static void tidy(struct slice block, struct arena *arena, struct buffer *out)
{
    struct header_additions additions = {{0}, SLICE_LITERAL("now"), SLICE_LITERAL("<1@x>")};
    struct header_facts facts;
    bool is_complete;

    block = slice_head(block, header_length(block, &is_complete));
    PROMISE(header_read_facts(block, arena, &facts) == 0);
    PROMISE(facts.n_from <= HEADER_MAX_FROM);
    for (unsigned i = 0; i < facts.n_from; i++)
        PROMISE(facts.from[i].len > 2 && slice_find_last(facts.from[i], '@') > 0);
    PROMISE(header_tidy(block, &facts, &additions, out) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer once = BUFFER_INIT, twice = BUFFER_INIT;
    struct header_field field;
    struct arena arena;

    arena_init(&arena, 0);
    tidy(slice_from(data, size), &arena, &once);
    PROMISE(!header_find(buffer_slice(&once), "Bcc", &field));
    PROMISE(header_find(buffer_slice(&once), "Date", &field));
    tidy(buffer_slice(&once), &arena, &twice);
    PROMISE(slice_equal(buffer_slice(&once), buffer_slice(&twice)));
    arena_reset(&arena);
    buffer_fini(&once);
    buffer_fini(&twice);
    return 0;
}

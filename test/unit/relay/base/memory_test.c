/* Containers without memory: they say so, and what they held stays. */
#include "test/support/failing_memory.h"
#include "test/support/test_support.h"

#include <errno.h>

#include "relay/base/arena.h"
#include "relay/base/buffer.h"

static void a_buffer_that_cannot_grow_keeps_what_it_has(void **state)
{
    struct buffer buffer = BUFFER_INIT;
    char block[5000] = {'x'};

    (void)state;
    buffer_append_text(&buffer, "abc");
    memory_fail_at(1);
    buffer_append(&buffer, slice_from(block, sizeof(block)));
    memory_fail_at(0);
    assert_slice_is(buffer_slice(&buffer), "abc");
    buffer_append_text(&buffer, "d"); /* one hole, and all behind it is worthless */
    assert_int_equal(buffer_error(&buffer), -ENOMEM);
    buffer_clear(&buffer);
    assert_int_equal(buffer_error(&buffer), 0);
    buffer_append_text(&buffer, "e");
    assert_slice_is(buffer_slice(&buffer), "e");
    buffer_fini(&buffer);
}

static void no_room_is_promised_beyond_memory(void **state)
{
    struct buffer buffer = BUFFER_INIT;

    (void)state;
    buffer_append_text(&buffer, "abc");
    assert_int_equal(buffer_reserve(&buffer, SIZE_MAX), -ENOMEM);
    memory_fail_at(1);
    assert_int_equal(buffer_reserve(&buffer, 100000), -ENOMEM);
    memory_fail_at(0);
    assert_int_equal(buffer_reserve(&buffer, 100000), 0);
    assert_slice_is(buffer_slice(&buffer), "abc");
    buffer_fini(&buffer);
}

static void an_arena_says_when_there_is_no_more(void **state)
{
    struct arena arena;
    struct slice copy;

    (void)state;
    arena_init(&arena, 0);
    memory_fail_at(1);
    assert_null(arena_alloc(&arena, 8));
    assert_null(arena_copy(&arena, SLICE_LITERAL("abc")).data);
    memory_fail_at(0);
    assert_null(arena_alloc(&arena, SIZE_MAX - 20)); /* with the block's own bytes it would wrap */
    assert_null(arena_copy(&arena, slice_from("", SIZE_MAX)).data);
    copy = arena_copy(&arena, SLICE_LITERAL("abc"));
    assert_string_equal(copy.data, "abc");
    arena_reset(&arena);
}

static void a_copy_of_a_slice_needs_memory(void **state)
{
    (void)state;
    memory_fail_at(1);
    assert_null(slice_to_string(SLICE_LITERAL("abc")));
    memory_fail_at(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_that_cannot_grow_keeps_what_it_has),
        cmocka_unit_test(no_room_is_promised_beyond_memory),
        cmocka_unit_test(an_arena_says_when_there_is_no_more),
        cmocka_unit_test(a_copy_of_a_slice_needs_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

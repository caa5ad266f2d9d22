#include "test/support/test_support.h"

#include <errno.h>
#include <sys/types.h>

#include "relay/message/render.h"

static void the_form_follows_from_needs_and_offers(void **state)
{
    static const struct {
        struct render_needs needs;
        struct render_offers offers;
        enum render_form form;
    } rows[] = {
        {{0},                                                    {0},                                        RENDER_EIGHT_BIT },
        {{.has_eight_bit_body = true},                           {.eight_bit_mime = true},                   RENDER_EIGHT_BIT },
        {{.has_eight_bit_body = true},                           {0},                                        RENDER_SEVEN_BIT },
        {{.has_eight_bit_header = true},                         {.eight_bit_mime = true},                   RENDER_EIGHT_BIT },
        {{.has_eight_bit_header = true},                         {0},                                        RENDER_IMPOSSIBLE},
        {{.has_eight_bit_header = true, .asked_smtputf8 = true},
         {.eight_bit_mime = true},
         RENDER_IMPOSSIBLE                                                                                                    },
        {{.has_eight_bit_header = true, .asked_smtputf8 = true},
         {.eight_bit_mime = true, .smtputf8 = true},
         RENDER_EIGHT_BIT                                                                                                     },
        {{.asked_smtputf8 = true},                               {0},                                        RENDER_EIGHT_BIT }, /* asked for, and not needed */
        {{.has_utf8_address = true},                             {.eight_bit_mime = true},                   RENDER_IMPOSSIBLE},
        {{.has_utf8_address = true},                             {.eight_bit_mime = true, .smtputf8 = true}, RENDER_EIGHT_BIT },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_int_equal(render_form_for(rows[i].needs, rows[i].offers), rows[i].form);
}

static const char stored[] = "Subject: x\r\n\r\nHello\r\n";
static int next_result; /* -EAGAIN: once */

static ssize_t read_stored(void *owner, uint64_t offset, void *bytes, size_t len)
{
    size_t left = sizeof(stored) - 1 - (size_t)offset;
    int result = next_result;

    (void)owner;
    next_result = 0;
    if (result < 0)
        return result;
    len = len < left ? len : left;
    memcpy(bytes, stored + offset, len);
    return (ssize_t)len;
}

static void the_prefix_comes_first_and_then_every_stored_byte(void **state)
{
    struct render_reader reader = {read_stored, NULL};

    (void)state;
    for (size_t room_bytes = 1; room_bytes < 30; room_bytes++) {
        struct buffer CLEANUP(buffer) got = BUFFER_INIT;
        struct render render;
        struct slice piece;
        char room[30];

        render_init(&render, SLICE_LITERAL("X: y\r\n"), reader, sizeof(stored) - 1);
        assert_int_equal(render_length(&render), 6 + sizeof(stored) - 1);
        do {
            assert_int_equal(render_next(&render, room, room_bytes, &piece), 0);
            buffer_append(&got, piece);
        } while (piece.len);
        assert_slice_is(buffer_slice(&got), "X: y\r\nSubject: x\r\n\r\nHello\r\n");
        assert_int_equal(render_length(&render), 0);
    }
}

static void what_is_not_in_memory_is_asked_for_again(void **state)
{
    struct render_reader reader = {read_stored, NULL};
    struct render render;
    struct slice piece;
    char room[100];

    (void)state;
    render_init(&render, (struct slice){0}, reader, sizeof(stored) - 1);
    next_result = -EAGAIN;
    assert_int_equal(render_next(&render, room, sizeof(room), &piece), -EAGAIN);
    assert_int_equal(render_next(&render, room, sizeof(room), &piece), 0);
    assert_slice_is(piece, stored);
}

static void missing_bytes_are_an_error_not_an_end(void **state)
{
    struct render_reader reader = {read_stored, NULL};
    struct render render;
    struct slice piece;
    char room[100];

    (void)state;
    render_init(&render, (struct slice){0}, reader, sizeof(stored) + 5);
    assert_int_equal(render_next(&render, room, sizeof(room), &piece), 0);
    assert_int_equal(render_next(&render, room, sizeof(room), &piece), -EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_form_follows_from_needs_and_offers),
        cmocka_unit_test(the_prefix_comes_first_and_then_every_stored_byte),
        cmocka_unit_test(what_is_not_in_memory_is_asked_for_again),
        cmocka_unit_test(missing_bytes_are_an_error_not_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

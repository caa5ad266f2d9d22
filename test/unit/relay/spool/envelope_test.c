#include "test/support/test_support.h"

#include <errno.h>

#include "relay/spool/envelope.h"

static const struct recipient recipients[] = {
    {.address = SLICE_LITERAL("a@example.net"),
     .orcpt = SLICE_LITERAL("rfc822;a+2Bb@example.net"),
     .notify = NOTIFY_SUCCESS | NOTIFY_DELAY},
    {.address = SLICE_LITERAL("\"x\r\ny\"@example.net")  }, /* no byte ends a field */
};

static const struct envelope whole = {
    .id = 0x123456789abcdef,
    .arrived_utc_ms = 1795368303120,
    .expires_utc_ms = 1795800303120,
    .user_id = 42,
    .user = SLICE_LITERAL("news"),
    .sender = SLICE_LITERAL("news@example.org"),
    .flags = MESSAGE_8BIT_BODY | MESSAGE_MUST_SIGN,
    .class = CLASS_BULK,
    .ret = RET_HEADERS,
    .envid = SLICE_LITERAL("QQ314159"),
    .campaign = SLICE_LITERAL("spring"),
    .client = SLICE_LITERAL("192.0.2.1"),
    .from_domain = SLICE_LITERAL("example.org"),
    .n_recipients = 2,
    .recipients = recipients,
};

static struct buffer encoded;
static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    buffer_clear(&encoded);
    envelope_encode(&encoded, &whole);
    return buffer_error(&encoded);
}

static int tear_down(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

static void every_field_comes_back(void **state)
{
    struct envelope out;

    (void)state;
    assert_int_equal(envelope_decode(&out, buffer_slice(&encoded), &arena), 0);
    assert_true(out.id == whole.id);
    assert_true(out.arrived_utc_ms == whole.arrived_utc_ms);
    assert_true(out.expires_utc_ms == whole.expires_utc_ms);
    assert_int_equal(out.user_id, 42);
    assert_int_equal(out.flags, whole.flags);
    assert_int_equal(out.class, CLASS_BULK);
    assert_int_equal(out.ret, RET_HEADERS);
    assert_slice_is(out.user, "news");
    assert_slice_is(out.sender, "news@example.org");
    assert_slice_is(out.envid, "QQ314159");
    assert_slice_is(out.campaign, "spring");
    assert_slice_is(out.client, "192.0.2.1");
    assert_slice_is(out.from_domain, "example.org");
    assert_int_equal(out.n_recipients, 2);
    assert_slice_is(out.recipients[0].orcpt, "rfc822;a+2Bb@example.net");
    assert_int_equal(out.recipients[0].notify, NOTIFY_SUCCESS | NOTIFY_DELAY);
    assert_slice_is(out.recipients[1].address, "\"x\r\ny\"@example.net");
}

static void a_cut_at_any_byte_is_noticed(void **state)
{
    struct envelope out;

    (void)state;
    for (size_t len = 0; len < encoded.len; len++) {
        assert_int_equal(envelope_decode(&out, slice_from(encoded.data, len), &arena), -EBADMSG);
        arena_reset(&arena);
    }
}

static void bytes_behind_the_end_are_noticed(void **state)
{
    struct envelope out;

    (void)state;
    buffer_append_byte(&encoded, 0);
    assert_int_equal(envelope_decode(&out, buffer_slice(&encoded), &arena), -EBADMSG);
}

static void a_number_of_recipients_that_cannot_be_costs_no_memory(void **state)
{
    struct envelope out, empty = {.n_recipients = 0};
    struct arena small;

    (void)state;
    arena_init(&small, 4096);
    buffer_clear(&encoded);
    envelope_encode(&encoded, &empty);
    memset(encoded.data + encoded.len - 4, 0xff, 4);
    assert_int_equal(envelope_decode(&out, buffer_slice(&encoded), &small), -EBADMSG);
    arena_reset(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_field_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cut_at_any_byte_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_behind_the_end_are_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_number_of_recipients_that_cannot_be_costs_no_memory,
                                        set_up, tear_down),
    };
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);

    buffer_fini(&encoded);
    return n_failed;
}

#include "test/support/test_support.h"

#include "signer/protocol.h"

static struct buffer bytes;

static int reset(void **state)
{
    (void)state;
    buffer_clear(&bytes);
    return 0;
}

static const struct wire_sign sign = {
    .slot = 7,
    .offset = 1ULL << 40,
    .length = 12345,
    .crc = 0xdeadbeef,
    .life_s = 86400,
    .domain = {"example.com", 11},
    .selector = {"s1",          2 },
    .prefix = {"X: y\r\n",    6 }
};
static const struct wire_key key = {
    .verb = KEY_IMPORT,
    .type = DKIM_KEY_RSA,
    .domain = {"example.com", 11},
    .selector = {"s1",          2 },
    .pem = {"PEM",         3 }
};
static const struct wire_signed done = {
    .result = SIGN_OK,
    .n_signatures = 2,
    .domain = {"example.com",           11},
    .selectors = {"s1,s1-ed",              8 },
    .header = {"DKIM-Signature: x\r\n", 19}
};
static const struct wire_key_done key_done = {
    .result = KEY_OK,
    .why = {"",     0},
    .type = DKIM_KEY_ED25519,
    .bits = 256,
    .is_active = true,
    .public_half = {"QUJD", 4}
};

/* One record of each kind, by number. */
static void put(unsigned kind)
{
    switch (kind) {
    case 0:
        wire_put_file(&bytes, 3);
        break;
    case 1:
        wire_put_sign(&bytes, 42, &sign);
        break;
    case 2:
        wire_put_signed(&bytes, 43, &done);
        break;
    case 3:
        wire_put_key(&bytes, 44, &key);
        break;
    case 4:
        wire_put_key_done(&bytes, 45, &key_done);
        break;
    default:
        wire_put_key_list(&bytes, 46, slice_of("a"), slice_of("b"));
        break;
    }
}

static bool get(struct signer_record *record)
{
    uint16_t slot;
    struct wire_sign got_sign;
    struct wire_signed got_done;
    struct wire_key got_key;
    struct wire_key_done got_key_done;
    struct slice a, b;

    switch ((int)record->kind) {
    case RECORD_FILE:
        return wire_get_file(record, &slot);
    case RECORD_SIGN:
        return wire_get_sign(record, &got_sign);
    case RECORD_SIGNED:
        return wire_get_signed(record, &got_done);
    case RECORD_KEY:
        return wire_get_key(record, &got_key);
    case RECORD_KEY_DONE:
        return wire_get_key_done(record, &got_key_done);
    default:
        return wire_get_key_list(record, &a, &b);
    }
}

enum { N_KINDS = 6 };

static bool read_one(struct slice datagram)
{
    struct reader reader = {.rest = datagram};
    struct signer_record record;

    return signer_record_next(&reader, &record) == 1 && get(&record) && reader.rest.len == 0;
}

static void what_is_written_is_read(void **state)
{
    struct reader reader;
    struct signer_record record;
    struct wire_sign got;

    (void)state;
    wire_put_sign(&bytes, 42, &sign);
    reader = (struct reader){.rest = buffer_slice(&bytes)};
    assert_int_equal(signer_record_next(&reader, &record), 1);
    assert_int_equal(record.kind, RECORD_SIGN);
    assert_int_equal(record.id, 42);
    assert_true(wire_get_sign(&record, &got));
    assert_int_equal(got.slot, 7);
    assert_true(got.offset == 1ULL << 40);
    assert_int_equal(got.length, 12345);
    assert_int_equal(got.crc, 0xdeadbeef);
    assert_int_equal(got.life_s, 86400);
    assert_slice_is(got.domain, "example.com");
    assert_slice_is(got.selector, "s1");
    assert_slice_is(got.prefix, "X: y\r\n");
    assert_int_equal(signer_record_next(&reader, &record), 0);
}

static void a_record_cut_anywhere_is_refused(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < N_KINDS; kind++) {
        buffer_clear(&bytes);
        put(kind);
        assert_true(read_one(buffer_slice(&bytes)));
        for (size_t len = 1; len < bytes.len; len++)
            assert_false(read_one(slice_head(buffer_slice(&bytes), len)));
    }
}

/* The record's own length says more or less than its parts. */
static void a_record_that_is_too_long_or_short_is_refused(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < N_KINDS; kind++) {
        buffer_clear(&bytes);
        put(kind);
        buffer_append_byte(&bytes, 'x');
        bytes.data[0]++;
        assert_false(read_one(buffer_slice(&bytes)));
        bytes.data[0] = (char)(bytes.data[0] - 2);
        bytes.len -= 2;
        assert_false(read_one(buffer_slice(&bytes)));
    }
}

static void lengths_near_the_end_of_numbers_are_refused(void **state)
{
    static const char *const records[] = {"\xff\xff\xff\xff\x02", "\xff\xff\xff\x7f\x02",
                                          "\x08\x02\x02\x02\x02", "\x01"};

    (void)state;
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
        assert_false(read_one(slice_of(records[i])));
}

static void values_out_of_range_are_refused(void **state)
{
    struct wire_sign bad_sign = sign;
    struct wire_key bad_key = key;
    static char large[SIGNER_PEM_MAX + SIGNER_PREFIX_MAX + 1];

    (void)state;
    bad_sign.slot = SIGNER_FILE_SLOTS;
    wire_put_sign(&bytes, 1, &bad_sign);
    assert_false(read_one(buffer_slice(&bytes)));

    bad_sign = sign;
    bad_sign.offset = UINT64_MAX;
    buffer_clear(&bytes);
    wire_put_sign(&bytes, 1, &bad_sign);
    assert_false(read_one(buffer_slice(&bytes)));

    bad_sign.offset = INT64_MAX;
    bad_sign.length = 1;
    buffer_clear(&bytes);
    wire_put_sign(&bytes, 1, &bad_sign);
    assert_false(read_one(buffer_slice(&bytes)));

    bad_sign = sign;
    bad_sign.prefix = slice_from(large, SIGNER_PREFIX_MAX + 1);
    buffer_clear(&bytes);
    wire_put_sign(&bytes, 1, &bad_sign);
    assert_false(read_one(buffer_slice(&bytes)));

    bad_key.verb = (enum key_verb)7;
    buffer_clear(&bytes);
    wire_put_key(&bytes, 1, &bad_key);
    assert_false(read_one(buffer_slice(&bytes)));

    bad_key = key;
    bad_key.verb = KEY_CREATE; /* with a PEM */
    buffer_clear(&bytes);
    wire_put_key(&bytes, 1, &bad_key);
    assert_false(read_one(buffer_slice(&bytes)));

    bad_key = (struct wire_key){.verb = KEY_CREATE, .type = (enum dkim_key_type)3};
    buffer_clear(&bytes);
    wire_put_key(&bytes, 1, &bad_key);
    assert_false(read_one(buffer_slice(&bytes)));
}

static void a_page_of_keys_is_read_back(void **state)
{
    struct wire_key_item item =
                             {
                                 DKIM_KEY_RSA, true, {"example.com", 11},
                                   {"s1",          2 }
    },
                         got;
    struct reader reader;

    (void)state;
    wire_put_key_item(&bytes, &item);
    item.is_active = false;
    wire_put_key_item(&bytes, &item);
    reader = (struct reader){.rest = buffer_slice(&bytes)};
    assert_true(wire_get_key_item(&reader, &got));
    assert_true(got.is_active);
    assert_true(wire_get_key_item(&reader, &got));
    assert_false(got.is_active);
    assert_slice_is(got.selector, "s1");
    assert_false(wire_get_key_item(&reader, &got));
    assert_false(reader.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_written_is_read, reset),
        cmocka_unit_test_setup(a_record_cut_anywhere_is_refused, reset),
        cmocka_unit_test_setup(a_record_that_is_too_long_or_short_is_refused, reset),
        cmocka_unit_test_setup(lengths_near_the_end_of_numbers_are_refused, reset),
        cmocka_unit_test_setup(values_out_of_range_are_refused, reset),
        cmocka_unit_test_setup(a_page_of_keys_is_read_back, reset),
    };
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);

    buffer_fini(&bytes);
    return n_failed;
}

#include "test/support/test_support.h"

#include "signer/dns_record.h"

static void a_short_key_is_one_string(void **state)
{
    CLEANUP(buffer) struct buffer out = BUFFER_INIT;
    struct dkim_record record = {SLICE_LITERAL("example.com"), SLICE_LITERAL("s1-ed"),
                                 DKIM_KEY_ED25519, SLICE_LITERAL("QUJD")};

    (void)state;
    dkim_record_print_bind(&out, &record);
    assert_slice_is(buffer_slice(&out), "s1-ed._domainkey.example.com. IN TXT ( "
                                        "\"v=DKIM1; k=ed25519; p=QUJD\" )");
}

static void a_long_key_is_cut_every_255_octets(void **state)
{
    CLEANUP(buffer) struct buffer value = BUFFER_INIT;
    CLEANUP(buffer) struct buffer strings = BUFFER_INIT;
    CLEANUP(buffer) struct buffer joined = BUFFER_INIT;
    char key[736];
    struct dkim_record record = {
        SLICE_LITERAL("example.com"), SLICE_LITERAL("s1"), DKIM_KEY_RSA, {0}};
    size_t longest = 0, len = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (char)('A' + i % 26);
    record.public_half = slice_from(key, sizeof(key));
    dkim_record_print_value(&value, &record);
    assert_true(slice_starts_with(buffer_slice(&value), SLICE_LITERAL("v=DKIM1; k=rsa; p=ABC")));
    dkim_record_print_strings(&strings, &record);
    for (size_t i = 0, is_inside = 0; i < strings.len; i++) {
        char c = strings.data[i];

        if (c == '"')
            is_inside = !is_inside;
        else if (is_inside)
            buffer_append_byte(&joined, c);
        len = c == '"' ? 0 : len + 1;
        longest = len > longest ? len : longest;
    }
    assert_int_equal(longest, 255);
    assert_true(slice_equal(buffer_slice(&joined), buffer_slice(&value)));
}

static void a_failed_buffer_is_not_hidden(void **state)
{
    struct buffer out;
    struct dkim_record record = {SLICE_LITERAL("example.com"), SLICE_LITERAL("s1"), DKIM_KEY_RSA,
                                 SLICE_LITERAL("QUJD")};

    (void)state;
    buffer_init(&out, 20);
    dkim_record_print_bind(&out, &record);
    assert_int_not_equal(buffer_error(&out), 0);
    buffer_fini(&out);
}

static const struct {
    const char *domain, *selector;
    bool is_good;
} names[] = {
    {"example.com",                                                          "s1",           true },
    {"EXAMPLE.com",                                                          "S1.2026",      true },
    {"xn--bcher-kva.example",                                                "a_b-c",        true },
    {"",                                                                     "s1",           false},
    {"example.com",                                                          "",             false},
    {"example.com.",                                                         "s1",           false},
    {".example.com",                                                         "s1",           false},
    {"example..com",                                                         "s1",           false},
    {"../example.com",                                                       "s1",           false},
    {"example.com",                                                          "a/b",          false},
    {"example.com",                                                          "..",           false},
    {"b\xc3\xbc"
     "cher.example",                                                    "s1",           false},
    {"s._domainkey.example.com",                                             "s1",           false},
    {"_domainkey.example.com",                                               "s1",           false},
    {"example.com",                                                          "s._domainkey", false},
    {"example.com",                                                          "_domainkey.s", false},
    {"a234567890123456789012345678901234567890123456789012345678901234.com", "s",            false},
};

static void only_clean_names_become_file_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct key_name name;
        char why[KEY_WHY_SIZE] = "";
        bool is_good =
            key_name_set(&name, slice_of(names[i].domain), slice_of(names[i].selector), why);

        if (is_good != names[i].is_good)
            fail_msg("row %zu: %s", i, why);
        if (!is_good)
            assert_int_not_equal(why[0], '\0');
    }
}

static void a_nul_does_not_shorten_a_name(void **state)
{
    struct key_name name;
    char why[KEY_WHY_SIZE];

    (void)state;
    assert_false(key_name_set(&name, SLICE_LITERAL("example.com\0.evil"), SLICE_LITERAL("s"), why));
    assert_string_equal(why, "the domain has a NUL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_key_is_one_string),
        cmocka_unit_test(a_long_key_is_cut_every_255_octets),
        cmocka_unit_test(a_failed_buffer_is_not_hidden),
        cmocka_unit_test(only_clean_names_become_file_names),
        cmocka_unit_test(a_nul_does_not_shorten_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

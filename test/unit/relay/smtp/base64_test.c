#include "test/support/test_support.h"

#include "relay/smtp/base64.h"

static const struct {
    const char *plain, *encoded;
} vectors[] = {
  /* RFC 4648 10 */
    {"",       ""        },
    {"f",      "Zg=="    },
    {"fo",     "Zm8="    },
    {"foo",    "Zm9v"    },
    {"foob",   "Zm9vYg=="},
    {"fooba",  "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"}
};

static void the_vectors_of_rfc_4648_hold_both_ways(void **state)
{
    CLEANUP(buffer) struct buffer encoded = BUFFER_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        char decoded[8];
        size_t len = 99;

        buffer_clear(&encoded);
        base64_encode(&encoded, slice_of(vectors[i].plain));
        assert_slice_is(buffer_slice(&encoded), vectors[i].encoded);
        assert_true(base64_decode(slice_of(vectors[i].encoded), decoded, &len));
        assert_slice_is(slice_from(decoded, len), vectors[i].plain);
    }
}

/* The room is exactly what base64_decoded_size() says: a sanitizer sees one octet more. */
static void every_length_decodes_into_exactly_its_room(void **state)
{
    CLEANUP(buffer) struct buffer encoded = BUFFER_INIT;
    char bytes[300];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 7);
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        size_t room, decoded_len = 0;
        char *decoded;

        buffer_clear(&encoded);
        base64_encode(&encoded, slice_from(bytes, len));
        room = base64_decoded_size(encoded.len);
        decoded = malloc(room ? room : 1);
        assert_non_null(decoded);
        assert_true(base64_decode(buffer_slice(&encoded), decoded, &decoded_len));
        assert_int_equal(decoded_len, len);
        assert_memory_equal(decoded, bytes, len);
        free(decoded);
    }
}

static void malformed_text_is_refused(void **state)
{
    static const char *const rows[] = {
        "Z",    "Zg",    "Zg=",   "Zg===", "=",    "====", "=Zg=",     "Z===", "Zg==Zg==",
        "Zm=v", "Zm 8=", "Zm8\n", "Zh==",  "Zm9=", "Zm-_", "Zm9v\r\n", "*",    "\xc3\xa9\xc3\xa9",
        "Zm9vZ"};
    char decoded[16];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = 99;

        assert_false(base64_decode(slice_of(rows[i]), decoded, &len));
        assert_int_equal(len, 99);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_rfc_4648_hold_both_ways),
        cmocka_unit_test(every_length_decodes_into_exactly_its_room),
        cmocka_unit_test(malformed_text_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "test/support/test_support.h"

#include "signer/canonical.h"
#include "signer/signature_text.h"

static void digest_whole(struct slice bytes, uint8_t out[32])
{
    assert_int_equal(EVP_Digest(bytes.data, bytes.len, out, NULL, EVP_sha256(), NULL), 1);
}

/* The digest of body in relaxed form, handed over in pieces of at most step octets. */
static void digest_body(struct slice body, size_t step, uint8_t out[32])
{
    static struct canonical_body canonical;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();

    assert_int_equal(EVP_DigestInit_ex(digest, EVP_sha256(), NULL), 1);
    canonical_body_init(&canonical, digest);
    while (body.len) {
        canonical_body_add(&canonical, slice_head(body, step));
        body = slice_skip(body, step);
    }
    assert_int_equal(canonical_body_end(&canonical), 0);
    assert_int_equal(EVP_DigestFinal_ex(digest, out, NULL), 1);
    EVP_MD_CTX_free(digest);
}

static const struct {
    const char *body, *relaxed;
} bodies[] = {
    {" C \r\nD \t E\r\n\r\n\r\n",  " C\r\nD E\r\n"            }, /* RFC 6376, 3.4.5 */
    {"",                           ""                         }, /* 3.4.4: stays empty */
    {"\r\n",                       ""                         },
    {"\r\n\r\n\r\n",               ""                         },
    {" \t \r\n\t\r\n",             ""                         },
    {"abc",                        "abc\r\n"                  },
    {"abc\r\n",                    "abc\r\n"                  },
    {"abc ",                       "abc\r\n"                  },
    {"abc\r\n ",                   "abc\r\n"                  },
    {"\r\n\r\nabc\r\n",            "\r\n\r\nabc\r\n"          },
    {"a  b\t\tc \t d\r\n",         "a b c d\r\n"              },
    {"\ta\r\n",                    " a\r\n"                   },
    {"a \r\n\r\n  b\r\n",          "a\r\n\r\n b\r\n"          },
    {"a\rb\nc\r\n",                "a\rb\nc\r\n"              },
    {"a\r",                        "a\r\r\n"                  },
    {"a\r\r\n",                    "a\r\r\n"                  },
    {"a \r b\r\n",                 "a \r b\r\n"               },
    {"caf\xc3\xa9 \xff  \x01\r\n", "caf\xc3\xa9 \xff \x01\r\n"},
};

static void bodies_take_their_relaxed_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        for (size_t step = 1; step <= strlen(bodies[i].body) + 1; step++) {
            uint8_t wanted[32], got[32];

            digest_whole(slice_of(bodies[i].relaxed), wanted);
            digest_body(slice_of(bodies[i].body), step, got);
            if (memcmp(wanted, got, sizeof(got)) != 0)
                fail_msg("body %zu in pieces of %zu", i, step);
        }
}

/* The published digests of an empty and of a small body: no code of ours on both sides. */
static void known_body_hash(void **state)
{
    char base64[64];
    uint8_t digest[32];

    (void)state;
    digest_body(SLICE_LITERAL("\r\n"), 1, digest);
    EVP_EncodeBlock((uint8_t *)base64, digest, sizeof(digest));
    assert_string_equal(base64, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="); /* 3.4.4 */
    /* RFC 6376, appendix A.2 */
    digest_body(SLICE_LITERAL("Hi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n"),
                7, digest);
    EVP_EncodeBlock((uint8_t *)base64, digest, sizeof(digest));
    assert_string_equal(base64, "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
}

static void output_larger_than_its_buffer(void **state)
{
    size_t len = 5 * CANONICAL_OUTPUT_BYTES + 3;
    char *text = malloc(len);
    uint8_t wanted[32], got[32];

    (void)state;
    for (size_t i = 0; i < len; i++)
        text[i] = (char)('a' + i % 26);
    memcpy(text + len - 2, "\r\n", 2);
    digest_whole(slice_from(text, len), wanted);
    digest_body(slice_from(text, len), 1000, got);
    assert_memory_equal(wanted, got, sizeof(got));
    digest_body(slice_from(text, len), len, got);
    assert_memory_equal(wanted, got, sizeof(got));
    free(text);
}

static void headers_take_their_relaxed_form(void **state)
{
    /* RFC 6376, 3.4.5, then corners. */
    struct slice rest = SLICE_LITERAL("A: X\r\nB : Y\t\r\n\tZ  \r\n"
                                      "Subject:\r\nFOLD: \r\n a\r\n\t b \t c\r\n \t\r\n"
                                      "no colon here\r\nLAST:z");
    static const char *const wanted[] = {
        "a:X", "b:Y Z", "subject:", "fold:a b c", ":no colon here", "last:z"};
    struct dkim_field field;
    size_t n = 0;

    (void)state;
    while (dkim_field_next(&rest, &field)) {
        CLEANUP(buffer) struct buffer out = BUFFER_INIT;

        assert_true(n < sizeof(wanted) / sizeof(wanted[0]));
        canonical_header(&out, &field);
        assert_slice_is(buffer_slice(&out), wanted[n++]);
    }
    assert_int_equal(n, sizeof(wanted) / sizeof(wanted[0]));
}

static void fields_end_at_the_empty_line(void **state)
{
    struct slice rest = SLICE_LITERAL("A: 1\r\n\r\nB: 2\r\n");
    struct dkim_field field;

    (void)state;
    assert_int_equal(dkim_header_end(rest), 8);
    assert_int_equal(dkim_header_end(SLICE_LITERAL("\r\nbody")), 2);
    assert_int_equal(dkim_header_end(SLICE_LITERAL("A: 1\r\n\r")), -1);
    assert_int_equal(dkim_header_end(SLICE_LITERAL("")), -1);
    assert_true(dkim_field_next(&rest, &field));
    assert_slice_is(field.name, "A");
    assert_false(dkim_field_next(&rest, &field));
}

static bool is_in_list(const struct signed_headers *headers, unsigned from, const char *names)
{
    char text[2048] = "";

    for (unsigned i = from; i < headers->n_names; i++) {
        strcat(text, i > from ? ":" : "");
        strcat(text, signed_names[headers->names[i]].name);
    }
    if (strcmp(text, names) != 0)
        print_error("  got: %s\n", text);
    return strcmp(text, names) == 0;
}

/* The lowest instance comes first, and what is oversigned is named once more at the end. */
static void instances_are_signed_from_the_bottom(void **state)
{
    struct signed_headers headers = {0};

    (void)state;
    assert_int_equal(signed_headers_collect(&headers, SLICE_LITERAL("Feedback-ID: f\r\n"),
                                            SLICE_LITERAL("Received: x\r\nTo: first\r\n"
                                                          "fRoM : me\r\nTo: second\r\n"
                                                          "X-Mailer: y\r\n")),
                     0);
    assert_slice_is(buffer_slice(&headers.canonical),
                    "from:me\r\nto:second\r\nto:first\r\nfeedback-id:f\r\n");
    assert_true(is_in_list(&headers, 0,
                           "from:to:to:feedback-id:from:to:subject:date:mime-version:"
                           "content-type:list-unsubscribe:list-unsubscribe-post"));
    signed_headers_fini(&headers);
}

static void the_number_of_signed_fields_is_bounded(void **state)
{
    CLEANUP(buffer) struct buffer block = BUFFER_INIT;
    struct signed_headers headers = {0};

    (void)state;
    for (int i = 0; i < 3000; i++)
        buffer_append_text(&block, i % 2 ? "To: a\r\n" : "References: b\r\n");
    assert_int_equal(signed_headers_collect(&headers, SLICE_LITERAL(""), buffer_slice(&block)), 0);
    assert_int_equal(headers.n_names, SIGNED_FIELDS_MAX + 8);
    signed_headers_fini(&headers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_take_their_relaxed_form),
        cmocka_unit_test(known_body_hash),
        cmocka_unit_test(output_larger_than_its_buffer),
        cmocka_unit_test(headers_take_their_relaxed_form),
        cmocka_unit_test(fields_end_at_the_empty_line),
        cmocka_unit_test(instances_are_signed_from_the_bottom),
        cmocka_unit_test(the_number_of_signed_fields_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "test/support/test_support.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "policy/judge.h"
#include "relay/base/clock.h"
#include "relay/base/crc32c.h"
#include "signer/dns_record.h"
#include "signer/opendkim_engine.h"
#include "signer/sign.h"
#include "test/support/dkim_samples.h"

enum { N_KEYS = 2 };

static struct signing_desk *desk;
static struct opendkim_engine *engine;
static struct judge *judge;
static struct signing_key keys[N_KEYS] = {
    {.name = {"example.com", "s1"},    .type = DKIM_KEY_RSA    },
    {.name = {"example.com", "s1-ed"}, .type = DKIM_KEY_ED25519},
};
static EVP_PKEY *privates[N_KEYS];
static struct buffer record_texts[N_KEYS];
static struct judge_record records[N_KEYS];
static struct message_reader reader;
static struct buffer header;

static int set_up(void **state)
{
    (void)state;
    reader = MESSAGE_READER_INIT;
    assert_int_equal(signing_desk_new(&desk), 0);
    assert_int_equal(opendkim_engine_new(&engine), 0);
    assert_int_equal(judge_new(&judge), 0);
    for (int i = 0; i < N_KEYS; i++) {
        CLEANUP(buffer) struct buffer public_half = BUFFER_INIT;
        struct dkim_record record = {.type = keys[i].type};

        assert_int_equal(private_key_generate(&privates[i], keys[i].type), 0);
        assert_int_equal(private_key_public_half(privates[i], keys[i].type, &public_half), 0);
        record.public_half = buffer_slice(&public_half);
        dkim_record_print_value(&record_texts[i], &record);
        records[i] =
            (struct judge_record){slice_of(keys[i].name.domain), slice_of(keys[i].name.selector),
                                  buffer_slice(&record_texts[i])};
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < N_KEYS; i++) {
        EVP_PKEY_free(privates[i]);
        buffer_fini(&record_texts[i]);
    }
    judge_free(judge);
    opendkim_engine_free(engine);
    signing_desk_free(desk);
    message_reader_fini(&reader);
    buffer_fini(&header);
    return 0;
}

struct attempt {
    struct slice prefix, message;
    unsigned first_key, n_keys;
    uint32_t life_s;
    bool by_opendkim, is_damaged;
};

/* The fields are in `header` afterwards. */
static int sign(const struct attempt *attempt)
{
    CLEANUP(close_fd) int fd = memfd_create("message", MFD_CLOEXEC);
    uint32_t crc = crc32c(0, attempt->message) ^ attempt->is_damaged;
    struct sign_input input = {.prefix = attempt->prefix,
                               .message = &reader,
                               .domain = "example.com",
                               .n_keys = attempt->n_keys,
                               .now_s = clock_utc_ms() / 1000,
                               .life_s = attempt->life_s};

    assert_int_equal(pwrite(fd, "junk", 4, 0), 4);
    assert_int_equal(pwrite(fd, attempt->message.data, attempt->message.len, 4),
                     attempt->message.len);
    for (unsigned i = 0; i < attempt->n_keys; i++) {
        input.keys[i] = &keys[attempt->first_key + i];
        input.privates[i] = privates[attempt->first_key + i];
    }
    buffer_clear(&header);
    message_reader_start(&reader, fd, 4, attempt->message.len, crc);
    return attempt->by_opendkim ? sign_by_opendkim(engine, &input, &header)
                                : sign_natively(desk, &input, &header);
}

static void judge_signed(struct slice prefix, struct slice message, struct judge_verdict *verdict)
{
    struct slice parts[] = {buffer_slice(&header), prefix, message};

    judge_message(judge, parts, 3, records, N_KEYS, verdict);
}

static void assert_judged_good(struct slice prefix, struct slice message, unsigned n_wanted)
{
    struct judge_verdict verdict;

    judge_signed(prefix, message, &verdict);
    if (verdict.result != JUDGE_PASS || verdict.n_good != n_wanted)
        fail_msg("%u of %u good: %s\n%.*s%.*s", verdict.n_good, verdict.n_signatures,
                 verdict.reason, (int)header.len, header.data, (int)message.len, message.data);
}

/* The value of a tag of the first field, blanks and folds out; "" when there is none. */
static const char *tag(const char *name)
{
    static char value[1024];
    size_t len = 0;
    char *text = strndup(header.data, header.len), *start = text;

    value[0] = '\0';
    while (start && (start = strpbrk(start, ":; \t\n"))) {
        start++;
        if (strncmp(start, name, strlen(name)) == 0 && start[strlen(name)] == '=')
            break;
    }
    if (start)
        for (start += strlen(name) + 1; *start && *start != ';' && len < sizeof(value) - 1; start++)
            if (!strchr(" \t\r\n", *start))
                value[len++] = *start;
    value[len] = '\0';
    free(text);
    return value;
}

static const struct slice none = {"", 0};

static void both_signatures_please_libopendkim(void **state)
{
    struct attempt attempt = {.prefix = none, .message = SLICE_LITERAL(dkim_sample), .n_keys = 2};

    (void)state;
    assert_int_equal(sign(&attempt), 0);
    assert_judged_good(none, attempt.message, 2);
}

static void each_signature_stands_on_its_own(void **state)
{
    struct attempt attempt = {.prefix = none, .message = SLICE_LITERAL(dkim_sample), .n_keys = 1};

    (void)state;
    for (attempt.first_key = 0; attempt.first_key < N_KEYS; attempt.first_key++) {
        assert_int_equal(sign(&attempt), 0);
        assert_judged_good(none, attempt.message, 1);
    }
}

static void the_tags_are_those_of_the_design(void **state)
{
    struct attempt attempt = {.prefix = none, .message = SLICE_LITERAL(dkim_sample), .n_keys = 1};
    int64_t signed_at;

    (void)state;
    assert_int_equal(sign(&attempt), 0);
    assert_string_equal(tag("v"), "1");
    assert_string_equal(tag("a"), "rsa-sha256");
    assert_string_equal(tag("c"), "relaxed/relaxed");
    assert_string_equal(tag("d"), "example.com");
    assert_string_equal(tag("s"), "s1");
    assert_string_equal(tag("l"), "");
    assert_string_equal(tag("i"), "");
    assert_string_equal(tag("x"), "");
    assert_string_equal(tag("h"), "from:to:subject:date:message-id:mime-version:content-type:"
                                  "from:to:subject:date:mime-version:content-type:"
                                  "list-unsubscribe:list-unsubscribe-post");
    signed_at = strtoll(tag("t"), NULL, 10);
    assert_true(llabs(signed_at - clock_utc_ms() / 1000) <= 5);
    attempt.life_s = 7 * 86400;
    assert_int_equal(sign(&attempt), 0);
    signed_at = strtoll(tag("t"), NULL, 10);
    assert_int_equal(strtoll(tag("x"), NULL, 10) - signed_at, 7 * 86400);
    assert_judged_good(none, attempt.message, 1);
}

static void lines_are_short_and_end_with_crlf(void **state)
{
    struct attempt attempt = {.prefix = none, .message = SLICE_LITERAL(dkim_sample), .n_keys = 2};
    struct slice rest;

    (void)state;
    assert_int_equal(sign(&attempt), 0);
    for (rest = buffer_slice(&header); rest.len;) {
        ptrdiff_t end = slice_search(rest, SLICE_LITERAL("\r\n"));

        assert_in_range(end, 1, 78);
        assert_true(slice_find(slice_head(rest, (size_t)end), '\n') < 0);
        assert_true(slice_find(slice_head(rest, (size_t)end), '\r') < 0);
        assert_true(rest.data[0] == '\t' ||
                    slice_starts_with(rest, SLICE_LITERAL("DKIM-Signature: ")));
        rest = slice_skip(rest, (size_t)end + 2);
    }
}

/* Differential: libopendkim canonicalises what we signed, byte for byte its own way. */
static void odd_messages_are_signed_as_libopendkim_reads_them(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 400; seed++) {
        CLEANUP(buffer) struct buffer message = BUFFER_INIT;
        struct attempt attempt = {.prefix = none, .n_keys = 1, .first_key = 1};

        dkim_random_message(&message, seed);
        attempt.message = buffer_slice(&message);
        assert_int_equal(sign(&attempt), 0);
        assert_judged_good(none, attempt.message, 1);
    }
}

static void both_engines_hash_the_same_body(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 60; seed++) {
        CLEANUP(buffer) struct buffer message = BUFFER_INIT;
        struct attempt attempt = {.prefix = none, .n_keys = 1};
        char native[64];

        dkim_random_message(&message, seed);
        attempt.message = buffer_slice(&message);
        assert_int_equal(sign(&attempt), 0);
        assert_true(slice_copy_to(slice_of(tag("bh")), native, sizeof(native)));
        attempt.by_opendkim = true;
        assert_int_equal(sign(&attempt), 0);
        assert_string_equal(tag("bh"), native);
        assert_judged_good(none, attempt.message, 1);
    }
}

static void the_opendkim_engine_writes_crlf_and_the_same_list(void **state)
{
    struct attempt attempt = {.prefix = SLICE_LITERAL("Feedback-ID: a:b:c\r\n"),
                              .message = SLICE_LITERAL(dkim_sample),
                              .n_keys = 1,
                              .by_opendkim = true,
                              .life_s = 86400};

    (void)state;
    assert_int_equal(sign(&attempt), 0);
    assert_true(slice_starts_with(buffer_slice(&header), SLICE_LITERAL("DKIM-Signature: v=1")));
    for (size_t i = 0; i < header.len; i++)
        if (header.data[i] == '\n')
            assert_true(i > 0 && header.data[i - 1] == '\r');
    assert_true(header.data[header.len - 1] == '\n');
    assert_non_null(strcasestr(tag("h"), "feedback-id"));
    assert_non_null(strcasestr(tag("h"), "list-unsubscribe-post"));
    assert_null(strcasestr(tag("h"), "received"));
    assert_int_equal(strtoll(tag("x"), NULL, 10) - strtoll(tag("t"), NULL, 10), 86400);
    assert_judged_good(attempt.prefix, attempt.message, 1);
    attempt.life_s = 0;
    assert_int_equal(sign(&attempt), 0);
    assert_string_equal(tag("x"), "");
}

/* On these libopendkim refuses a whole message when it is handed every field. */
static void the_opendkim_engine_passes_odd_fields_by(void **state)
{
    static const char odd[] = "From: a@example.com\r\nSubject \t: x\r\ncaf\xc3\xa9: y\r\n"
                              "no colon\r\n\r\nbody\r\n";
    struct attempt attempt = {
        .prefix = none, .message = SLICE_LITERAL(odd), .n_keys = 1, .by_opendkim = true};
    char by_opendkim[64];

    (void)state;
    assert_int_equal(sign(&attempt), 0);
    assert_true(slice_copy_to(slice_of(tag("bh")), by_opendkim, sizeof(by_opendkim)));
    assert_non_null(strstr(tag("h"), "Subject"));
    attempt.by_opendkim = false;
    assert_int_equal(sign(&attempt), 0);
    assert_string_equal(tag("bh"), by_opendkim);
}

static void the_prefix_is_part_of_what_is_signed(void **state)
{
    struct attempt attempt = {
        .prefix = SLICE_LITERAL("List-Unsubscribe: <https://example.com/u/1>\r\n"
                                "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"),
        .message = SLICE_LITERAL(dkim_sample),
        .n_keys = 2};
    struct judge_verdict verdict;

    (void)state;
    assert_int_equal(sign(&attempt), 0);
    assert_judged_good(attempt.prefix, attempt.message, 2);
    judge_signed(SLICE_LITERAL("List-Unsubscribe: <https://example.com/u/2>\r\n"), attempt.message,
                 &verdict);
    assert_int_equal(verdict.result, JUDGE_FAIL);
}

static void an_added_field_breaks_the_signature(void **state)
{
    static const char *const added[] = {"From: evil@example.org\r\n", "Subject: win\r\n",
                                        "List-Unsubscribe: <https://evil.example/>\r\n",
                                        "Content-Type: text/html\r\n"};
    struct attempt attempt = {.prefix = none, .message = SLICE_LITERAL(dkim_sample), .n_keys = 2};
    struct judge_verdict verdict;

    (void)state;
    assert_int_equal(sign(&attempt), 0);
    for (size_t i = 0; i < sizeof(added) / sizeof(added[0]); i++) {
        judge_signed(slice_of(added[i]), attempt.message, &verdict);
        assert_int_equal(verdict.result, JUDGE_FAIL);
        assert_int_equal(verdict.n_good, 0);
        assert_int_not_equal(verdict.reason[0], '\0');
    }
    judge_signed(SLICE_LITERAL("Received: by mx.example.net\r\n"), attempt.message, &verdict);
    assert_int_equal(verdict.result, JUDGE_PASS);
}

static void damaged_bytes_get_no_signature(void **state)
{
    struct attempt attempt = {
        .prefix = none, .message = SLICE_LITERAL(dkim_sample), .n_keys = 2, .is_damaged = true};

    (void)state;
    assert_int_equal(sign(&attempt), -EILSEQ);
    assert_int_equal(header.len, 0);
    attempt.n_keys = 1;
    attempt.by_opendkim = true;
    assert_int_equal(sign(&attempt), -EILSEQ);
    assert_int_equal(header.len, 0);
}

static void a_file_that_ends_too_early_is_damaged(void **state)
{
    CLEANUP(close_fd) int fd = memfd_create("message", MFD_CLOEXEC);
    struct slice block;

    (void)state;
    assert_int_equal(write(fd, dkim_sample, sizeof(dkim_sample) - 1), sizeof(dkim_sample) - 1);
    message_reader_start(&reader, fd, 0, sizeof(dkim_sample) + 10, 0);
    assert_int_equal(message_reader_header(&reader, &block), 0);
    assert_int_equal(message_reader_body(&reader, &block), 1);
    assert_int_equal(message_reader_body(&reader, &block), -EILSEQ);
}

/* Larger than the reader's chunk in header and body, so that pieces meet at odd places. */
static void large_messages_are_read_in_pieces(void **state)
{
    (void)state;
    for (int round = 0; round < 6; round++) {
        CLEANUP(buffer) struct buffer message = BUFFER_INIT;
        struct attempt attempt = {.prefix = none, .n_keys = 2};
        size_t header_bytes = round % 2 ? 2 * MESSAGE_CHUNK_BYTES : 500;

        buffer_append_text(&message, "From: a@example.com\r\n");
        while (message.len < header_bytes)
            buffer_append_text(&message, "X-Filler: some words that go on and on\r\n");
        for (int i = 0; i < round; i++)
            buffer_append_text(&message, "Y: z\r\n"); /* other places for the cuts */
        buffer_append_text(&message, "Subject: last\r\n\r\n");
        while (message.len < header_bytes + 3 * MESSAGE_CHUNK_BYTES)
            buffer_append_text(&message, "a line  with blanks \r\n\r\n \t\r\n");
        attempt.message = buffer_slice(&message);
        assert_int_equal(sign(&attempt), 0);
        assert_judged_good(none, attempt.message, 2);
    }
}

static void a_header_block_without_end_is_refused(void **state)
{
    CLEANUP(buffer) struct buffer message = BUFFER_INIT;
    struct attempt attempt = {.prefix = none, .n_keys = 1};

    (void)state;
    while (message.len < MESSAGE_HEADER_MAX + MESSAGE_CHUNK_BYTES + 1)
        buffer_append_text(&message, "X-Filler: some words that go on and on\r\n");
    attempt.message = buffer_slice(&message);
    assert_int_equal(sign(&attempt), -EFBIG);
}

static void a_long_domain_and_selector_still_fold(void **state)
{
    struct attempt attempt = {.prefix = none, .message = SLICE_LITERAL(dkim_sample), .n_keys = 1};
    struct signing_key saved = keys[0];
    struct judge_record saved_record = records[0];

    (void)state;
    memset(keys[0].name.selector, 's', 60);
    keys[0].name.selector[60] = '\0';
    records[0].selector = slice_of(keys[0].name.selector);
    assert_int_equal(sign(&attempt), 0);
    assert_judged_good(none, attempt.message, 1);
    keys[0] = saved;
    records[0] = saved_record;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_signatures_please_libopendkim),
        cmocka_unit_test(each_signature_stands_on_its_own),
        cmocka_unit_test(the_tags_are_those_of_the_design),
        cmocka_unit_test(lines_are_short_and_end_with_crlf),
        cmocka_unit_test(odd_messages_are_signed_as_libopendkim_reads_them),
        cmocka_unit_test(both_engines_hash_the_same_body),
        cmocka_unit_test(the_opendkim_engine_writes_crlf_and_the_same_list),
        cmocka_unit_test(the_opendkim_engine_passes_odd_fields_by),
        cmocka_unit_test(the_prefix_is_part_of_what_is_signed),
        cmocka_unit_test(an_added_field_breaks_the_signature),
        cmocka_unit_test(damaged_bytes_get_no_signature),
        cmocka_unit_test(a_file_that_ends_too_early_is_damaged),
        cmocka_unit_test(large_messages_are_read_in_pieces),
        cmocka_unit_test(a_header_block_without_end_is_refused),
        cmocka_unit_test(a_long_domain_and_selector_still_fold),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

#include "test/support/test_support.h"

#include "relay/message/header.h"

static struct arena arena;
static struct header_facts facts;
static struct buffer out;

static void read_facts(const char *block)
{
    arena_reset(&arena);
    assert_int_equal(header_read_facts(slice_of(block), &arena, &facts), 0);
}

static void the_block_ends_with_its_empty_line(void **state)
{
    static const struct {
        const char *message;
        size_t len;
        bool is_complete;
    } rows[] = {
        {"",                          0,  false},
        {"\r\nbody\r\n",              2,  true },
        {"A: b\r\n\r\nbody\r\n\r\n",  8,  true },
        {"A: b\r\n c\r\n\r\n",        12, true },
        {"A: b\r\n",                  6,  false},
        {"A: b\r\n\r",                7,  false},
        {"A: b\r\n \r\nC: d\r\n\r\n", 17, true }, /* a blank line that only looks empty */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        bool is_complete;

        assert_int_equal(header_length(slice_of(rows[i].message), &is_complete), rows[i].len);
        assert_int_equal(is_complete, rows[i].is_complete);
    }
}

static void fields_come_one_by_one_with_their_folding(void **state)
{
    struct header_walker walker = {SLICE_LITERAL("Subject: one\r\n\ttwo \r\nX:\r\nno field here\r\n"
                                                 "Old : blank\r\nCaff\xc3\xa8: x\r\n\r\nBody: y")};
    static const struct {
        const char *name, *value;
    } rows[] = {
        {"Subject", " one\r\n\ttwo " },
        {"X",       ""               },
        {"",        "no field here"  },
        {"Old",     " blank"         },
        {"",        "Caff\xc3\xa8: x"}
    };
    struct header_field field;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_true(header_next(&walker, &field));
        assert_slice_is(field.name, rows[i].name);
        assert_slice_is(field.value, rows[i].value);
    }
    assert_false(header_next(&walker, &field));
}

static void facts_tell_what_intake_asks(void **state)
{
    (void)state;
    read_facts("Received: a\r\nRECEIVED: b\r\nFrom: Bob <bob@x.org>\r\nSender: S <s@x.org>\r\n"
               "date: today\r\nMessage-Id:\r\n <1@x>\r\nSubject: a\r\n b\r\nMIME-Version: 1.0\r\n"
               "List-ID: News <n.x.org>\r\nList-Unsubscribe: <https://x>\r\n"
               "X-Staffetta-Class: Bulk\r\nX-Staffetta-Campaign: spring 26\r\nbad line\r\n\r\n");
    assert_int_equal(facts.n_received, 2);
    assert_int_equal(facts.n_from_fields, 1);
    assert_int_equal(facts.n_from, 1);
    assert_int_equal(facts.n_malformed, 1);
    assert_slice_is(facts.from[0], "bob@x.org");
    assert_slice_is(facts.sender, "s@x.org");
    assert_slice_is(facts.message_id, "<1@x>");
    assert_slice_is(facts.subject, "a b");
    assert_slice_is(facts.list_id, "n.x.org");
    assert_slice_is(facts.campaign, "spring 26");
    assert_int_equal(facts.class, HEADER_CLASS_BULK);
    assert_true(facts.has_date && facts.has_message_id && facts.has_mime_version &&
                facts.has_list_unsubscribe && facts.is_utf8);
    assert_false(facts.has_eight_bit || facts.has_malformed_from);
    assert_int_equal(facts.longest_line, strlen("X-Staffetta-Campaign: spring 26"));
}

static void a_block_that_begins_with_a_blank_is_noticed(void **state)
{
    (void)state;
    read_facts(" continues nothing\r\nFrom: a@x.org\r\n\r\n");
    assert_true(facts.begins_folded);
    read_facts("\r\n");
    assert_false(facts.begins_folded);
    read_facts("From: a@x.org\r\n folded\r\n\r\n");
    assert_false(facts.begins_folded);
}

static void eight_bits_and_their_encoding_are_noticed(void **state)
{
    (void)state;
    read_facts("Subject: caff\xc3\xa8\r\n\r\n");
    assert_true(facts.has_eight_bit && facts.is_utf8);
    read_facts("Subject: caff\xe8\r\n\r\n");
    assert_true(facts.has_eight_bit && !facts.is_utf8);
}

static void every_from_field_counts(void **state)
{
    (void)state;
    read_facts("From: a@x.org\r\nfrom: b@y.org, C <c@z.org>\r\nFROM: nobody\r\n\r\n");
    assert_int_equal(facts.n_from_fields, 3);
    assert_int_equal(facts.n_from, 3);
    assert_slice_is(facts.from[2], "c@z.org");
    assert_true(facts.has_malformed_from);
}

static void a_flood_of_addresses_is_malformed_not_endless(void **state)
{
    struct buffer block = BUFFER_INIT;

    (void)state;
    for (unsigned i = 0; i < 10000; i++)
        buffer_append_text(&block, "From: a@x.org, b@x.org\r\n");
    arena_reset(&arena);
    assert_int_equal(header_read_facts(buffer_slice(&block), &arena, &facts), 0);
    assert_int_equal(facts.n_from, HEADER_MAX_FROM);
    assert_true(facts.has_malformed_from);
    assert_true(arena.used < 65536);
    buffer_fini(&block);
}

static void tidy(const char *block)
{
    struct header_additions additions = {SLICE_LITERAL("Received: by x; now\r\n"),
                                         SLICE_LITERAL("today"), SLICE_LITERAL("<2@x>")};

    read_facts(block);
    buffer_clear(&out);
    assert_int_equal(header_tidy(slice_of(block), &facts, &additions, &out), 0);
}

static void missing_fields_are_added_and_present_ones_kept(void **state)
{
    (void)state;
    tidy("From: a@x.org\r\nSubject: x\r\n  y\r\n\r\n");
    assert_slice_is(buffer_slice(&out),
                    "Received: by x; now\r\nDate: today\r\nMessage-ID: <2@x>\r\n"
                    "From: a@x.org\r\nSubject: x\r\n  y\r\n\r\n");
    tidy("DATE: then\r\nmessage-id: <1@x>\r\n\r\n");
    assert_slice_is(buffer_slice(&out),
                    "Received: by x; now\r\nDATE: then\r\nmessage-id: <1@x>\r\n\r\n");
}

static void blind_copies_and_private_fields_are_removed_with_their_folding(void **state)
{
    (void)state;
    tidy("Date: d\r\nBcc: a@x.org,\r\n b@x.org,\r\n\tc@x.org\r\nMessage-ID: <1@x>\r\n"
         "BCC : d@x.org\r\nResent-bcc:\r\n\r\n");
    assert_slice_is(buffer_slice(&out),
                    "Received: by x; now\r\nDate: d\r\nMessage-ID: <1@x>\r\n\r\n");
    tidy("Date: d\r\nMessage-ID: <1@x>\r\nReturn-Path: <x@x>\r\nX-Staffetta-Class: bulk\r\n"
         "X-STAFFETTA-Campaign: a\r\n b\r\nBccx: stays\r\n\r\n");
    assert_slice_is(buffer_slice(&out), "Received: by x; now\r\nDate: d\r\nMessage-ID: <1@x>\r\n"
                                        "Bccx: stays\r\n\r\n");
}

static void a_block_without_end_gets_one(void **state)
{
    (void)state;
    tidy("Date: d\r\nMessage-ID: <1@x>");
    assert_slice_is(buffer_slice(&out),
                    "Received: by x; now\r\nDate: d\r\nMessage-ID: <1@x>\r\n\r\n");
    tidy("");
    assert_slice_is(buffer_slice(&out),
                    "Received: by x; now\r\nDate: today\r\nMessage-ID: <2@x>\r\n\r\n");
    tidy("\r\n");
    assert_slice_is(buffer_slice(&out),
                    "Received: by x; now\r\nDate: today\r\nMessage-ID: <2@x>\r\n\r\n");
}

static void lines_that_are_no_fields_pass_unchanged(void **state)
{
    (void)state;
    tidy("Date: d\r\nMessage-ID: <1@x>\r\njust text\r\nX: y\r\n\r\n");
    assert_slice_is(buffer_slice(&out), "Received: by x; now\r\nDate: d\r\nMessage-ID: <1@x>\r\n"
                                        "just text\r\nX: y\r\n\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_block_ends_with_its_empty_line),
        cmocka_unit_test(fields_come_one_by_one_with_their_folding),
        cmocka_unit_test(facts_tell_what_intake_asks),
        cmocka_unit_test(a_block_that_begins_with_a_blank_is_noticed),
        cmocka_unit_test(eight_bits_and_their_encoding_are_noticed),
        cmocka_unit_test(every_from_field_counts),
        cmocka_unit_test(a_flood_of_addresses_is_malformed_not_endless),
        cmocka_unit_test(missing_fields_are_added_and_present_ones_kept),
        cmocka_unit_test(blind_copies_and_private_fields_are_removed_with_their_folding),
        cmocka_unit_test(a_block_without_end_gets_one),
        cmocka_unit_test(lines_that_are_no_fields_pass_unchanged),
    };
    int n_failed;

    arena_init(&arena, 0);
    n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_reset(&arena);
    buffer_fini(&out);
    return n_failed;
}

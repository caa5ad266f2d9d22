#include "test/support/test_support.h"

#include "relay/base/buffer.h"
#include "relay/net/dns_message.h"

/* header: id, QR|RD|RA, 1 question, n answers; question "ex.test" MX IN at offset 12 */
#define HEADER(n)      "\x12\x34\x81\x80\0\1\0" n "\0\0\0\0"
#define QUESTION(type) "\2ex\4test\0\0" type "\0\1"
#define MX_Q           QUESTION("\x0f")
#define TTL_60         "\0\0\0\x3c"

#define WIRE(literal) SLICE_LITERAL(literal)

static struct dns_message message;
static struct dns_record record;

static void parse(struct slice wire)
{
    assert_true(dns_message_parse(wire, &message));
}

static void an_mx_answer_is_read(void **state)
{
    (void)state;
    parse(WIRE(HEADER("\2") MX_Q "\xc0\x0c\0\x0f\0\1" TTL_60 "\0\7\0\x0a\2mx\xc0\x0c"
                                 "\xc0\x0c\0\x0f\0\1" TTL_60 "\0\x0c\0\x14\3alt\2ex\1n\0"));
    assert_string_equal(message.question, "ex.test");
    assert_int_equal(message.question_type, DNS_TYPE_MX);
    assert_true(dns_message_next(&message, &record));
    assert_int_equal(record.type, DNS_TYPE_MX);
    assert_int_equal(record.ttl, 60);
    assert_string_equal(record.name, "ex.test");
    assert_int_equal(record.mx.preference, 10);
    assert_string_equal(record.mx.host, "mx.ex.test");
    assert_true(dns_message_next(&message, &record));
    assert_int_equal(record.mx.preference, 20);
    assert_string_equal(record.mx.host, "alt.ex.n");
    assert_false(dns_message_next(&message, &record));
    dns_message_rewind(&message);
    assert_true(dns_message_next_of(&message, "EX.test.", &record));
}

/* What cannot be read is passed over; the records behind it are not. */
static void records_of_wrong_length_are_passed_over(void **state)
{
    static const struct slice records[] = {
        WIRE("\xc0\x0c\0\1\0\1" TTL_60 "\0\3\xc0\0\2"),     /* A of 3 octets */
        WIRE("\xc0\x0c\0\x1c\0\1" TTL_60 "\0\4\xc0\0\2\1"), /* AAAA of 4 */
        WIRE("\xc0\x0c\0\x0f\0\1" TTL_60 "\0\2\0\x0a"),     /* MX without a name */
        WIRE("\xc0\x0c\0\x10\0\1" TTL_60 "\0\3\5ab"),       /* TXT beyond its end */
        WIRE("\xc0\x0c\0\x34\0\1" TTL_60 "\0\3\3\1\1"),     /* TLSA without data */
        WIRE("\xc0\x0c\0\5\0\1" TTL_60 "\0\4\xc0\x0c\0\0"), /* CNAME and two more */
        WIRE("\xc0\x0c\0\x63\0\1" TTL_60 "\0\1\0"),         /* SPF, which we do not know */
        WIRE("\xc0\x0c\0\1\0\3" TTL_60 "\0\4\xc0\0\2\1"),   /* of class CH */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        struct buffer wire = BUFFER_INIT;

        buffer_append(&wire, WIRE(HEADER("\2") QUESTION("\1")));
        buffer_append(&wire, records[i]);
        buffer_append(&wire, WIRE("\xc0\x0c\0\1\0\1" TTL_60 "\0\4\xc0\0\2\7"));
        parse(buffer_slice(&wire));
        assert_true(dns_message_next(&message, &record));
        assert_int_equal(record.type, DNS_TYPE_A);
        assert_int_equal(record.address.bytes[3], 7);
        assert_false(dns_message_next(&message, &record));
        buffer_fini(&wire);
    }
}

/* RFC 2181 8: a time to live with its first bit set means none. */
static void an_impossible_time_to_live_is_none(void **state)
{
    (void)state;
    parse(WIRE(HEADER("\1") QUESTION("\1") "\xc0\x0c\0\1\0\1\x80\0\0\1\0\4\xc0\0\2\1"));
    assert_true(dns_message_next(&message, &record));
    assert_int_equal(record.ttl, 0);
}

static void a_signature_among_the_answers_is_seen(void **state)
{
    (void)state;
    parse(WIRE(HEADER("\2") QUESTION("\1") "\xc0\x0c\0\1\0\1" TTL_60 "\0\4\xc0\0\2\1"
                                           "\xc0\x0c\0\x2e\0\1" TTL_60 "\0\2\0\1"));
    assert_true(dns_message_has_signature(&message));
    parse(WIRE(HEADER("\1") QUESTION("\1") "\xc0\x0c\0\1\0\1" TTL_60 "\0\4\xc0\0\2\1"));
    assert_false(dns_message_has_signature(&message));
}

static void the_null_mx_is_a_dot(void **state)
{
    (void)state;
    parse(WIRE(HEADER("\1") MX_Q "\xc0\x0c\0\x0f\0\1" TTL_60 "\0\3\0\0\0"));
    assert_true(dns_message_next(&message, &record));
    assert_string_equal(record.mx.host, ".");
}

static void read_host_with(char c)
{
    struct buffer wire = BUFFER_INIT;

    buffer_append(&wire, WIRE(HEADER("\1") MX_Q "\xc0\x0c\0\x0f\0\1" TTL_60 "\0\x09\0\x0a\4m"));
    buffer_append_byte(&wire, c);
    buffer_append(&wire, WIRE("ab\xc0\x0c"));
    parse(buffer_slice(&wire));
    if (!dns_message_next(&message, &record))
        fail_msg("'%c' is passed over", c);
    buffer_fini(&wire);
}

/* A site is named by its hosts with commas, a next hop with a colon: a host must not look like
 * either.  The domain has an MX record all the same. */
static void hosts_of_other_characters_are_none(void **state)
{
    (void)state;
    for (const char *c = ",:;#[]$!\"'()*+=@?^`{|}~%&<>"; *c; c++) {
        read_host_with(*c);
        if (record.mx.host[0])
            fail_msg("'%c' is in %s", *c, record.mx.host);
    }
    for (const char *c = "azAZ09-_/"; *c; c++) {
        read_host_with(*c);
        assert_int_equal(strlen(record.mx.host), 12);
        assert_int_equal(record.mx.host[1], *c);
    }
}

static void aliases_to_other_characters_are_passed_over(void **state)
{
    (void)state;
    parse(WIRE(HEADER("\2") QUESTION("\x0c") "\xc0\x0c\0\x0c\0\1" TTL_60 "\0\6\3a,b\xc0\x0c"
                                             "\xc0\x0c\0\x0c\0\1" TTL_60 "\0\6\3a/b\xc0\x0c"));
    assert_true(dns_message_next(&message, &record));
    assert_string_equal(record.target, "a/b.ex.test");
    assert_false(dns_message_next(&message, &record));
}

/* What is asked for by name may have any: SPF's "exists:" puts a sender's local part there. */
static void records_of_such_names_are_read(void **state)
{
    (void)state;
    parse(WIRE(HEADER("\1") "\3b+x\4test\0\0\1\0\1"
                            "\xc0\x0c\0\1\0\1" TTL_60 "\0\4\xc0\0\2\1"));
    assert_true(dns_message_next(&message, &record));
    assert_string_equal(record.name, "b+x.test");
}

static void addresses_texts_and_tlsa_are_read(void **state)
{
    (void)state;
    parse(WIRE(HEADER("\5") QUESTION(
        "\1") "\xc0\x0c\0\1\0\1" TTL_60 "\0\4\xc0\0\2\1"
              "\xc0\x0c\0\x1c\0\1" TTL_60 "\0\x10\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
              "\xc0\x0c\0\x1c\0\1" TTL_60 "\0\x10\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\2"
              "\xc0\x0c\0\x10\0\1" TTL_60 "\0\x0a\3v=a\5 b\0c;"
              "\xc0\x0c\0\x34\0\1" TTL_60 "\0\5\3\1\1\xaa\xbb"));
    char text[IP_TEXT_SIZE];

    assert_true(dns_message_next(&message, &record));
    assert_string_equal(ip_print(record.address, text), "192.0.2.1");
    assert_true(dns_message_next(&message, &record));
    assert_string_equal(ip_print(record.address, text), "2001:db8::1");
    assert_true(dns_message_next(&message, &record));
    assert_string_equal(ip_print(record.address, text), "192.0.2.2"); /* v4-mapped is v4 */
    assert_true(dns_message_next(&message, &record));
    assert_int_equal(record.text.len, 8);
    assert_memory_equal(record.text.bytes, "v=a b\0c;", 8);
    assert_true(dns_message_next(&message, &record));
    assert_int_equal(record.tlsa.usage, 3);
    assert_int_equal(record.tlsa.len, 2);
}

static void aliases_lead_to_the_data(void **state)
{
    char canonical[DNS_NAME_SIZE];

    (void)state;
    /* the data stands before the aliases, out of order */
    parse(WIRE(HEADER("\3") QUESTION("\1") "\1b\xc0\x0f\0\1\0\1" TTL_60 "\0\4\xc0\0\2\1"
                                           "\1a\xc0\x0f\0\5\0\1" TTL_60 "\0\4\1b\xc0\x0f"
                                           "\xc0\x0c\0\5\0\1" TTL_60 "\0\4\1a\xc0\x0f"));
    assert_true(dns_message_canonical(&message, canonical));
    assert_string_equal(canonical, "b.test");
    assert_true(dns_message_next_of(&message, canonical, &record));
    assert_false(dns_message_next_of(&message, canonical, &record));
}

static void aliases_in_a_circle_end(void **state)
{
    char canonical[DNS_NAME_SIZE];

    (void)state;
    parse(WIRE(HEADER("\2") QUESTION("\1") "\xc0\x0c\0\5\0\1" TTL_60 "\0\4\1a\xc0\x0f"
                                           "\1a\xc0\x0f\0\5\0\1" TTL_60 "\0\2\xc0\x0c"));
    assert_false(dns_message_canonical(&message, canonical));
}

static void pointers_that_loop_or_leave_are_refused(void **state)
{
    static const struct slice wires[] = {
        WIRE(HEADER("\0") "\xc0\x0c\0\x0f\0\1"),         /* to itself */
        WIRE(HEADER("\0") "\1a\xc0\x0c\0\x0f\0\1"),      /* back to its own start */
        WIRE(HEADER("\0") "\xc0\x0e\xc0\x0c\0\x0f\0\1"), /* forwards */
        WIRE(HEADER("\0") "\xff\xff\0\x0f\0\1"),         /* out of the message */
        WIRE(HEADER("\0") "\x40"
                          "a\0\0\x0f\0\1"), /* unknown label type */
        WIRE(HEADER("\0") "\x3f"
                          "abc"),                      /* label longer than the message */
        WIRE(HEADER("\0") "\2ex"),                     /* no end */
        WIRE(HEADER("\0") "\2ex\0\0"),                 /* type cut off */
        WIRE("\x12\x34\x01\0\0\1\0\0\0\0\0\0" MX_Q),   /* a question, not an answer */
        WIRE("\x12\x34\x81\x80\0\2\0\0\0\0\0\0" MX_Q), /* two questions */
        WIRE("\x12\x34\x81"),
        WIRE(""),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wires) / sizeof(wires[0]); i++)
        if (dns_message_parse(wires[i], &message))
            fail_msg("wire %zu", i);
}

static void a_name_longer_than_255_octets_is_refused(void **state)
{
    char wire[600];
    size_t at = 12;

    (void)state;
    memcpy(wire, HEADER("\0"), 12);
    for (int i = 0; i < 5; i++, at += 64) {
        wire[at] = 63;
        memset(wire + at + 1, 'a', 63);
    }
    memcpy(wire + at, "\0\0\1\0\1", 5);
    assert_false(dns_message_parse(slice_from(wire, at + 5), &message));
    /* 3 × 64 + 61 + 1 = 254 octets are a name still */
    wire[12 + 192] = 60;
    memcpy(wire + 12 + 192 + 61, "\0\0\1\0\1", 5);
    parse(slice_from(wire, 12 + 192 + 61 + 5));
    assert_int_equal(strlen(message.question), 252);
}

static void strange_records_are_skipped_and_cut_ones_end_the_reading(void **state)
{
    (void)state;
    parse(WIRE(HEADER("\6") MX_Q
               "\xc0\x0c\0\x0f\0\1" TTL_60 "\0\7\0\x0a\2m.\xc0\x0c" /* a dot inside a label */
               "\xc0\x0c\0\x0f\0\1" TTL_60
               "\0\x08\0\x0a\2mx\xc0\x0c\0"                         /* rubbish behind the name */
               "\xc0\x0c\0\x0f\0\3" TTL_60 "\0\7\0\x0a\2mx\xc0\x0c" /* class CHAOS */
               "\xc0\x0c\0\1\0\1" TTL_60 "\0\3\1\2\3"               /* A of three octets */
               "\xc0\x0c\0\x0f\0\1" TTL_60 "\0\7\0\x0a\2ok\xc0\x0c"
               "\xc0\x0c\0\x0f\0\1" TTL_60 "\0\x70\0\x0a\2mx"));
    assert_true(dns_message_next(&message, &record));
    assert_string_equal(record.mx.host, "ok.ex.test");
    assert_false(dns_message_next(&message, &record));
    assert_false(dns_message_next(&message, &record));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_mx_answer_is_read),
        cmocka_unit_test(the_null_mx_is_a_dot),
        cmocka_unit_test(records_of_wrong_length_are_passed_over),
        cmocka_unit_test(an_impossible_time_to_live_is_none),
        cmocka_unit_test(a_signature_among_the_answers_is_seen),
        cmocka_unit_test(hosts_of_other_characters_are_none),
        cmocka_unit_test(aliases_to_other_characters_are_passed_over),
        cmocka_unit_test(records_of_such_names_are_read),
        cmocka_unit_test(addresses_texts_and_tlsa_are_read),
        cmocka_unit_test(aliases_lead_to_the_data),
        cmocka_unit_test(aliases_in_a_circle_end),
        cmocka_unit_test(pointers_that_loop_or_leave_are_refused),
        cmocka_unit_test(a_name_longer_than_255_octets_is_refused),
        cmocka_unit_test(strange_records_are_skipped_and_cut_ones_end_the_reading),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

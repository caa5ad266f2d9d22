#include "test/support/test_support.h"

#include <errno.h>

#include "relay/base/buffer.h"
#include "relay/message/line_scan.h"
#include "relay/message/mime.h"

static struct buffer out;
static struct mime_result result;

static int keep(void *owner, struct slice bytes)
{
    buffer_append(owner, bytes);
    return 0;
}

static int convert(struct slice message)
{
    struct mime_sink sink = {keep, &out};

    buffer_clear(&out);
    return mime_to_seven_bit(message, &sink, &result);
}

static void assert_converts(const char *message, const char *expected)
{
    assert_int_equal(convert(slice_of(message)), 0);
    assert_slice_is(buffer_slice(&out), expected);
}

static void assert_unchanged(const char *message)
{
    assert_converts(message, message);
    assert_int_equal(result.n_encoded, 0);
}

static void what_is_7_bit_passes_unchanged(void **state)
{
    (void)state;
    assert_unchanged("");
    assert_unchanged("Subject: x\r\n\r\nHello\r\n");
    assert_unchanged("Subject: no body\r\n");
    assert_unchanged(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\npre\r\n--b\r\n\r\na\r\n--b\r\n"
        "--b--\r\npost\r\n");
    assert_unchanged("Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\na\r\n--b--\r\n");
    assert_unchanged("Content-Type: (((\r\nContent-Transfer-Encoding: ;\r\n\r\nx\r\n");
    assert_unchanged("Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\r\n");
}

static void text_becomes_quoted_printable(void **state)
{
    (void)state;
    assert_converts("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                    "content-transfer-encoding:\r\n 8bit\r\nX: y\r\n\r\n"
                    "Caff\xc3\xa8 = 1 \r\nFrom me\r\n.\r\n--b\r\n\r\nend\t\r\n",
                    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                    "Content-Transfer-Encoding: quoted-printable\r\nX: y\r\n\r\n"
                    "Caff=C3=A8 =3D 1=20\r\n=46rom me\r\n=2E\r\n--b\r\n\r\nend=09\r\n");
    assert_int_equal(result.n_encoded, 1);
    assert_false(result.has_eight_bit_left);
}

static void other_types_become_base64(void **state)
{
    (void)state;
    assert_converts("MIME-Version: 1.0\r\nContent-Type: application/x\r\n\r\n\xff\xfe\r\n",
                    "MIME-Version: 1.0\r\nContent-Type: application/x\r\n"
                    "Content-Transfer-Encoding: base64\r\n\r\n//4NCg==\r\n");
}

static void a_bare_message_gets_the_fields_it_needs(void **state)
{
    (void)state;
    assert_converts("Subject: x\r\n\r\nCaff\xc3\xa8\r\n",
                    "Subject: x\r\nContent-Transfer-Encoding: quoted-printable\r\n"
                    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
                    "Caff=C3=A8\r\n");
    assert_converts("Subject: x\r\n\r\nCaff\xe8\r\n",
                    "Subject: x\r\nContent-Transfer-Encoding: quoted-printable\r\n"
                    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\n\r\n"
                    "Caff=E8\r\n");
}

static void only_the_parts_that_need_it_are_encoded(void **state)
{
    (void)state;
    assert_converts("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_b\"\r\n"
                    "Content-Transfer-Encoding: 8bit\r\n\r\n"
                    "pr\xc3\xa9"
                    "amble\r\n"
                    "--=_b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
                    "<p>\xc3\xa8</p>\r\n"
                    "--=_b \r\n\r\nplain\r\n"
                    "--=_bc\r\n"
                    "--=_b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n"
                    "\x89PNG\r\n"
                    "--=_b\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n"
                    "--=_b--\r\nepilogu\xc3\xa8\r\n",
                    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_b\"\r\n"
                    "Content-Transfer-Encoding: 7bit\r\n\r\n"
                    "pr??amble\r\n"
                    "--=_b\r\nContent-Type: text/html\r\n"
                    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
                    "<p>=C3=A8</p>\r\n"
                    "--=_b \r\n\r\nplain\r\n"
                    "--=_bc\r\n"
                    "--=_b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                    "iVBORw==\r\n"
                    "--=_b\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n"
                    "--=_b--\r\nepilogu??\r\n");
}

static void nested_multiparts_and_messages_are_entered(void **state)
{
    (void)state;
    assert_converts(
        "Content-Type: multipart/mixed; boundary=a\r\nMIME-Version: 1.0\r\n\r\n"
        "--a\r\nContent-Type: multipart/alternative; boundary=a1\r\n\r\n"
        "--a1\r\n\r\n\xc3\xa8\r\n--a1--\r\n"
        "--a\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        "Subject: inner\r\n\r\n\xc3\xa8\r\n"
        "--a--\r\n",
        "Content-Type: multipart/mixed; boundary=a\r\nMIME-Version: 1.0\r\n\r\n"
        "--a\r\nContent-Type: multipart/alternative; boundary=a1\r\n\r\n"
        "--a1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A8\r\n--a1--\r\n"
        "--a\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
        "Subject: inner\r\nContent-Transfer-Encoding: quoted-printable\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n=C3=A8\r\n"
        "--a--\r\n");
}

static void a_digest_holds_messages(void **state)
{
    (void)state;
    assert_converts("MIME-Version: 1.0\r\nContent-Type: multipart/digest; boundary=a\r\n\r\n"
                    "--a\r\n\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n\xe8\r\n--a--",
                    "MIME-Version: 1.0\r\nContent-Type: multipart/digest; boundary=a\r\n\r\n"
                    "--a\r\n\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n"
                    "Content-Transfer-Encoding: quoted-printable\r\n\r\n=E8\r\n--a--");
}

static void a_multipart_without_end_is_read_to_the_end(void **state)
{
    (void)state;
    assert_converts(
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n"
        "--a\r\nContent-Type: application/x\r\n\r\n\xff\r\n",
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n"
        "--a\r\nContent-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        "/w0K\r\n");
}

static void wrong_claims_of_encoding_are_mended(void **state)
{
    (void)state;
    assert_converts("Content-Transfer-Encoding: quoted-printable\r\n\r\n"
                    "=C3=A8 \xc3\xa8 =zz=\r\nsoft\r\n",
                    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
                    "=C3=A8 =C3=A8 =3Dzz=\r\nsoft\r\n");
    assert_converts("Content-Transfer-Encoding: base64\r\n\r\nAA\xc3\xa8"
                    "AA\r\nBBBB\r\n",
                    "Content-Transfer-Encoding: base64\r\n\r\nAAAABBBB\r\n");
}

static void what_cannot_be_told_in_7_bits_is_said_so(void **state)
{
    static const char *const messages[] = {
        "Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\n\xc3\xa8\r\n--b--\r\n",
        "Content-Type: multipart/mixed; boundary=\"\xc3\xa8\"\r\n\r\n--\xc3\xa8\r\n\r\n\xe8\r\n",
        "Content-Type: multipart/mixed; boundary=never\r\n\r\n\xc3\xa8\r\n",
        ("Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: x-odd\r\n\r\n"
         "--b\r\n\r\n\xc3\xa8\r\n--b--\r\n"),
        "Content-Type: message/partial; id=1; number=2\r\n\r\n\xc3\xa8\r\n",
        "Content-Transfer-Encoding: x-uuencode\r\n\r\n\xc3\xa8\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++)
        assert_int_equal(convert(slice_of(messages[i])), MIME_UNCONVERTIBLE);
}

static void nesting_has_an_end(void **state)
{
    struct buffer CLEANUP(buffer) message = BUFFER_INIT;

    (void)state;
    for (unsigned i = 0; i < 100000; i++)
        buffer_append_text(&message, "Content-Type: message/rfc822\r\n\r\n");
    assert_int_equal(convert(buffer_slice(&message)), 0);
    buffer_append_text(&message, "\xc3\xa8\r\n");
    assert_int_equal(convert(buffer_slice(&message)), MIME_UNCONVERTIBLE);
}

static void header_bytes_above_127_stay_and_are_reported(void **state)
{
    (void)state;
    assert_unchanged("Subject: caff\xc3\xa8\r\n\r\nHello\r\n");
    assert_true(result.has_eight_bit_left);
}

/* Whatever the text: lines of at most 76, 7 bits, and no line that looks like a boundary. */
static void long_lines_are_broken_where_no_boundary_can_arise(void **state)
{
    struct buffer CLEANUP(buffer) message = BUFFER_INIT;
    struct slice rest;

    (void)state;
    buffer_append_text(&message, "\r\n\xc3\xa8");
    for (unsigned i = 0; i < 5000; i++)
        buffer_append_text(&message, i % 3 ? "--b" : "-- x");
    buffer_append_text(&message, "\r\n");
    assert_int_equal(convert(buffer_slice(&message)), 0);
    rest = buffer_slice(&out);
    rest = slice_skip(rest, (size_t)slice_search(rest, SLICE_LITERAL("\r\n\r\n")) + 4);
    while (rest.len) {
        ptrdiff_t end = slice_find(rest, '\n');

        assert_in_range(end, 0, 77);
        assert_false(slice_starts_with(rest, SLICE_LITERAL("--")));
        rest = slice_skip(rest, (size_t)end + 1);
    }
    assert_false(has_eight_bit(buffer_slice(&out)));
}

static void long_lines_alone_are_reason_enough(void **state)
{
    struct buffer CLEANUP(buffer) message = BUFFER_INIT;

    (void)state;
    buffer_append_text(&message, "MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    for (unsigned i = 0; i < 1000; i++)
        buffer_append_text(&message, "QUJD");
    buffer_append_text(&message, "\r\n");
    assert_int_equal(convert(buffer_slice(&message)), 0);
    assert_int_equal(result.n_encoded, 1);
    assert_int_equal(out.len, message.len + 2 * (4000 / 76)); /* a line end every 76 */
}

static int refuse(void *owner, struct slice bytes)
{
    (void)owner;
    (void)bytes;
    return -ENOSPC;
}

static void a_failing_sink_ends_it(void **state)
{
    struct mime_sink sink = {refuse, NULL};

    (void)state;
    assert_int_equal(mime_to_seven_bit(SLICE_LITERAL("A: b\r\n\r\n\xe8\r\n"), &sink, &result),
                     -ENOSPC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_7_bit_passes_unchanged),
        cmocka_unit_test(text_becomes_quoted_printable),
        cmocka_unit_test(other_types_become_base64),
        cmocka_unit_test(a_bare_message_gets_the_fields_it_needs),
        cmocka_unit_test(only_the_parts_that_need_it_are_encoded),
        cmocka_unit_test(nested_multiparts_and_messages_are_entered),
        cmocka_unit_test(a_digest_holds_messages),
        cmocka_unit_test(a_multipart_without_end_is_read_to_the_end),
        cmocka_unit_test(wrong_claims_of_encoding_are_mended),
        cmocka_unit_test(what_cannot_be_told_in_7_bits_is_said_so),
        cmocka_unit_test(nesting_has_an_end),
        cmocka_unit_test(header_bytes_above_127_stay_and_are_reported),
        cmocka_unit_test(long_lines_are_broken_where_no_boundary_can_arise),
        cmocka_unit_test(long_lines_alone_are_reason_enough),
        cmocka_unit_test(a_failing_sink_ends_it),
    };
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);

    buffer_fini(&out);
    return n_failed;
}

#include "test/support/test_support.h"

#include <stdlib.h>

#include "relay/intake/trace_header.h"

static struct buffer out;

static struct slice printed(const struct trace *trace)
{
    buffer_clear(&out);
    trace_header_print(trace, &out);
    return buffer_slice(&out);
}

static struct trace plain_trace(void)
{
    return (struct trace){.hostname = SLICE_LITERAL("relay.example"),
                          .queue_id = SLICE_LITERAL("7Q2F"),
                          .helo = SLICE_LITERAL("pc.home"),
                          .client_ip = SLICE_LITERAL("192.0.2.7"),
                          .tls = SLICE_LITERAL("TLSv1.3 X"),
                          .is_esmtp = true,
                          .is_authenticated = true,
                          .utc_ms = 1795368303120};
}

static void by_default_nothing_of_the_client_is_told(void **state)
{
    struct trace trace = plain_trace();
    struct slice text = printed(&trace);

    (void)state;
    assert_slice_is(text, "Received: by relay.example (Staffetta) with ESMTPSA id 7Q2F;\r\n"
                          "\tSun, 22 Nov 2026 17:25:03 +0000\r\n");
    assert_int_equal(slice_search(text, SLICE_LITERAL("192.0.2.7")), -1);
    assert_int_equal(slice_search(text, SLICE_LITERAL("pc.home")), -1);
}

static void a_full_trace_names_the_client(void **state)
{
    struct trace trace = plain_trace();

    (void)state;
    trace.is_full = true;
    assert_slice_is(printed(&trace), "Received: from pc.home ([192.0.2.7])\r\n"
                                     "\tby relay.example (Staffetta) with ESMTPSA id 7Q2F\r\n"
                                     "\t(TLSv1.3 X);\r\n"
                                     "\tSun, 22 Nov 2026 17:25:03 +0000\r\n");
}

static void a_helo_cannot_bring_in_a_header(void **state)
{
    struct trace trace = plain_trace();

    (void)state;
    trace.is_full = true;
    trace.helo = SLICE_LITERAL("a\r\nX: y (b)");
    assert_int_equal(slice_search(printed(&trace), SLICE_LITERAL("X: y")), -1);
    assert_true(slice_search(printed(&trace), SLICE_LITERAL("from a??X:?y??b? ([")) > 0);
}

static void the_protocol_is_named_as_rfc_3848_says(void **state)
{
    static const struct {
        bool is_esmtp, has_tls, is_authenticated, is_utf8;
        const char *name;
    } rows[] = {
        {false, false, false, false, " with SMTP "      },
        {true,  false, false, false, " with ESMTP "     },
        {true,  true,  false, false, " with ESMTPS "    },
        {true,  false, true,  false, " with ESMTPA "    },
        {true,  true,  true,  true,  " with UTF8SMTPSA "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct trace trace = plain_trace();

        trace.is_esmtp = rows[i].is_esmtp;
        trace.is_authenticated = rows[i].is_authenticated;
        trace.is_utf8 = rows[i].is_utf8;
        if (!rows[i].has_tls)
            trace.tls = (struct slice){0};
        assert_true(slice_search(printed(&trace), slice_of(rows[i].name)) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_default_nothing_of_the_client_is_told),
        cmocka_unit_test(a_full_trace_names_the_client),
        cmocka_unit_test(a_helo_cannot_bring_in_a_header),
        cmocka_unit_test(the_protocol_is_named_as_rfc_3848_says),
    };
    int n_failed;

    setenv("TZ", "UTC", 1);
    n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    buffer_fini(&out);
    return n_failed;
}

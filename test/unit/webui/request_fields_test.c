#include "test/support/test_support.h"

#include "webui/request_fields.h"

static const char *cookie(const char *header, const char *name)
{
    static char value[128];
    struct slice found;

    if (!cookie_find(slice_of(header), name, &found))
        return NULL;
    slice_copy_to(found, value, sizeof(value));
    return value;
}

static void a_cookie_is_there_once_or_not_at_all(void **state)
{
    (void)state;
    assert_string_equal(cookie("sid=ab12", "sid"), "ab12");
    assert_string_equal(cookie("a=b; sid=ab12; c=d", "sid"), "ab12");
    assert_string_equal(cookie("theme=dark;sid=x=y", "sid"), "x=y");
    assert_string_equal(cookie("__Host-sid=z", "__Host-sid"), "z");
    assert_null(cookie("sid=a; sid=b", "sid"));
    assert_null(cookie("sid=a; sid=a", "sid"));
    assert_null(cookie("sid", "sid"));
    assert_null(cookie("sid=", "sid"));
    assert_null(cookie("SID=a", "sid"));
    assert_null(cookie("xsid=a; sidx=b", "sid"));
    assert_null(cookie("sid=\"a\"", "sid"));
    assert_null(cookie("sid=a b", "sid"));
    assert_null(cookie("", "sid"));
    assert_null(cookie(";;;", "sid"));
}

static void gzip_is_taken_by_who_says_so(void **state)
{
    static const char *const takers[] = {"gzip", "gzip, deflate, br", "br;q=1.0, GZIP ; q=0.5",
                                         "identity, gzip;q=0.001"};
    static const char *const others[] = {"",         "identity", "deflate, br",
                                         "gzip;q=0", "x-gzip",   "gzip; q=0.000, br"};

    (void)state;
    for (size_t i = 0; i < sizeof(takers) / sizeof(takers[0]); i++)
        assert_true(gzip_is_accepted(slice_of(takers[i])));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(gzip_is_accepted(slice_of(others[i])));
}

static void a_bearer_has_a_token(void **state)
{
    struct slice token;

    (void)state;
    assert_true(bearer_find(SLICE_LITERAL("Bearer stf_0a"), &token));
    assert_slice_is(token, "stf_0a");
    assert_true(bearer_find(SLICE_LITERAL("bearer  stf_0a "), &token));
    assert_false(bearer_find(SLICE_LITERAL("Bearer "), &token));
    assert_false(bearer_find(SLICE_LITERAL("Bearer"), &token));
    assert_false(bearer_find(SLICE_LITERAL("Basic stf_0a"), &token));
    assert_false(bearer_find(SLICE_LITERAL("Bearer a b"), &token));
    assert_false(bearer_find(SLICE_LITERAL("Bearer a,b"), &token));
    assert_false(bearer_find(SLICE_LITERAL(""), &token));
}

static void only_our_names_are_ours(void **state)
{
    static const char *const ours[] = {"relay.example", "Relay.Example:8025", "127.0.0.1",
                                       "192.0.2.7:443", "[2001:db8::1]",      "[::1]:8025",
                                       "localhost",     "LOCALHOST:1"};
    static const char *const others[] = {"",
                                         ":80",
                                         "relay.example.",
                                         "a.b.c.d",
                                         "[::1",
                                         "::1",
                                         "[x]",
                                         "evil.test",
                                         "relay.example:80:80",
                                         "1.2.3.4.",
                                         "[::1]x:80",
                                         "relay.example:",
                                         "relay.example:99999",
                                         "localhost.evil.test",
                                         "127.1"};

    (void)state;
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (!host_is_ours(slice_of(ours[i]), SLICE_LITERAL("relay.example")))
            fail_msg("%s is ours", ours[i]);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (host_is_ours(slice_of(others[i]), SLICE_LITERAL("relay.example")))
            fail_msg("%s is not ours", others[i]);
    assert_false(host_is_ours(SLICE_LITERAL(""), SLICE_LITERAL("")));
}

static void an_origin_is_scheme_and_host(void **state)
{
    const struct slice host = SLICE_LITERAL("relay.example:8025");

    (void)state;
    assert_true(origin_is(SLICE_LITERAL("https://relay.example:8025"), host, true));
    assert_true(origin_is(SLICE_LITERAL("http://relay.example:8025"), host, false));
    assert_false(origin_is(SLICE_LITERAL("http://relay.example:8025"), host, true));
    assert_false(origin_is(SLICE_LITERAL("https://relay.example"), host, true));
    assert_false(origin_is(SLICE_LITERAL("https://relay.example:8025/"), host, true));
    assert_false(origin_is(SLICE_LITERAL("null"), host, true));
    assert_false(origin_is(SLICE_LITERAL("https://"), SLICE_LITERAL(""), true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cookie_is_there_once_or_not_at_all),
        cmocka_unit_test(gzip_is_taken_by_who_says_so),
        cmocka_unit_test(a_bearer_has_a_token),
        cmocka_unit_test(only_our_names_are_ours),
        cmocka_unit_test(an_origin_is_scheme_and_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

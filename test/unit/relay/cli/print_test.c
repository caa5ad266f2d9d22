#include "test/support/test_support.h"

#include <stdlib.h>

#include "relay/base/fault.h"
#include "relay/cli/call.h"
#include "relay/cli/print.h"

static void check(const char *object, const char *wanted)
{
    json_t *parsed = json_loads(object, 0, NULL);
    CLEANUP(free) char *text = print_member(parsed, "x");

    assert_non_null(parsed);
    assert_string_equal(text, wanted);
    json_decref(parsed);
}

static void values_read_as_people_write_them(void **state)
{
    (void)state;
    check("{\"x\":\"text\"}", "text");
    check("{\"x\":5}", "5");
    check("{\"x\":true}", "yes");
    check("{\"x\":false}", "no");
    check("{\"x\":null}", "-");
    check("{}", "-");
    check("{\"x\":\"\"}", "-");
    check("{\"x\":[\"a\",\"b\",3]}", "a, b, 3");
    check("{\"x\":{\"a\":1,\"b\":\"c\"}}", "a=1, b=c");
}

static void no_peer_drives_the_terminal(void **state)
{
    (void)state;
    check("{\"x\":\"a\\u001b[2J\\r\\n\\u007fb\"}", "a?[2J???b");
    check("{\"x\":\"a\\u009b31m\\u0080\"}", "a?31m?");
    check("{\"x\":\"\\u00fc \\u20ac\"}", "\xc3\xbc \xe2\x82\xac");
    check("{\"x\":\"\\u202egro.knab@oec\\u202c \\u2028\\u200b\\u2066\\u2013\"}",
          "?gro.knab@oec? ???\xe2\x80\x93");
    check("{\"x\":{\"\\u001b\":\"\\u001b\"}}", "?=?");
}

static void paths_are_escaped(void **state)
{
    CLEANUP(free) char *slashes = call_path("/a/%s:check", "../b c/d?e=f&g%h");
    CLEANUP(free) char *dots = call_path("/a/%s", "..");
    CLEANUP(free) char *plain = call_path("/a%s", "");

    (void)state;
    assert_string_equal(slashes, "/a/..%2Fb%20c%2Fd%3Fe%3Df%26g%25h:check");
    assert_string_equal(dots, "/a/.."); /* the client sends paths as they are */
    assert_string_equal(plain, "/a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_read_as_people_write_them),
        cmocka_unit_test(no_peer_drives_the_terminal),
        cmocka_unit_test(paths_are_escaped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

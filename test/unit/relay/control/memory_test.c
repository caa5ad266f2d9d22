/* A settings file read with too little memory: refused, whole, and read again with enough. */
#include "test/support/failing_memory.h"
#include "test/support/test_support.h"

#include <errno.h>

#include "relay/control/config.h"

static struct buffer text;

/* So many texts that blocks of memory begin and end among them everywhere. */
static int write_text(void **state)
{
    (void)state;
    buffer_append_text(&text, "hostname = \"relay.example.com\"\n"
                              "delivery { retry = { \"5m\", \"1h\" } }\n");
    for (int i = 0; i < 150; i++)
        buffer_printf(&text,
                      "listen \"%d\" { address = { \"127.0.0.1:%d\", \"[::1]:%d\" } tls = none }\n"
                      "route \"%d.example\" { via = \"192.0.2.1\" password = \"secret\" }\n",
                      i, 1000 + i, 1000 + i, i);
    return buffer_error(&text);
}

static int forget_text(void **state)
{
    (void)state;
    buffer_fini(&text);
    return 0;
}

static int read_settings(void)
{
    struct settings *settings = NULL;
    struct buffer problem = BUFFER_INIT;
    int error = config_parse(&settings, "f", buffer_slice(&text), &problem);

    if (error == 0)
        settings_unref(settings);
    else
        assert_null(settings);
    buffer_fini(&problem);
    return error == -ENOMEM ? -EINVAL : error; /* libconfuse's callbacks can say no other */
}

static void a_file_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    assert_true(memory_fail_everywhere(read_settings, -EINVAL) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_whole_or_not_at_all),
    };

    return cmocka_run_group_tests(tests, write_text, forget_text);
}

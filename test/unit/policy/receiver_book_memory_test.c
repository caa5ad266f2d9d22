/* Memory may run out at every step of reading what we know of receivers. */
#include <errno.h>

#include "policy/receiver_book.h"
#include "relay/base/secret.h"
#include "test/support/failing_memory.h"
#include "test/support/test_support.h"

static const char providers[] = "provider big\nmx .big.example\nrate 10/m\nprovider mixed\n"
                                "connections 1\n";
static const char rules[] = "rule a\nprovider big\ncode 421\ntext slow\ntext (too|so) fast\n"
                            "when 2 in 1h do suspend on lane for 1h\nreason so\n"
                            "sample mail 421 4.7.0 slow\nother mail 421 no\n";
static const char classes[] = "class policy\ncode 5xx\ntext no\nsample rcpt 550 no\n";

static int make(void)
{
    CLEANUP(buffer) struct buffer problem = BUFFER_INIT;
    struct data_file files[N_RECEIVER_FILES] = {
        {"p", slice_of(providers)},
        {"r", slice_of(rules)    },
        {"c", slice_of(classes)  }
    };
    struct receiver_book *book = NULL;
    int error = receiver_book_new(&book, files, &problem);

    assert_true(error == 0 || book == NULL);
    receiver_book_unref(book);
    return error;
}

static void a_book_needs_memory_at_every_step(void **state)
{
    (void)state;
    assert_in_range(memory_fail_everywhere(make, -ENOMEM), 6, 1000);
}

static int start(void **state)
{
    (void)state;
    return secret_start();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_book_needs_memory_at_every_step),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}

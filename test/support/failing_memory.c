#include "test/support/failing_memory.h"

#include <errno.h>
#include <stdlib.h>

#include "relay/base/event.h"
#include "test/support/test_support.h"
#include "test/support/wrapped_memory.h"

static unsigned n_left; /* 0: no limit */
static bool is_over;

void memory_fail_at(unsigned n)
{
    n_left = n;
    is_over = false;
}

bool wrapped_memory_fails(void)
{
    if (n_left && --n_left == 0)
        is_over = true;
    if (is_over)
        errno = ENOMEM;
    return is_over;
}

static void drop(void *owner, const struct event *event)
{
    (void)owner, (void)event;
}

unsigned memory_fail_everywhere(int (*attempt)(void), int error)
{
    enum { MOST = 10000 };
    unsigned n_failed = 0;

    event_set_sink(drop, NULL);
    for (int result = -1; result != 0; n_failed++) {
        memory_fail_at(n_failed + 1);
        result = attempt();
        memory_fail_at(0);
        if (result == 0)
            break;
        assert_int_equal(result, error);
        assert_true(n_failed < MOST);
    }
    event_set_sink(NULL, NULL);
    return n_failed;
}

#include "test/support/short_memory.h"

#include <errno.h>
#include <stdatomic.h>

#include "test/support/wrapped_memory.h"

enum { NEVER = 1 << 30 };

static _Thread_local bool suffers;
static atomic_int n_left = NEVER, n_to_fail, n_failed;

void short_memory_join(void)
{
    suffers = true;
}

bool short_memory_leave(void)
{
    bool was = suffers;

    suffers = false;
    return was;
}

void short_memory_set(int n, int n_calls)
{
    atomic_store(&n_left, NEVER);
    atomic_store(&n_failed, 0);
    atomic_store(&n_to_fail, n_calls);
    atomic_store(&n_left, n);
}

void short_memory_end(void)
{
    atomic_store(&n_left, NEVER);
}

int short_memory_n_calls(void)
{
    return NEVER - atomic_load(&n_left);
}

bool short_memory_has_failed(void)
{
    return atomic_load(&n_failed) > 0;
}

bool wrapped_memory_fails(void)
{
    int n;

    if (!suffers)
        return false;
    n = atomic_fetch_sub(&n_left, 1);
    if (n > 1 || n <= 1 - atomic_load(&n_to_fail))
        return false;
    atomic_fetch_add(&n_failed, 1);
    errno = ENOMEM;
    return true;
}

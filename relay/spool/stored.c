#include "relay/spool/stored.h"

#include "relay/base/secret.h"

_Static_assert(sizeof(struct stored) <= 72, "millions of these are held in memory");

struct stored *stored_ref(struct stored *stored)
{
    atomic_fetch_add_explicit(&stored->n_references, 1, memory_order_relaxed);
    return stored;
}

void stored_unref(struct stored *stored)
{
    if (stored && atomic_fetch_sub_explicit(&stored->n_references, 1, memory_order_acq_rel) == 1)
        free(stored);
}

uint32_t stored_hash(struct slice address)
{
    uint32_t hash = (uint32_t)table_hash_ignoring_case(address);

    return hash ? hash : 1;
}

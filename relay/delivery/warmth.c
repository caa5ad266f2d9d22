#include "relay/delivery/warmth.h"

enum { WARM = 1 << 15 }; /* the rest counts what was announced */

static _Atomic uint16_t *cell_of(struct warmth *warmth, uint64_t domain_hash)
{
    return &warmth->cells[domain_hash % WARMTH_CELLS];
}

bool warmth_is_free(struct warmth *warmth, uint64_t domain_hash)
{
    uint16_t seen = atomic_load(cell_of(warmth, domain_hash));

    return (seen & WARM) && (seen & ~WARM) < WARMTH_MOST;
}

void warmth_announce(struct warmth *warmth, uint64_t domain_hash)
{
    atomic_fetch_add(cell_of(warmth, domain_hash), 1);
}

void warmth_begun(struct warmth *warmth, uint64_t domain_hash)
{
    atomic_fetch_sub(cell_of(warmth, domain_hash), 1);
}

void warmth_note(struct warmth *warmth, uint64_t domain_hash, bool went_well)
{
    _Atomic uint16_t *cell = cell_of(warmth, domain_hash);
    bool is_warm = (atomic_load(cell) & WARM) != 0; /* mostly as it was: no write then */

    if (went_well && !is_warm)
        atomic_fetch_or(cell, WARM);
    else if (!went_well && is_warm)
        atomic_fetch_and(cell, (uint16_t)~WARM);
}

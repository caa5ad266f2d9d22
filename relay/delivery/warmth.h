/* Which destinations are warm: what came for one lately was delivered, and little of what was
 * announced still waits to be tried.  Mail for a warm one is marked at its arrival as "a final dot
 * may have left" (spool_callbacks.opens_at_once), so the mark costs nothing; all other mail is
 * marked just before its dot.  Only what is really about to be sent must be announced: after a
 * crash everything that was marked counts as doubtful.
 * Destinations are domains, by hash; two that share a cell are warm together.
 * Thread: any, without a lock. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    WARMTH_CELLS = 4096,
    WARMTH_MOST = 64 /* announced and not tried yet, of one cell, and one group more */
};

struct warmth {
    _Atomic uint16_t cells[WARMTH_CELLS];
};

/* Will what comes now be tried at once? */
bool warmth_is_free(struct warmth *warmth, uint64_t domain_hash);

/* It has come; and it is being tried, or will not be. */
void warmth_announce(struct warmth *warmth, uint64_t domain_hash);
void warmth_begun(struct warmth *warmth, uint64_t domain_hash);

/* How the last transaction ended. */
void warmth_note(struct warmth *warmth, uint64_t domain_hash, bool went_well);

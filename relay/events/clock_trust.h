/* May the clock say that something is old enough to go?  A clock that is years ahead for an hour
 * must not cost what nobody can bring back.  So it is believed when it has run steadily for an
 * hour, and after a jump, or a start more than a day behind the last that was stored, for a day:
 * then whoever set it had time to notice. Pure: now_ms is monotonic, utc_ms is what the clock says.
 * Thread: the owner's. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct clock_trust {
    int64_t offset_ms;   /* UTC less monotonic, as it was looked at last */
    int64_t steady_ms;   /* monotonic: since when it runs steadily */
    int64_t patience_ms; /* how long it has to */
    bool knows_past;
};

void clock_trust_init(struct clock_trust *trust, int64_t now_ms, int64_t utc_ms);

/* When something was stored last before this start; 0: nobody knows.  Once; before, nothing is old.
 */
void clock_trust_past(struct clock_trust *trust, int64_t stored_utc_ms, int64_t utc_ms);

/* Looked at often: a jump between two looks counts when it is of more than an hour. */
bool clock_trust_look(struct clock_trust *trust, int64_t now_ms, int64_t utc_ms);

/* How many recipients wait for each user, counted entry by entry (pulse.h).
 * Thread: its user's, one at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct user_wait {
    uint32_t user_id, n_queued, n_held; /* recipients */
};

struct user_waits {
    struct user_wait *slots; /* by hash; both counts 0: free */
    uint32_t n_slots, n_users;
    bool is_cut; /* memory did not suffice: nobody knows */
};

void user_waits_fini(struct user_waits *waits);
void user_waits_clear(struct user_waits *waits); /* keeps its memory */
void user_waits_note(struct user_waits *waits, uint32_t user_id, bool is_held);
struct user_wait user_waits_of(const struct user_waits *waits, uint32_t user_id);

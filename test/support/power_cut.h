/* What a power cut may leave: from recorded calls (io_shim.h), folders that hold everything synced
 * and of the rest any part: nothing, all of it, any order (some writes kept, others not), a random
 * choice with some torn at 512 octets, and names that never reached the disk.
 * Thread: the test's. */
#pragma once

#include "test/support/io_shim.h"

enum loss { LOSE_ALL, LOSE_NOTHING, LOSE_SOME, LOSE_CHOSEN };

/* Into dir, which has the folders that the calls speak of: the state after the first n calls. */
void power_cut_build(const char *dir, const struct io_call *calls, size_t n, enum loss loss);

/* Builds one state and looks at it. */
typedef void power_cut_try(const struct io_call *calls, size_t n, enum loss loss);

/* Every cut, in every way. */
void power_cut_everywhere(const struct io_call *calls, size_t n_calls, power_cut_try *try_state);

/* The two functions by which a purse travels: permits.c receives it, permit_purse.c gets it back.
 * Inside policy/ only.  Thread: said at each. */
#pragma once

#include "policy/permits.h"

void permits_exchange(struct task *task);       /* runs on the policy thread */
void permit_purse_come_home(struct task *task); /* runs on the loop's */

/* How mail comes in.  Thread: any (a value). */
#pragma once

#include "relay/delivery/shard.h"
#include "relay/message/idn.h"

/* The domain as DNS wants it; one that IDNA refuses stays as it is, and is refused by the router.
 */
struct slice admission_domain(struct slice address, char ascii[IDN_SIZE]);

/* The loop where its mail comes in; by the newest settings. */
struct delivery_shard *admission_shard(struct delivery *delivery, struct slice domain);

/* Recipients of one domain that move to the loop which owns their site, as one message.
 * Thread: shipment_send() on the old loop; the rest happens on the new one. */
#pragma once

#include "relay/delivery/target.h"

/* Everything of the domain that waits here for its route goes to `to`; the domain may be gone
 * afterwards. */
void shipment_send(struct delivery_shard *from, struct delivery_shard *to, struct domain *domain,
                   const struct target_plan *plan, int64_t fresh_ms);

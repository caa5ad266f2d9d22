/* Signatures asked for while the message is being committed: its bytes are written, they are what
 * is signed, and a signature takes as long as the syncs.  Only for mail that will leave the moment
 * it is committed: one recipient, whose domain leads to a site of this loop that has nothing
 * waiting and a connection to spare.  Under load that is nobody, and nothing is signed in vain.
 * What the commit refuses, or what goes another way after all, is forgotten after a second.
 * Thread: the loop's, but for delivery_foresee() (delivery.h). */
#pragma once

#include "relay/delivery/prepare.h"

void foresight_init(struct foresight *foresight, struct loop *loop);
void foresight_clear(struct delivery_shard *shard); /* nothing is leased any more */

/* The preparation that was begun, its owner from now on the one given; NULL: none was, or no
 * signature came of it. */
struct preparation *foresight_take(struct delivery_shard *shard, const struct stored *stored,
                                   enum render_form form, struct preparation_owner owner);

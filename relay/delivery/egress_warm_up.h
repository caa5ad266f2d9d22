/* Young addresses of ours on this loop: what each may still send to a provider today, leased from
 * the policy thread (policy/warm_ups.h) block by block.  All sites of a provider belong to one
 * loop, so mostly nobody else uses the same pair.  Sites of no provider in the table are not
 * counted: each of them sees little of our mail, and a curve for every domain of the world would
 * be a row for each.
 * Thread: the loop's. */
#pragma once

#include "policy/warm_ups.h"
#include "relay/delivery/outcome.h"

/* What a picked message used; .lease NULL: nobody counts it. */
struct warm_use {
    struct warm_lease *lease; /* one address, one provider */
    int64_t until_utc_ms;     /* the end of its day */
    uint32_t generation;      /* the lease's then: its address may be another since */
};

/* May one more message leave over this lane?  False: what it shares with the provider's others is
 * suspended, until the day ends or an answer comes. */
bool egress_warm_up_allows(struct delivery_shard *shard, struct lane *lane);

/* A message was picked for the lane; it was not said after all (once). */
struct warm_use egress_warm_up_use(struct delivery_shard *shard, struct lane *lane);
void egress_warm_up_give_back(struct warm_use use);

/* What became of n recipients. */
void egress_warm_up_note(struct warm_use use, const struct judgement *judgement, uint32_t n);

void egress_warm_up_apply(struct delivery_shard *shard);        /* addresses or curves changed */
void egress_warm_up_clock_jumped(struct delivery_shard *shard); /* all is asked for anew */
void egress_warm_up_tick(struct delivery_shard *shard);         /* tells what was noted */
void egress_warm_up_settle(struct delivery_shard *shard); /* at a stop: gives back what is left */
void egress_warm_up_fini(struct delivery_shard *shard);

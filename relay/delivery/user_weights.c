#include "relay/delivery/user_weights.h"

static uint32_t weight_in(const struct directory *directory, uint32_t user_id)
{
    const struct user *user = directory ? directory_user_by_id(directory, user_id) : NULL;

    return user && user->limits[USER_LIMIT_WEIGHT] > 0 ? (uint32_t)user->limits[USER_LIMIT_WEIGHT]
                                                       : 1;
}

uint32_t user_weights_of(void *owner, uint32_t user_id)
{
    const struct delivery_shard *shard = owner;

    return weight_in(shard->directory, user_id);
}

/* Of any user that is in one: whether the other says something else. */
static bool differ(const struct directory *directory, const struct directory *other)
{
    for (uint32_t i = 0; directory && i < directory->n_users; i++) {
        uint32_t id = directory->users[i].id;

        if (weight_in(directory, id) != weight_in(other, id))
            return true;
    }
    return false;
}

void user_weights_apply(struct delivery_shard *shard, const struct directory *former)
{
    if (differ(shard->directory, former) || differ(former, shard->directory))
        schedule_reweigh(shard->schedule);
}

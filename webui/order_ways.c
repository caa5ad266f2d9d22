#include "webui/order_ways.h"

#include "relay/net/socket_address.h"

enum { MOST = 64 }; /* sections; the settings take fewer */

/* -1: no address of an `egress` section. */
static int egress_of(const struct settings *settings, struct slice name)
{
    struct ip_address wanted, address;

    for (size_t i = 0; ip_parse(name, &wanted) && i < settings->n_egress && i < MOST; i++)
        for (size_t k = 0; k < settings->egress[i].address.n_items; k++)
            if (ip_parse(slice_of(settings->egress[i].address.items[k]), &address) &&
                ip_equal(address, wanted))
                return (int)i;
    return -1;
}

static bool is_named(const struct settings_egress *egress, const struct text_list *names)
{
    for (size_t i = 0; i < names->n_items; i++)
        if (slice_equal(slice_of(names->items[i]), slice_of(egress->title)))
            return true;
    return false;
}

/* Bit n: section n is in the pool that the order leads to; 0: there is no such pool. */
static uint64_t members_of(const struct settings *settings, struct slice via)
{
    static const struct slice tag = {"pool:", 5};
    uint64_t members = 0;

    if (!slice_starts_with(via, tag))
        return 0;
    for (size_t i = 0; i < settings->n_pool; i++)
        for (size_t k = 0; k < settings->n_egress && k < MOST; k++)
            if (slice_equal(slice_of(settings->pool[i].title), slice_skip(via, tag.len)) &&
                is_named(&settings->egress[k], &settings->pool[i].egress))
                members |= UINT64_C(1) << k;
    return members;
}

static void note(const struct settings *settings, const struct order *order, uint64_t to[MOST])
{
    int egress = order->scope == ORDER_OF_ADDRESS && order->action == ORDER_REROUTE
                     ? egress_of(settings, order->name)
                     : -1;

    if (egress >= 0)
        to[egress] = members_of(settings, order->via);
}

bool order_way_leaves_some(const struct settings *settings, const struct directory *directory,
                           const struct order *wanted, int64_t utc_ms)
{
    uint64_t to[MOST] = {0}, todo, seen = 0;

    for (uint32_t i = 0; directory && i < directory->n_orders; i++)
        if (order_is_in_force(&directory->orders[i], utc_ms))
            note(settings, &directory->orders[i], to);
    note(settings, wanted, to); /* it takes the place of a former one */
    todo = members_of(settings, wanted->via);
    if (wanted->scope != ORDER_OF_ADDRESS || !todo || egress_of(settings, wanted->name) < 0)
        return true;
    while (todo) {
        int n = __builtin_ctzll(todo);

        if (!to[n])
            return true;
        seen |= UINT64_C(1) << n;
        todo = (todo | to[n]) & ~seen;
    }
    return false;
}

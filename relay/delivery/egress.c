#include "relay/delivery/egress.h"

#include "relay/base/event.h"

enum {
    AGAIN_GOOD_MS = 60 * 60 * 1000,
    AGAIN_BAD_MS = 10 * 60 * 1000,
    AGAIN_UNKNOWN_MS = 60 * 1000,
    DOUBT_MS = 60 * 1000, /* refusals cause no more than one question in this time */
};

static void check_now(struct egress *egress)
{
    if (egress->is_asking || !egress->address.family)
        return;
    egress->is_asking = true;
    egress->checked_ms = loop_now_ms(egress->loop);
    atomic_store(&egress->is_doubted, false);
    egress->check.address = egress->address;
    name_check_start(&egress->check, egress->resolver);
}

static enum egress_state state_of(enum name_verdict verdict)
{
    switch (verdict) {
    case NAME_CONFIRMED:
        return EGRESS_GOOD;
    case NAME_MISSING:
        return EGRESS_NO_NAME;
    case NAME_UNCONFIRMED:
        return EGRESS_OTHER_NAME;
    case NAME_UNKNOWN:
        break;
    }
    return EGRESS_UNCHECKED;
}

static void tell(const struct egress *egress, enum egress_state state)
{
    static const char *const words[] = {
        [EGRESS_UNCHECKED] = "unknown",
        [EGRESS_GOOD] = "confirmed",
        [EGRESS_NO_NAME] = "missing",
        [EGRESS_OTHER_NAME] = "unconfirmed",
    };
    char address[IP_TEXT_SIZE];

    EVENT(EVENT_EGRESS_NAME, field_text("egress", ip_print(egress->address, address)),
          field_text("name", egress->check.name), field_text("result", words[state]));
}

/* Told when it changes.  Without an answer the former one holds. */
static void on_checked(struct name_check *check)
{
    struct egress *egress = CONTAINER_OF(check, struct egress, check);
    enum egress_state state = state_of(check->verdict);

    egress->is_asking = false;
    if (state == EGRESS_UNCHECKED) {
        timer_set(&egress->timer, AGAIN_UNKNOWN_MS);
        return;
    }
    if (atomic_exchange(&egress->state, state) != (int)state)
        tell(egress, state);
    timer_set(&egress->timer, state == EGRESS_GOOD ? AGAIN_GOOD_MS : AGAIN_BAD_MS);
}

static void on_timer(struct timer *timer)
{
    check_now(CONTAINER_OF(timer, struct egress, timer));
}

void egress_init_all(struct egress *all, struct loop *loop)
{
    for (uint32_t n = 0; n < EGRESS_MOST; n++) {
        all[n].number = n;
        all[n].loop = loop;
        all[n].check.done = on_checked;
        timer_init(&all[n].timer, loop, on_timer);
    }
}

static void forget(struct egress *egress)
{
    if (egress->is_asking)
        name_check_cancel(&egress->check);
    egress->is_asking = false;
    timer_cancel(&egress->timer);
    atomic_store(&egress->state, EGRESS_UNCHECKED);
}

static void apply(struct egress *egress, struct resolver *resolver,
                  const struct delivery_config *config)
{
    struct ip_address address = {.family = 0};

    egress->resolver = resolver;
    if (config->settings.ipv6 == DELIVERY_IPV6_CHECKED)
        egress_table_bind(&config->egress, egress->number, AF_INET6, &address);
    if (!ip_equal(address, egress->address))
        forget(egress);
    egress->address = address;
    atomic_store(&egress->is_wanted, address.family != 0);
    check_now(egress);
}

void egress_apply_all(struct egress *all, struct resolver *resolver,
                      const struct delivery_config *config)
{
    for (int n = 0; n < EGRESS_MOST; n++)
        apply(&all[n], resolver, config);
}

void egress_tick_all(struct egress *all)
{
    for (int n = 0; n < EGRESS_MOST; n++)
        if (atomic_load(&all[n].is_doubted) &&
            loop_now_ms(all[n].loop) - all[n].checked_ms >= DOUBT_MS)
            check_now(&all[n]);
}

void egress_fini_all(struct egress *all)
{
    for (int n = 0; n < EGRESS_MOST && all[n].loop; n++) {
        forget(&all[n]);
        timer_fini(&all[n].timer);
    }
}

bool egress_knows_v6(const struct delivery_config *config, uint32_t number)
{
    struct ip_address address;

    return config->settings.ipv6 != DELIVERY_IPV6_NEVER &&
           egress_table_bind(&config->egress, number, AF_INET6, &address);
}

bool egress_takes_v6(const struct egress *egress, const struct delivery_config *config)
{
    return egress_knows_v6(config, egress->number) &&
           (config->settings.ipv6 == DELIVERY_IPV6_ALWAYS ||
            atomic_load(&egress->state) == EGRESS_GOOD);
}

void egress_doubt(struct egress *egress)
{
    atomic_store(&egress->is_doubted, true);
}

const char *egress_note(const struct egress *egress)
{
    static const char *const notes[] = {
        [EGRESS_UNCHECKED] = "IPv6 is not used: DNS has not yet told the name of its address.",
        [EGRESS_GOOD] = NULL,
        [EGRESS_NO_NAME] = "IPv6 is not used: its address has no name in DNS (PTR).",
        [EGRESS_OTHER_NAME] =
            "IPv6 is not used: the name of its address (PTR) does not lead back to it (AAAA).",
    };

    return atomic_load(&egress->is_wanted) ? notes[atomic_load(&egress->state)] : NULL;
}

/* What one row cannot check alone: rules between settings. */
#include "relay/control/config.h"

#include <errno.h>
#include <string.h>

#include "relay/control/connect_ports.h"
#include "relay/control/panel_address.h"

enum { MOST_EXPIRE_WITH_X_MS = 5 * 86400000 };

static bool check_tls(const struct settings *settings, const char *path, struct buffer *problem)
{
    bool is_good = true;

    for (size_t i = 0; i < settings->n_tls; i++) {
        const struct settings_tls *tls = &settings->tls[i];

        if (*tls->certificate && *tls->key)
            continue;
        buffer_printf(problem, "%s: tls \"%s\": certificate and key are both needed\n", path,
                      tls->title);
        is_good = false;
    }
    return is_good;
}

static bool check_listeners(const struct settings *settings, const char *path,
                            struct buffer *problem)
{
    bool is_good = true;

    for (size_t i = 0; i < settings->n_listen; i++)
        if (settings->listen[i].address.n_items == 0) {
            buffer_printf(problem, "%s: listen \"%s\": no address\n", path,
                          settings->listen[i].title);
            is_good = false;
        }
    return is_good;
}

/* Passwords would cross the net in clear. */
static bool check_panel(const struct settings *settings, const char *path, struct buffer *problem)
{
    if (panel_has_tls(&settings->panel) || panel_is_on_loopback(&settings->panel))
        return true;
    buffer_printf(problem, "%s: panel: without TLS only on an address of loopback\n", path);
    return false;
}

static bool check_routes(const struct settings *settings, const char *path, struct buffer *problem)
{
    bool is_good = true;

    for (size_t i = 0; i < settings->n_route; i++)
        if (!*settings->route[i].via) {
            buffer_printf(problem, "%s: route \"%s\": no via\n", path, settings->route[i].title);
            is_good = false;
        }
    return is_good;
}

static bool check_dkim(const struct settings *settings, const char *path, struct buffer *problem)
{
    /* x= is queue life and two days, at most seven days: a longer queue life would outlive it. */
    if (!settings->dkim.expire || settings->delivery.expire <= MOST_EXPIRE_WITH_X_MS)
        return true;
    buffer_printf(problem, "%s: dkim expire needs delivery expire of 5d at most\n", path);
    return false;
}

static bool check_ports(const struct settings *settings, const char *path, struct buffer *problem)
{
    struct connect_ports granted;
    char why[CONNECT_PORTS_WHY_SIZE];

    connect_ports_of(settings, &granted);
    if (connect_ports_suffice(&granted, settings, why))
        return true;
    buffer_printf(problem, "%s: %s\n", path, why);
    return false;
}

/* ---- addresses of ours, and their pools ---- */

enum { MOST_EGRESS = 15, MOST_POOLS = 15 };

static size_t count_family(const struct text_list *addresses, bool is_v6)
{
    size_t n = 0;

    for (size_t i = 0; i < addresses->n_items; i++)
        n += (strchr(addresses->items[i], ':') != NULL) == is_v6;
    return n;
}

static bool check_egress(const struct settings *settings, const char *path, struct buffer *problem)
{
    bool is_good = settings->n_egress <= MOST_EGRESS;

    if (!is_good)
        buffer_printf(problem, "%s: more than %d egress sections\n", path, MOST_EGRESS);
    for (size_t i = 0; i < settings->n_egress; i++) {
        const struct settings_egress *egress = &settings->egress[i];

        if (count_family(&egress->address, false) == 1 && count_family(&egress->address, true) <= 1)
            continue;
        buffer_printf(problem,
                      "%s: egress \"%s\": one IPv4 address, and one IPv6 address or none\n", path,
                      egress->title);
        is_good = false;
    }
    return is_good;
}

static bool is_egress(const struct settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->n_egress; i++)
        if (strcmp(settings->egress[i].title, name) == 0)
            return true;
    return false;
}

static bool check_pool(const struct settings *settings, const struct settings_pool *pool,
                       const char *path, struct buffer *problem)
{
    bool is_good = pool->egress.n_items > 0;

    if (!is_good)
        buffer_printf(problem, "%s: pool \"%s\": no egress\n", path, pool->title);
    for (size_t i = 0; i < pool->egress.n_items; i++)
        if (!is_egress(settings, pool->egress.items[i])) {
            buffer_printf(problem, "%s: pool \"%s\": there is no egress \"%s\"\n", path,
                          pool->title, pool->egress.items[i]);
            is_good = false;
        }
    return is_good;
}

static bool check_pools(const struct settings *settings, const char *path, struct buffer *problem)
{
    bool is_good = settings->n_pool <= MOST_POOLS;

    if (!is_good)
        buffer_printf(problem, "%s: more than %d pool sections\n", path, MOST_POOLS);
    for (size_t i = 0; i < settings->n_pool; i++)
        is_good &= check_pool(settings, &settings->pool[i], path, problem);
    return is_good;
}

int config_check(const struct settings *settings, const char *path, struct buffer *problem)
{
    bool is_good = check_tls(settings, path, problem);

    is_good &= check_listeners(settings, path, problem);
    is_good &= check_panel(settings, path, problem);
    is_good &= check_routes(settings, path, problem);
    is_good &= check_egress(settings, path, problem);
    is_good &= check_pools(settings, path, problem);
    is_good &= check_dkim(settings, path, problem);
    is_good &= check_ports(settings, path, problem);
    return is_good ? 0 : -EINVAL;
}

/* What one row cannot check alone: rules between settings, and texts that another module reads. */
#include "relay/control/config.h"

#include <errno.h>
#include <string.h>

#include "relay/net/socket_address.h"

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

/* Every text of a list must be what parse takes; the first that is not is named. */
static bool check_texts(const struct text_list *texts, const char *setting, const char *wanted,
                        bool (*is_good)(const char *text), const char *path, struct buffer *problem)
{
    for (size_t i = 0; i < texts->n_items; i++)
        if (!is_good(texts->items[i])) {
            buffer_printf(problem, "%s: %s: '%s' is not %s\n", path, setting, texts->items[i],
                          wanted);
            return false;
        }
    return true;
}

static bool is_address(const char *text)
{
    struct ip_address ignored;

    return ip_parse(slice_of(text), &ignored);
}

static bool is_network(const char *text)
{
    struct network ignored;

    return network_parse(slice_of(text), &ignored);
}

static bool is_socket_address(const char *text)
{
    struct socket_address ignored;

    return socket_address_parse(slice_of(text), -1, &ignored);
}

static bool is_server_address(const char *text)
{
    struct socket_address ignored;

    return socket_address_parse(slice_of(text), 53, &ignored);
}

static bool check_addresses(const struct settings *settings, const char *path,
                            struct buffer *problem)
{
    const struct text_list panel = {(const char *[]){settings->panel.address},
                                    *settings->panel.address ? 1 : 0};
    bool is_good = check_texts(&settings->delivery.bind, "delivery bind", "an IP address",
                               is_address, path, problem);

    is_good &= check_texts(&settings->delivery.allow_mx, "delivery allow_mx",
                           "a network such as 192.0.2.0/24", is_network, path, problem);
    is_good &= check_texts(&settings->resolver.forward, "resolver forward", "ADDRESS:PORT",
                           is_server_address, path, problem);
    is_good &=
        check_texts(&panel, "panel address", "ADDRESS:PORT", is_socket_address, path, problem);
    for (size_t i = 0; i < settings->n_listen; i++)
        is_good &= check_texts(&settings->listen[i].address, "listen address", "ADDRESS:PORT",
                               is_socket_address, path, problem);
    return is_good;
}

int config_check(const struct settings *settings, const char *path, struct buffer *problem)
{
    bool is_good = check_tls(settings, path, problem);

    is_good &= check_listeners(settings, path, problem);
    is_good &= check_routes(settings, path, problem);
    is_good &= check_addresses(settings, path, problem);
    is_good &= check_dkim(settings, path, problem);
    return is_good ? 0 : -EINVAL;
}

#include "relay/control/connect_ports.h"

#include <stdio.h>

#include "relay/net/socket_address.h"

enum { DNS_PORT = 53, MOST_PORT = 65535 };

static bool has(const struct connect_ports *granted, uint16_t port)
{
    for (size_t i = 0; i < granted->n_ports; i++)
        if (granted->ports[i] == port)
            return true;
    return false;
}

static void add(struct connect_ports *granted, uint64_t port)
{
    if (port && granted->n_ports < CONNECT_PORTS_MOST && !has(granted, (uint16_t)port))
        granted->ports[granted->n_ports++] = (uint16_t)port;
}

/* "192.0.2.1", "[2001:db8::1]:587", "smart.example.net:587". */
static uint16_t port_of(const char *text, uint16_t default_port)
{
    struct slice whole = slice_of(text);
    struct socket_address address;
    ptrdiff_t colon = slice_find_last(whole, ':');
    uint64_t port = default_port;

    if (socket_address_parse(whole, default_port, &address))
        return socket_address_port(&address);
    if (colon >= 0 && !slice_to_number(slice_skip(whole, (size_t)colon + 1), MOST_PORT, &port))
        return default_port;
    return (uint16_t)port;
}

void connect_ports_of(const struct settings *settings, struct connect_ports *out)
{
    const struct text_list *listed = &settings->sandbox.connect_ports;
    const struct text_list *servers = &settings->resolver.forward;

    *out = (struct connect_ports){.is_restricted = listed->n_items > 0};
    if (!out->is_restricted)
        return;
    add(out, DNS_PORT);
    for (size_t i = 0; i < servers->n_items; i++)
        add(out, port_of(servers->items[i], DNS_PORT));
    for (size_t i = 0; i < listed->n_items; i++) {
        uint64_t port = 0;

        if (slice_to_number(slice_of(listed->items[i]), MOST_PORT, &port))
            add(out, port);
    }
}

bool connect_ports_suffice(const struct connect_ports *granted, const struct settings *settings,
                           char why[CONNECT_PORTS_WHY_SIZE])
{
    uint16_t mx_port = (uint16_t)settings->delivery.port;

    why[0] = '\0';
    if (!granted->is_restricted)
        return true;
    if (!has(granted, mx_port)) {
        snprintf(why, CONNECT_PORTS_WHY_SIZE,
                 "delivery port %u is not among the connect_ports of the sandbox", mx_port);
        return false;
    }
    for (size_t i = 0; i < settings->n_route; i++) {
        uint16_t port = port_of(settings->route[i].via, mx_port);

        if (has(granted, port))
            continue;
        snprintf(why, CONNECT_PORTS_WHY_SIZE,
                 "route \"%.64s\": port %u is not among the connect_ports of the sandbox",
                 settings->route[i].title, port);
        return false;
    }
    return true;
}

bool connect_ports_allow(const struct settings *settings, const char *via)
{
    struct connect_ports granted;

    connect_ports_of(settings, &granted);
    return !granted.is_restricted || has(&granted, port_of(via, (uint16_t)settings->delivery.port));
}

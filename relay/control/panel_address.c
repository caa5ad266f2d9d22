#include "relay/control/panel_address.h"

#include <string.h>

#include "relay/net/socket_address.h"

bool panel_is_on_loopback(const struct settings_panel *panel)
{
    static const char *const loopback[] = {"127.0.0.0/8", "::1"};
    struct socket_address address;
    struct network network;

    if (!*panel->address)
        return true;
    if (!socket_address_parse(slice_of(panel->address), -1, &address))
        return false;
    for (size_t i = 0; i < sizeof(loopback) / sizeof(loopback[0]); i++)
        if (network_parse(slice_of(loopback[i]), &network) &&
            network_contains(&network, socket_address_ip(&address)))
            return true;
    return false;
}

bool panel_has_tls(const struct settings_panel *panel)
{
    return *panel->address && strcmp(panel->tls, "none") != 0 &&
           (strcmp(panel->tls, "always") == 0 || !panel_is_on_loopback(panel));
}

/* Which TCP ports the settings let the relay connect to, and which they need.
 * Thread: any (pure). */
#pragma once

#include <stdint.h>

#include "relay/control/settings.h"

enum { CONNECT_PORTS_MOST = 64, CONNECT_PORTS_WHY_SIZE = 200 };

struct connect_ports {
    bool is_restricted; /* false: any port */
    uint16_t ports[CONNECT_PORTS_MOST];
    size_t n_ports;
};

/* sandbox { connect_ports }, and those of the name servers. */
void connect_ports_of(const struct settings *settings, struct connect_ports *out);

/* False when a route or the MX hosts need another port; why says which. */
bool connect_ports_suffice(const struct connect_ports *granted, const struct settings *settings,
                           char why[CONNECT_PORTS_WHY_SIZE]);

/* May a next hop that is not in the settings be connected to? */
bool connect_ports_allow(const struct settings *settings, const char *via);

/* Where the panel listens, and whether by HTTPS.  Thread: any. */
#pragma once

#include "relay/control/settings.h"

bool panel_is_on_loopback(const struct settings_panel *panel); /* also when there is no panel */
bool panel_has_tls(const struct settings_panel *panel);

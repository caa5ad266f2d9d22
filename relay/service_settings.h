/* From the settings, which know all, to what each module is given, which is little.
 * Thread: the service's. */
#pragma once

#include "policy/policy.h"
#include "relay/base/arena.h"
#include "relay/bundle.h"
#include "relay/delivery/settings.h"
#include "relay/intake/intake.h"
#include "relay/spool/spool.h"

/* The name in the settings, else the system's; lives in the arena. */
const char *service_hostname(const struct settings *settings, struct arena *arena);

void service_policy_settings(const struct settings *settings, struct policy_settings *out);
uint64_t service_min_free(const struct settings *settings); /* bytes; a reload changes it */
void service_spool_settings(const struct settings *settings, struct spool_settings *out);
void service_intake_settings(const struct settings *settings, const char *hostname,
                             struct intake_settings *out);

/* Arrays in the arena; 0, -EINVAL (which config_check() rules out) or -ENOMEM. */
MUST_USE int service_delivery_settings(const struct bundle *bundle, const char *hostname,
                                       struct arena *arena, struct delivery_settings *out);
MUST_USE int service_resolver_settings(const struct settings *settings, struct arena *arena,
                                       struct resolver_settings *out);
MUST_USE int service_listeners(const struct bundle *bundle, struct arena *arena,
                               struct intake_listener **out, size_t *n_out);

/* The certificate of a service whose settings name none: made at the first start, and kept, so that
 * who has once said yes to it need not again.  Thread: the service's. */
#pragma once

#include "relay/net/tls_context.h"

/* For host, from folder/self-signed.pem, or made and stored there.  A file that cannot be used, or
 * stored, costs the next start a new certificate and nothing else.  0 or -errno. */
MUST_USE int service_self_signed(const char *folder, const char *host, struct tls_pem *out);

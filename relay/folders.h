/* The folders of the service and who owns them: the relay's own, and keys/, which only the signer
 * may enter.  Thread: the parent's only one. */
#pragma once

#include "relay/base/buffer.h"
#include "relay/control/settings.h"

#define SIGNER_USER "staffetta-sign"

/* Makes what is missing with the right owner and mode.  0 or -errno with the reason in problem. */
MUST_USE int folders_make(const struct settings *settings, struct buffer *problem);

/* xtext: how parameters carry any octet (RFC 3461 4).  "+" and "=" and what is not printable are
 * written "+XX".
 * Thread: any. */
#pragma once

#include "relay/base/slice.h"

/* xtext = *( %x21-2A / %x2C-3C / %x3E-7E / "+" 2HEXDIG upper case )
 * Whether encoded is xtext of printable ASCII alone: what ENVID and ORCPT may say (RFC 3461 4.2,
 * 4.4).  A decoded CR LF would be a line of a report (Exim CVE-2020-28021). */
bool xtext_is_printable(struct slice encoded);

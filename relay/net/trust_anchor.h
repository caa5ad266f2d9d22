/* Which zone a trust anchor file speaks for.  libunbound reads the anchors themselves; we ask for
 * that zone's key at start, to see whether signatures reach us.  Thread: any. */
#pragma once

#include <stdbool.h>

#include "relay/net/dns_message.h"

#define TRUST_ANCHOR_DEFAULT "/usr/share/dns/root.key" /* Debian's dns-root-data */

/* The owner of the file's first DS or DNSKEY record; false when there is none to be read. */
bool trust_anchor_zone(const char *path, char out[DNS_NAME_SIZE]);

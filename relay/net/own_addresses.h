/* The addresses of this machine's interfaces.  Not by getifaddrs(): that needs a netlink socket, a
 * door to the kernel which the sandbox keeps shut.  Thread: any. */
#pragma once

#include <stddef.h>

#include "relay/net/socket_address.h"

/* Fills out with most of them at the utmost; returns how many.  What cannot be read is left out. */
size_t own_addresses_list(struct ip_address *out, size_t most);

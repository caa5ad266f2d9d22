#include "relay/net/own_addresses.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { MOST_INTERFACES = 256, HEX_DIGITS = 32 };

static struct ip_address ip_of(const struct sockaddr *from)
{
    struct socket_address address = {.len = sizeof(address.v4)};

    memcpy(&address.storage, from, sizeof(address.v4));
    return socket_address_ip(&address);
}

/* netdevice(7): every address of IPv4, those beside the first included. */
static size_t list_v4(struct ip_address *out, size_t most)
{
    CLEANUP(close_fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq interfaces[MOST_INTERFACES] = {0};
    struct ifconf asked = {.ifc_len = sizeof(interfaces), .ifc_req = interfaces};
    size_t n = 0;

    if (fd < 0 || ioctl(fd, SIOCGIFCONF, &asked) < 0)
        return 0;
    for (size_t i = 0; i < (size_t)asked.ifc_len / sizeof(interfaces[0]) && n < most; i++)
        if (interfaces[i].ifr_addr.sa_family == AF_INET)
            out[n++] = ip_of(&interfaces[i].ifr_addr);
    return n;
}

/* "fe800000000000000000000000000001 02 40 20 80 eth0" into "fe80:0000:...:0001". */
static bool read_v6(const char *line, struct ip_address *out)
{
    char text[HEX_DIGITS + HEX_DIGITS / 4];
    size_t len = 0;

    if (strspn(line, "0123456789abcdef") != HEX_DIGITS)
        return false;
    for (size_t i = 0; i < HEX_DIGITS; i++) {
        if (i && i % 4 == 0)
            text[len++] = ':';
        text[len++] = line[i];
    }
    return ip_parse(slice_from(text, len), out);
}

static size_t list_v6(struct ip_address *out, size_t most)
{
    FILE *file = fopen("/proc/self/net/if_inet6", "re"); /* not there: no IPv6 */
    char line[128];
    size_t n = 0;

    while (file && n < most && fgets(line, sizeof(line), file))
        if (read_v6(line, &out[n]))
            n++;
    if (file)
        fclose(file);
    return n;
}

size_t own_addresses_list(struct ip_address *out, size_t most)
{
    size_t n = list_v4(out, most);

    return n + list_v6(out + n, most - n);
}

#include "relay/control/forms.h"

#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "policy/warm_up.h"
#include "relay/message/idn.h"
#include "relay/net/socket_address.h"
#include "relay/smtp/address.h"

#define ZONES "/usr/share/zoneinfo"

enum { DNS_PORT = 53, SMTP_PORT = 25, MOST_PORT = 65535, MOST_PATH_BYTES = 3500 };

static bool is_address(const char *text)
{
    struct ip_address ignored;

    return ip_parse(slice_of(text), &ignored);
}

static bool is_network(const char *text)
{
    struct network ignored;

    return network_parse(slice_of(text), &ignored);
}

static bool is_socket(const char *text)
{
    struct socket_address ignored;

    return socket_address_parse(slice_of(text), -1, &ignored);
}

static bool is_server(const char *text)
{
    struct socket_address ignored;

    return socket_address_parse(slice_of(text), DNS_PORT, &ignored);
}

static bool is_port(const char *text)
{
    uint64_t port;

    return slice_to_number(slice_of(text), MOST_PORT, &port) && port != 0;
}

/* Greetings, EHLO and our own header fields carry it as it stands. */
static bool is_host_name(struct slice name)
{
    char ascii[IDN_SIZE];

    return idn_to_ascii(name, ascii) == 0 && slice_equal_ignoring_case(slice_of(ascii), name);
}

static bool is_host(const char *text)
{
    return is_host_name(slice_of(text));
}

static bool is_folder(const char *text)
{
    return *text == '/' && strlen(text) < MOST_PATH_BYTES;
}

/* sun_path of a Unix socket has room for 107 bytes. */
static bool is_socket_folder(const char *text)
{
    return *text == '/' &&
           strlen(text) + strlen("/control.sock") < sizeof(((struct sockaddr_un *)0)->sun_path);
}

/* "192.0.2.1", "[2001:db8::1]:587", "smart.example.net:587". */
static bool is_next_hop(const char *text)
{
    struct socket_address ignored;
    struct slice name = slice_of(text);
    ptrdiff_t colon = slice_find_last(name, ':');
    uint64_t port = SMTP_PORT;

    if (socket_address_parse(name, SMTP_PORT, &ignored))
        return socket_address_port(&ignored) != 0;
    if (colon >= 0 && !slice_to_number(slice_skip(name, (size_t)colon + 1), MOST_PORT, &port))
        return false;
    return port && is_host_name(colon >= 0 ? slice_head(name, (size_t)colon) : name);
}

/* The C library takes a name that it does not know for UTC, and says nothing. */
static bool is_time_zone(const char *text)
{
    char path[512];

    if (access(ZONES, F_OK) < 0)
        return true; /* no zones are installed: nothing to compare with */
    snprintf(path, sizeof(path), "%s/%s", ZONES, text);
    return *text != '/' && !strstr(text, "..") && access(path, R_OK) == 0;
}

static bool is_mailbox(const char *text)
{
    struct slice address = slice_of(text);
    ptrdiff_t at = slice_find_last(address, '@');

    return at > 0 && address.len <= 254 && slice_find(address, ' ') < 0 &&
           slice_find(address, '<') < 0 && slice_find(address, '>') < 0 &&
           address_is_domain(slice_skip(address, (size_t)at + 1));
}

static bool is_curve(const char *text)
{
    struct warm_up_curve ignored;

    return warm_up_curve_parse(slice_of(text), &ignored);
}

static const struct {
    const char *name, *wanted;
    bool (*is_good)(const char *text);
} forms[] = {
    {"address",       "an IP address",                                 is_address      },
    {"network",       "a network such as 192.0.2.0/24",                is_network      },
    {"socket",        "ADDRESS:PORT",                                  is_socket       },
    {"server",        "ADDRESS or ADDRESS:PORT",                       is_server       },
    {"next hop",      "ADDRESS or HOST, with or without :PORT",        is_next_hop     },
    {"port",          "a port, 1 to 65535",                            is_port         },
    {"host",          "a host name",                                   is_host         },
    {"folder",        "a whole path",                                  is_folder       },
    {"socket folder", "a whole path of 93 bytes at most",              is_socket_folder},
    {"time zone",     "a name of the time zone database, Europe/Rome", is_time_zone    },
    {"mailbox",       "an address such as postmaster@example.com",     is_mailbox      },
    {"curve",         "yes, no, or up to 60 rising numbers",           is_curve        },
};

bool form_check(const char *form, const char *text, struct buffer *problem)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (strcmp(forms[i].name, form) == 0 && *text && !forms[i].is_good(text)) {
            buffer_printf(problem, "'%s' is not %s", text, forms[i].wanted);
            return false;
        }
    return true;
}

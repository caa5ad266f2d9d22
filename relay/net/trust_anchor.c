#include "relay/net/trust_anchor.h"

#include <stdio.h>
#include <string.h>

/* "example.test. [TTL] [IN] DS|DNSKEY ...", blanks or tabs between. */
static bool is_key_record(const char *line)
{
    return strstr(line, "DNSKEY") || strstr(line, " DS ") || strstr(line, "\tDS\t") ||
           strstr(line, "\tDS ") || strstr(line, " DS\t");
}

static bool read_owner(const char *line, char out[DNS_NAME_SIZE])
{
    size_t len = strcspn(line, " \t\r\n");

    return len > 0 && line[0] != ';' && line[0] != '#' && is_key_record(line) &&
           slice_copy_to(slice_from(line, len), out, DNS_NAME_SIZE);
}

bool trust_anchor_zone(const char *path, char out[DNS_NAME_SIZE])
{
    FILE *file = fopen(path, "re");
    char line[4096];
    bool is_found = false;

    if (!file)
        return false;
    while (!is_found && fgets(line, sizeof(line), file))
        is_found = read_owner(line, out);
    fclose(file);
    return is_found;
}

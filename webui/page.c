#include "webui/page.h"

#include <string.h>

#include "webui/assets.h"

static bool is_of_the_api(const char *path)
{
    static const char *const starts[] = {"/api/", "/healthz", "/readyz", "/metrics",
                                         "/.well-known/"};

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        if (strncmp(path, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

/* A file that is not there is no page: "/assets/old.js", "/robots.txt". */
static bool is_a_page(const char *path)
{
    const char *slash = strrchr(path, '/');

    return path[0] == '/' && strncmp(path, "/assets/", 8) != 0 && slash && !strchr(slash, '.');
}

static bool wants_page(const struct exchange *exchange)
{
    const char *accept = exchange->fields.accept;

    return accept && strstr(accept, "text/html") && strncmp(exchange->path, "/assets/", 8) != 0;
}

bool page_answer(struct exchange *exchange)
{
    const struct asset *asset = NULL;

    if (is_of_the_api(exchange->path) || strstr(exchange->path, "/.."))
        return false; /* no page of ours climbs; who asks so is told that nothing is there */
    asset = asset_find(exchange->path);
    /* A domain's page has dots in its path: what is asked for as a page is one. */
    if (!asset && (is_a_page(exchange->path) || wants_page(exchange)))
        asset = asset_find("/index.html");
    if (!asset)
        return false;
    exchange->asset = asset;
    exchange->content_type = asset->type;
    exchange->status =
        exchange->fields.if_none_match && strcmp(exchange->fields.if_none_match, asset->etag) == 0
            ? 304
            : 200;
    return true;
}

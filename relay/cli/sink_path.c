#include "relay/cli/sink_path.h"

#include <stdlib.h>
#include <string.h>

void sink_path_fini(struct sink_path *path)
{
    free(path->address);
    free(path->parameters);
    *path = (struct sink_path){0};
}

/* keyword "<" address ">" [SP parameters] */
bool sink_path_parse(struct slice args, const char *keyword, struct sink_path *path)
{
    struct slice rest;
    size_t len = 0;
    bool is_quoted = false;

    if (!slice_starts_with_ignoring_case(args, slice_of(keyword)))
        return false;
    rest = slice_trim(slice_skip(args, strlen(keyword)));
    if (rest.len == 0 || rest.data[0] != '<')
        return false;
    rest = slice_skip(rest, 1);
    for (; len < rest.len && (is_quoted || rest.data[len] != '>'); len++) {
        if (rest.data[len] == '\\')
            len++;
        else if (rest.data[len] == '"')
            is_quoted = !is_quoted;
    }
    if (len >= rest.len)
        return false;
    path->address = slice_to_string(slice_head(rest, len));
    path->parameters = slice_to_string(slice_trim(slice_skip(rest, len + 1)));
    return path->address && path->parameters;
}

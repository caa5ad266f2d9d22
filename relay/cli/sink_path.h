/* What MAIL and RCPT said to the test receiver: the address between < and >, where a quoted local
 * part may hold ">", and the parameters behind it.  Thread: any. */
#pragma once

#include <stdbool.h>

#include "relay/base/slice.h"

struct sink_path {
    char *address, *parameters;
};

/* args behind the verb, keyword "FROM:" or "TO:".  False: no such path, or no memory; what was
 * allocated until then is in it, for sink_path_fini(). */
bool sink_path_parse(struct slice args, const char *keyword, struct sink_path *path);
void sink_path_fini(struct sink_path *path);

#include "relay/base/fault.h"

#include <string.h>

#include "relay/base/log.h"

int fault_at(int error, const char *file, int line, const char *function)
{
    log_debug("fault", "%s:%d: %s: %s", file, line, function, strerror(-error));
    return error;
}

#include <string.h>

#include "relay/base/checked.h"
#include "relay/control/config.h"

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit span_units[] = {
    {"",  1000    },
    {"s", 1000    },
    {"m", 60000   },
    {"h", 3600000 },
    {"d", 86400000}
};
static const struct unit size_units[] = {
    {"",   1            },
    {"KB", 1000         },
    {"MB", 1000000      },
    {"GB", 1000000000   },
    {"TB", 1000000000000}
};

static bool parse_with_unit(const char *text, const struct unit *units, size_t n_units,
                            int64_t *out)
{
    size_t n_digits = strspn(text, "0123456789");
    uint64_t number;

    if (!slice_to_number(slice_from(text, n_digits), INT64_MAX, &number))
        return false;
    for (size_t i = 0; i < n_units; i++)
        if (strcmp(text + n_digits, units[i].name) == 0)
            return !__builtin_mul_overflow((int64_t)number, units[i].factor, out);
    return false;
}

bool config_parse_span(const char *text, int64_t *milliseconds)
{
    return parse_with_unit(text, span_units, sizeof(span_units) / sizeof(span_units[0]),
                           milliseconds);
}

bool config_parse_size(const char *text, int64_t *bytes)
{
    return parse_with_unit(text, size_units, sizeof(size_units) / sizeof(size_units[0]), bytes);
}

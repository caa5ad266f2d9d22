/* Which members a request may have, and of which type. */
#include "webui/exchange.h"

#include <string.h>

static bool is_text(json_t *value)
{
    return json_string_length(value) > 0;
}

static bool is_any_text(json_t *value)
{
    return json_is_string(value);
}

static bool is_list_of_texts(json_t *value)
{
    bool is_good = json_is_array(value);

    for (size_t i = 0; is_good && i < json_array_size(value); i++)
        is_good = json_is_string(json_array_get(value, i));
    return is_good;
}

static bool is_flag(json_t *value)
{
    return json_is_boolean(value);
}

static bool is_number(json_t *value)
{
    return json_is_integer(value);
}

static bool is_object(json_t *value)
{
    return json_is_object(value);
}

static const struct {
    const char *name;
    bool (*is_good)(json_t *value);
    const char *wanted;
} types[] = {
    {"text",     is_text,          "a text that is not empty"},
    {"any_text", is_any_text,      "a text"                  },
    {"texts",    is_list_of_texts, "a list of texts"         },
    {"flag",     is_flag,          "true or false"           },
    {"number",   is_number,        "a whole number"          },
    {"object",   is_object,        "an object"               },
};

/* The type behind "name=" in allowed, empty when it stands there without one; .data NULL: it does
 * not stand there. */
static struct slice type_of(const char *allowed, const char *name)
{
    struct slice rest = slice_of(allowed);

    while (rest.len) {
        ptrdiff_t blank = slice_find(rest, ' ');
        struct slice word = blank < 0 ? rest : slice_head(rest, (size_t)blank);
        ptrdiff_t equals = slice_find(word, '=');
        size_t name_len = equals < 0 ? word.len : (size_t)equals;

        if (slice_equal(slice_head(word, name_len), slice_of(name)))
            return slice_skip(word, equals < 0 ? word.len : name_len + 1);
        rest = slice_skip(rest, blank < 0 ? rest.len : (size_t)blank + 1);
    }
    return (struct slice){0};
}

static bool refuse(struct exchange *exchange, const char *code, const char *what, const char *name,
                   const char *is)
{
    char detail[256];

    snprintf(detail, sizeof(detail), "The %s \"%.100s\" %s.", what, name, is);
    exchange_problem(exchange, 422, code, detail);
    return false;
}

bool exchange_check_query(struct exchange *exchange, const char *allowed)
{
    for (size_t i = 0; i < exchange->n_queries; i++) {
        const char *name = exchange->queries[i].name;

        if (!type_of(allowed, name).data)
            return refuse(exchange, "unknown_query", "query parameter", name, "is not known here");
        for (size_t k = 0; k < i; k++)
            if (strcmp(exchange->queries[k].name, name) == 0)
                return refuse(exchange, "bad_query", "query parameter", name, "comes twice");
    }
    return true;
}

/* The log and the audit keep it, and so does every message it is about. */
enum { MOST_REASON = 512 };

static bool check_member(struct exchange *exchange, const char *name, json_t *value,
                         struct slice type)
{
    char is[64];

    if (strcmp(name, "reason") == 0 && json_string_length(value) > MOST_REASON)
        return refuse(exchange, "bad_field", "field", name, "must be at most 512 bytes long");
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (slice_equal(slice_of(types[i].name), type)) {
            snprintf(is, sizeof(is), "must be %s", types[i].wanted);
            return types[i].is_good(value) || refuse(exchange, "bad_field", "field", name, is);
        }
    return refuse(exchange, "unknown_field", "field", name, "is not known here");
}

bool exchange_check_body(struct exchange *exchange, const char *allowed)
{
    const char *name;
    json_t *value;

    json_object_foreach(exchange->body, name, value)
    {
        if (!check_member(exchange, name, value, type_of(allowed, name)))
            return false;
    }
    return true;
}
